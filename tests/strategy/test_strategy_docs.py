"""docs/strategy-document.md says of every field what the schema says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from stocklab.strategy.parsing import json_schema, parse_document
from stocklab.strategy.rows import FUNCTION_NAMES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "strategy-document.md").read_text(encoding="utf-8")
SCHEMA = json_schema()
MODELS: dict[str, dict[str, Any]] = {
    "Strategy": SCHEMA,
    **{name: model for name, model in SCHEMA["$defs"].items() if "properties" in model},
}


def table(model: str) -> dict[str, list[str]]:
    match = re.search(rf"<!-- fields:{model} -->\n((?:\|.*\n)+)", PAGE)
    assert match, f"docs/strategy-document.md has no table for {model}"
    rows = [[cell.strip() for cell in line.strip("|").split(" |")] for line in match.group(1).splitlines()[2:]]
    return {row[0].strip("`"): row for row in rows}


@pytest.mark.parametrize("model", MODELS)
def test_every_field_with_its_default_and_meaning(model: str) -> None:
    rows = table(model)
    assert list(rows) == list(MODELS[model]["properties"])
    for name, field in MODELS[model]["properties"].items():
        _, kind, unit, default, meaning = rows[name]
        assert kind
        assert meaning == field["description"]
        if name.endswith("_krw"):
            assert unit == "KRW"
        if name.endswith("_sessions"):
            assert unit == "sessions"
        if name in MODELS[model].get("required", []):
            assert default == "required"
        elif isinstance(field["default"], dict):
            assert default == "all defaults"
        else:
            assert json.loads(default.strip("`")) == field["default"]


def test_the_example_is_a_valid_document() -> None:
    example = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert example
    assert len(parse_document(example.group(1)).entry.rules) == 2


def test_the_nine_functions_are_named() -> None:
    for korean, english in FUNCTION_NAMES.values():
        assert f"| {korean} | {english.lower()} |" in PAGE


def test_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]*)\)", PAGE)
    assert links
    assert set(links) <= anchors
