from typing import Any

import orjson
import pytest
from drawn import drawn

from app.components.island import dumps
from app.components.language import phrase
from app.components.weights_editor import WeightsEditor
from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import ConflictError
from opportunity.scoring.weights import Weights


def _note(editor: WeightsEditor) -> dict[str, Any]:
    return dict(orjson.loads(editor.note))


def test_slider_moves_the_draft_and_the_draft_moves_the_slider() -> None:
    weights = Weights()
    editor = WeightsEditor(weights)
    editor._handle_msg({"type": "draft", "values": weights.as_dict() | {"sar": 0.4}})
    assert weights.sar == 0.4
    weights.update(sar=0.05, news=0.2)
    assert orjson.loads(editor.draft)["values"]["sar"] == 0.05
    assert orjson.loads(editor.active)["sar"] == 0.1  # what is in force has not changed


def test_apply_normalises_and_marks_as_active() -> None:
    applied: list[dict[str, float]] = []
    weights = Weights()
    editor = WeightsEditor(weights, on_apply=lambda values, force: applied.append(values))
    editor._handle_msg({"type": "apply", "values": weights.as_dict() | {"sar": 1.1}})
    assert sum(applied[0].values()) == pytest.approx(1)
    assert applied[0]["sar"] == pytest.approx(0.55)
    assert orjson.loads(editor.active) == pytest.approx(applied[0])
    assert _note(editor)["text"] == phrase("Applied for everybody.")


def test_conflict_is_asked_and_force_goes_through() -> None:
    def apply(values: dict[str, float], force: bool) -> None:
        if not force:
            raise ConflictError("version must be 3, was 2")

    weights = Weights()
    editor = WeightsEditor(weights, on_apply=apply)
    message = {"type": "apply", "values": weights.as_dict() | {"sar": 0.2}}
    editor._handle_msg(message)
    asked = _note(editor)
    assert "version must be 3" in asked["conflict"]["values"]["why"]
    assert asked["asks"]
    assert orjson.loads(editor.active)["sar"] == 0.1
    editor._handle_msg({**message, "force": True})
    assert _note(editor)["conflict"] == ""
    assert orjson.loads(editor.active)["sar"] > 0.1


def test_wrong_values_are_shown_and_change_nothing() -> None:
    weights = Weights()
    editor = WeightsEditor(weights)
    editor._handle_msg({"type": "draft", "values": weights.as_dict() | {"sar": -1}})
    assert weights == Weights()
    assert _note(editor)["tone"] == "bear"
    editor._handle_msg({"type": "apply", "values": dict.fromkeys(weights.as_dict(), 0)})
    assert "sum of the weights" in _note(editor)["text"]


def test_presets_are_saved_and_deleted_through_the_owner() -> None:
    kept: dict[str, dict[str, float]] = {}

    def listed() -> list[dict[str, Any]]:
        return [{"name": n, "weights": w, "protected": False} for n, w in kept.items()]

    def save(name: str, values: dict[str, float]) -> list[dict[str, Any]]:
        kept[name] = values
        return listed()

    def delete(name: str) -> list[dict[str, Any]]:
        del kept[name]
        return listed()

    weights = Weights()
    editor = WeightsEditor(weights, on_save=save, on_delete=delete)
    editor._handle_msg({"type": "save", "name": "mine", "values": weights.as_dict()})
    assert [p["name"] for p in orjson.loads(editor.presets)] == ["mine"]
    editor._handle_msg({"type": "delete", "name": "nobody"})
    assert _note(editor)["tone"] == "bear"
    editor._handle_msg({"type": "delete", "name": "mine"})
    assert orjson.loads(editor.presets) == []


def test_echo_names_the_newest_edit_it_knows_of() -> None:
    weights = Weights()
    editor = WeightsEditor(weights)
    values = weights.as_dict()
    editor._handle_msg({"type": "draft", "values": values | {"sar": 0.2}, "n": 7})
    assert orjson.loads(editor.draft)["n"] == 7
    weights.update(sar=0.1)
    assert orjson.loads(editor.draft)["n"] == 7


def test_rest_is_told_and_a_move_is_not() -> None:
    rests: list[float] = []
    weights = Weights()
    editor = WeightsEditor(weights, on_rest=lambda: rests.append(weights.sar))
    values = weights.as_dict()
    editor._handle_msg({"type": "draft", "values": values | {"sar": 0.2}, "n": 1, "rest": False})
    assert rests == []
    editor._handle_msg({"type": "draft", "values": values | {"sar": 0.3}, "n": 2, "rest": True})
    assert rests == [0.3]


def test_file_is_offered_to_the_browser_and_changes_nothing_by_itself() -> None:
    weights = Weights()
    editor = WeightsEditor(weights)
    values = weights.as_dict() | {"sar": 0.3}
    editor._handle_msg({"type": "import", "text": orjson.dumps({"weights": values}).decode()})
    offer = orjson.loads(editor.offer)
    assert offer["values"] == values
    assert weights == Weights()
    editor._handle_msg({"type": "import", "text": '{"smcc": 1}'})
    assert "Did you mean 'smc'?" in _note(editor)["text"]
    assert orjson.loads(editor.offer) == offer
    editor._handle_msg({"type": "import", "text": orjson.dumps(values).decode()})
    assert orjson.loads(editor.offer)["n"] > offer["n"]  # the same once more is news


def test_history_comes_from_the_owner() -> None:
    row = {"version": 3, "at": 1, "by": "api", "weights": Weights().as_dict()}
    editor = WeightsEditor(Weights(), on_history=lambda: [row])
    editor._handle_msg({"type": "history"})
    first = orjson.loads(editor.versions)
    assert first["rows"] == [row]
    editor._handle_msg({"type": "history"})
    assert orjson.loads(editor.versions)["n"] > first["n"]
    alone = WeightsEditor(Weights())
    alone._handle_msg({"type": "history"})
    assert alone.versions == "{}"


def test_what_is_in_force_is_what_was_marked() -> None:
    editor = WeightsEditor(Weights())
    editor.set_active(Weights(sar=0.4).as_dict(), phrase("New weights ({by}).", by="api"))
    assert editor.in_force["sar"] == 0.4
    assert _note(editor)["text"]["values"] == {"by": "api"}


@pytest.mark.parametrize("held", [0.0, 0.5, 0.93, 0.95, 0.99])
def test_normalised_weights_are_hundredths_that_sum_to_1_and_none_below_0(held: float) -> None:
    first, *others = DETECTOR_NAMES
    values = dict.fromkeys(others, 0.11) | {first: held}
    sent = drawn(WeightsEditor, """
        root.querySelector("[data-weight]").querySelector(".lock").click();
        root.querySelectorAll("button").find((one) => one.textContent === "normalise").click();
        await new Promise((done) => setTimeout(done, 150));
        return model.said.at(-1).values;""",
        draft=dumps({"values": values, "n": 0}), active=dumps(values),
    )  # fmt: skip
    assert sent[first] == held
    assert sum(sent.values()) == pytest.approx(1.0)
    assert min(sent.values()) >= 0
    assert {round(100 * weight, 9) % 1 for weight in sent.values()} == {0.0}
    spread = [sent[name] for name in others]
    assert max(spread) - min(spread) <= 0.01 + 1e-9
