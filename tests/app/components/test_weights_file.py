import json

import pytest

from app.components.weights_file import MOST_CHARS, read_weights
from opportunity.scoring.presets import PRESETS

BALANCED = PRESETS["balanced"]


def test_file_of_the_editor_and_plain_weights_are_read() -> None:
    assert read_weights(json.dumps({"name": "mine", "weights": BALANCED})) == ("mine", BALANCED)
    assert read_weights(json.dumps(BALANCED)) == ("", BALANCED)
    assert read_weights(json.dumps({"name": None, "weights": BALANCED}))[0] == ""
    assert len(read_weights(json.dumps({"name": "x" * 200, "weights": BALANCED}))[0]) == 40


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ({**BALANCED, "smcc": 0.1}, "was 'smcc'. Did you mean 'smc'?"),
        ({n: w for n, w in BALANCED.items() if n not in ("news", "sar")}, "missing: sar, news"),
        ({**BALANCED, "sar": -0.1}, "weight sar must be finite and >= 0"),
        ({**BALANCED, "sar": "much"}, "weight sar must be a number"),
        ({**BALANCED, "sar": True}, "weight sar must be a number"),
        (dict.fromkeys(BALANCED, 0), "sum of the weights must be > 0"),
        ([0.1] * 9, "weights must be given by name, were list"),
    ],
)
def test_what_is_wrong_is_told(held, told) -> None:
    for text in (json.dumps(held), json.dumps({"weights": held})):
        with pytest.raises(ValueError, match=told.replace("?", r"\?")):
            read_weights(text)


def test_no_json_and_too_much_of_it_are_refused() -> None:
    with pytest.raises(ValueError, match="file must be JSON, was not"):
        read_weights("smc,0.2")
    with pytest.raises(ValueError, match=f"at most {MOST_CHARS} characters"):
        read_weights(" " * (MOST_CHARS + 1))
    with pytest.raises(ValueError, match="file must be JSON"):
        read_weights('{"smc": NaN}')
