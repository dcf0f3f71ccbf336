"""What a loop over much memory knows and the compiler does not: who holds it, what is read next.

A backtest jumps from entry to entry. Each lands on rows of a dozen arrays that no cache holds,
and would wait for one after the other; and each function that it calls would count every array
that it is handed, though the caller of the loop holds them all. Both together took more time than
the trading.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_READ, _KEEP, _DATA = 0, 3, 1


def _fetch(_typing: Any, array: Any, row: Any) -> Any:
    """Begin to load a row of an array into the cache; changes nothing and does not wait.

    The row need not exist.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = context.make_array(array)(context, builder, args[0])
        at = context.cast(builder, args[1], signature.args[1], types.intp)
        step = cgutils.unpack_tuple(builder, place.strides)[0]
        pointer = cgutils.pointer_add(
            builder, place.data, builder.mul(at, step), cgutils.voidptr_t
        )
        hints = [cgutils.int32_t(value) for value in (_READ, _KEEP, _DATA)]
        types_of = [pointer.type, *(hint.type for hint in hints)]
        kind = ir.FunctionType(ir.VoidType(), types_of)
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        builder.call(prefetch, [pointer, *hints])
        return context.get_dummy_value()

    return types.void(array, row), codegen


fetch: Final[Any] = intrinsic(_fetch)


def _lent(_typing: Any, arrays: Any) -> Any:
    """Return an array, or a tuple of arrays and numbers, without counting who holds it.

    For arguments of a kernel that Python calls: it holds them until the kernel returns.
    """

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _uncounted(context, builder, arrays, args[0])

    return arrays(arrays), codegen


lent: Final[Any] = intrinsic(_lent)


def _uncounted(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, types.BaseTuple):
        kinds: Any = kind
        items = zip(kinds, cgutils.unpack_tuple(builder, value), strict=True)
        made = [_uncounted(context, builder, k, v) for k, v in items]
        return context.make_tuple(builder, kind, made)
    if not isinstance(kind, types.Array):
        return value
    array = context.make_array(kind)(context, builder, value)
    array.meminfo = cgutils.get_null_value(array.meminfo.type)
    return array._getvalue()
