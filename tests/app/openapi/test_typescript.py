"""TypeScript types: each kind of schema, and all of them through the strict compiler."""

import re
import subprocess

import pytest
from node_tools import node_tool

from app.openapi.document import document
from app.openapi.typescript import type_of, typescript

USED = """
import type { ClientMessage, Operations, ServerMessage, WeightValues } from "./api";

const weights: WeightValues = {
  harmonic: 0.1, elliott: 0.1, smc: 0.2, fibonacci: 0.1, price_action: 0.15, sar: 0.1,
  sentiment: 0.1, news: 0.1, whales: 0.05,
};
const put: Operations["putConfigWeights"]["body"] = weights;
const role: Operations["putConfigWeights"]["role"] = "trader";
const nothing: Omit<Operations["putAgentToggle"], "body"> extends Operations["putAgentToggle"]
  ? true : false = true;
// @ts-expect-error a body must be given
const must: Omit<Operations["putConfigWeights"], "body"> extends Operations["putConfigWeights"]
  ? true : false = true;
const query: Operations["putConfigWeights"]["query"] = { normalize: true };
const asked: ClientMessage = { action: "subscribe", symbols: ["BTCUSDT"] };

function heard(message: ServerMessage): string | number | null {
  switch (message.type) {
    case "signal": return message.score;
    case "price": return message.price;
    case "error": return message.code;
    default: return message.type;
  }
}

// @ts-expect-error a weight is missing
const few: WeightValues = { harmonic: 0.1 };
// @ts-expect-error there is no such action
const wrong: ClientMessage = { action: "dance" };
// @ts-expect-error no query is taken
const none: Operations["getConfigWeights"]["query"] = { surprise: true };

export { put, nothing, must, role, query, asked, heard, few, wrong, none };
"""


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string"}, "string"),
        ({"type": "integer"}, "number"),
        ({"const": "x"}, '"x"'),
        ({"enum": ["a", 1, None]}, '"a" | 1 | null'),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "number | null"),
        ({"allOf": [{"$ref": "#/components/schemas/A"}, {"enum": ["x", "y"]}]}, 'A & ("x" | "y")'),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, '("a" | "b")[]'),
        ({"type": "array", "prefixItems": [{"type": "string"}, {}]}, "[string, unknown]"),
        ({"type": "object"}, "Record<string, unknown>"),
        ({"type": "object", "additionalProperties": False}, "Record<string, never>"),
        ({"type": "object", "additionalProperties": {"type": "number"},
          "propertyNames": {"enum": ["1h"]}}, 'Partial<Record<"1h", number>>'),
        ({"type": "object", "properties": {"a-b": {"type": "string"}, "c": {}}, "required": ["c"]},
         '{\n  "a-b"?: string;\n  c: unknown;\n}'),
        ({}, "unknown"),
    ],
)  # fmt: skip
def test_a_schema_becomes_a_type(schema, text):
    assert type_of(schema) == text


def test_what_nobody_says_is_an_error():
    with pytest.raises(ValueError, match="type of a schema must be one of"):
        type_of({"type": "tuple"})


def test_types_compile_under_strict(tmp_path):
    compiler = node_tool("tsc")
    (tmp_path / "api.ts").write_text(typescript())
    (tmp_path / "used.ts").write_text(USED)
    options = ("--strict", "--noEmit", "--target", "es2022", "--module", "esnext",
               "--moduleResolution", "bundler", "--exactOptionalPropertyTypes",
               "--noUncheckedIndexedAccess", "--lib", "es2022,dom")  # fmt: skip
    done = subprocess.run(
        [compiler, *options, "used.ts"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_body_that_may_be_left_out_may_be_left_out():
    said = dict(re.findall(r"^  (\w+): \{\n(.*?)^  \};$", typescript(), re.MULTILINE | re.DOTALL))
    may = {
        found["operationId"]: not found["requestBody"].get("required", False)
        for methods in document()["paths"].values()
        for found in methods.values()
        if "requestBody" in found
    }
    assert may["putAgentToggle"]
    assert not may["putConfigWeights"]
    assert {name: "    body?: " in said[name] for name in may} == may
