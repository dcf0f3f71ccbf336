"""Every body has an example, and the server would take it."""

import orjson
import pytest
from jsonschema import Draft202012Validator

from app.api import resources
from app.api.operations import many, operations_of
from app.openapi.examples import BALANCED, EXAMPLES, examples_of
from app.openapi.schemas import schemas_of
from opportunity.scoring.presets import PRESETS

BODIES = sorted(
    {m for _, handler in resources() for _, made in operations_of(handler)
     for m in many(made.body)},
    key=lambda model: (model.__module__, model.__name__),
)  # fmt: skip


def test_examples_are_of_bodies():
    assert set(EXAMPLES) <= set(BODIES)


@pytest.mark.parametrize("model", BODIES, ids=lambda m: m.__name__)
def test_body_has_an_example_that_fits(model):
    _, schemas = schemas_of([model])
    whole = {"$ref": f"#/components/schemas/{model.__name__}", "components": {"schemas": schemas}}
    assert EXAMPLES[model]
    for value in EXAMPLES[model].values():
        model.model_validate(orjson.loads(orjson.dumps(value)))
        Draft202012Validator(whole).validate(value)


def test_the_nine_are_the_balanced_ones():
    assert PRESETS["balanced"] == BALANCED


def test_examples_of_several_models_stand_side_by_side():
    two = tuple(m for m in EXAMPLES if m.__name__ in ("WeightConfig", "PresetBody"))
    assert set(examples_of(two)) == {"nine", "named"}
