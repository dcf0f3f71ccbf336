import pytest

from opportunity import errors
from opportunity.errors import (
    BarError,
    ConflictError,
    CoverageError,
    OpportunityError,
    ThreadError,
    unknown,
)


@pytest.mark.parametrize("error", [BarError, ConflictError, CoverageError, ThreadError])
def test_what_is_raised_on_purpose_can_be_caught_together(error: type[Exception]) -> None:
    assert issubclass(error, OpportunityError)
    assert error.__doc__
    with pytest.raises(OpportunityError, match="what it was"):
        raise error("what it was")


def test_bad_bars_are_a_value_error_too() -> None:
    assert issubclass(BarError, ValueError)
    others = [e for e in vars(errors).values() if isinstance(e, type) and e is not BarError]
    assert not any(issubclass(e, ValueError) for e in others)


def test_near_name_is_suggested() -> None:
    assert unknown("weight", "smcc", ["sar", "smc"]) == (
        "weight must be a known name, was 'smcc'. Did you mean 'smc'?"
    )


def test_without_a_near_name_all_are_listed() -> None:
    text = unknown("weight", "zzz", iter(["sar", "smc"]))
    assert text == "weight must be a known name, was 'zzz'. Known: sar, smc."


@pytest.mark.parametrize("name", [None, 7, ("smc",), ""])
def test_any_object_may_be_the_unknown_name(name: object) -> None:
    assert repr(name) in unknown("weight", name, ["sar"])
    assert unknown("weight", name, []).endswith(f"was {name!r}. There is none.")
