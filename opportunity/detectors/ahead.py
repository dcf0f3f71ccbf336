"""Ask for the state of a stream before its turn comes.

A live step touches thousands of states once each, far more memory than the caches hold. What
nearly every bar reads lies together in a state, and a driver asks for it two streams ahead, which
hides most of the waiting: of 12,000 streams, on one core, the context took 1.1 ms instead of 2.8,
fibonacci 9.9 ms instead of 13.2. Asking for the second-level cache matters: the first has room
for few requests at a time, and asking it gained a third of that. No result depends on this, only
when memory arrives.
"""

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from opportunity.kernels import kernel

LINE: Final = 64
"""Bytes that a processor fetches at a time."""

AHEAD: Final = 2
"""Streams between asking and using; 1 to 4 measured alike."""

Span = tuple[int, int]


def span(state: np.dtype[Any], first: str, last: str, inside: int = 0) -> Span:
    """Return begin and end, in bytes, of the fields from `first` to `last` of a record.

    `inside` is where the record itself begins in the state.
    """
    fields: Any = state.fields
    return inside + fields[first][1], inside + fields[last][1] + fields[last][0].itemsize


def lines(*spans: Span) -> NDArray[np.int64]:
    """Return offsets in a state of one byte of every line that holds some of `spans`."""
    return np.concatenate([np.arange(a, b + LINE - 1, LINE).clip(max=b - 1) for a, b in spans])


def _line(context: Any, states: Any, row: Any, offset: Any) -> Any:
    """Tell the processor that the line at `offset` of a record is needed soon."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        array = context.make_array(kind)(context, builder, arguments[0])
        stride = cgutils.unpack_tuple(builder, array.strides, 1)[0]
        place = builder.add(builder.mul(arguments[1], stride), arguments[2])
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        form = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        ask = cgutils.get_or_insert_function(builder.module, form, "llvm.prefetch.p0")
        # To be read (0), into the second-level cache (2), data (1).
        hints = [ir.Constant(word, n) for n in (0, 2, 1)]
        builder.call(ask, [builder.gep(builder.bitcast(array.data, byte), [place]), *hints])
        return context.get_dummy_value()

    return types.void(states, types.int64, types.int64), build


_ask: Any = intrinsic(_line)

@kernel
def fetch(states: Any, rows: Any, k: Any, offsets: Any) -> None:
    """Ask for the lines at `offsets` of the `k`-th of `rows`, if there is one."""
    if k < rows.size:
        for i in range(offsets.size):
            _ask(states, rows[k], offsets[i])
