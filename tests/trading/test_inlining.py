from opportunity.kernels import kernel
from opportunity.trading.inlining import inlined


@inlined
def doubled(value):
    return value * 2.0


@kernel
def outer(value):
    return doubled(value) + doubled(value + 1.0)


def test_it_is_compiled_into_its_caller():
    assert doubled.targetoptions["forceinline"]
    assert doubled.targetoptions["nogil"]
    assert outer(3.0) == 14.0
    outer.recompile()
    assert not [line for line in outer.inspect_asm(outer.signatures[0]).splitlines()
                if "call" in line and "doubled" in line]  # fmt: skip


def test_it_can_be_called_as_any_kernel():
    assert doubled(2.0) == 4.0
