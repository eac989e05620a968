"""Documents from outside to `Strategy` and back: read, write, identify, describe by schema."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar

from stocklab.errors import DocumentError, FieldFault
from stocklab.strategy.document import SCHEMA_VERSION, Model, StatementMode, Strategy
from stocklab.strategy.json_text import read_json, show
from stocklab.strategy.logic import parse_logic
from stocklab.strategy.meaning import meaning_faults, translate_formulas
from stocklab.strategy.notation import canonical
from stocklab.strategy.own_factors import expanded, read_own_factors
from stocklab.strategy.structure import validate_structure

__all__ = ["content_hash", "dump", "fingerprint", "json_schema", "parse_as", "parse_document"]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SCHEMA_ID: Final = f"urn:stocklab:strategy:{SCHEMA_VERSION}"
_Document = TypeVar("_Document", bound=Model)
_UNORDERED: Final = ("markets", "sectors", "exclude_sectors", "themes", "symbols", "exclude_symbols", "exclude")


def parse_document(source: str | bytes | Mapping[str, Any]) -> Strategy:
    """Read a strategy document.

    Formulas in Korean or English names become the notation; formulas already in it stay as written.

    Parameters
    ----------
    source : JSON text (UTF-8), or the plain values of one

    Raises
    ------
    DocumentError
        With every fault: its path, a stable code, what was expected and found.

    >>> rule = {"id": "A", "formula": "이동평균({PER},{20일}) < 10"}
    >>> parse_document({"name": "x", "entry": {"rules": [rule]}}).entry.rules[0].formula
    'sma(per,20)<10'
    """
    return parse_as(Strategy, source, version=SCHEMA_VERSION)


def parse_as(model: type[_Document], source: str | bytes | Mapping[str, Any], *, version: int) -> _Document:
    """`parse_document` for any kind of document this package has; formulas and logic are judged where they stand."""
    data, faults = read_json(source)
    version_fault = _version_fault(data, version)
    if version_fault is not None:  # what an unknown version means is unknown too
        raise DocumentError((*faults, version_fault))
    own = read_own_factors(data)
    untranslated = translate_formulas(data, own.definitions)
    told = {fault.path for fault in untranslated}
    faults += [*own.faults, *untranslated]
    meaning = [fault for fault in meaning_faults(data, own.definitions) if fault.path not in told]
    document, structure = validate_structure(data, model)
    known = faults + meaning
    faults = known + [fault for fault in structure if not _said(fault, known)]
    if faults or document is None:
        raise DocumentError(tuple(sorted(faults, key=lambda fault: _place_of(fault.path, model))))
    return document


def dump(document: Model) -> str:
    """The document as JSON text: every field, in the order of the schema, short lists on one line.

    ``parse_document(dump(strategy)) == strategy``.
    """
    return _pretty(document.model_dump(mode="json"), "") + "\n"


def fingerprint(strategy: Strategy) -> str:
    """SHA-256 (hex) of everything in the document that can change a result.

    Names, descriptions, tags and notes are left out; so are differences of spelling: key order, blanks and needless
    parentheses in formulas and logic, the order of sets such as markets. Own factors count by what they mean where they
    are used.

    Raises
    ------
    FormulaError
        A formula or logic line cannot be read; documents of ``parse_document`` always can.
    """
    return content_hash(expanded(strategy).model_dump(mode="json"))


def content_hash(document: Mapping[str, Any]) -> str:
    """`fingerprint` of the plain values of a document without own factors; its formulas and logic must be readable."""
    data = json.loads(json.dumps(document))
    for key in ("name", "description", "tags", "factors"):
        del data[key]
    if data["statements"] == StatementMode.STRICT.value:
        del data["statements"]  # documents of before this choice keep their fingerprint
    defaults: tuple[Literal["all", "any"], ...] = ("all", "any")
    for section, default in zip((data["entry"], data["exit"]), defaults, strict=True):
        letters = [rule["id"] for rule in section["rules"]]
        section["logic"] = parse_logic(section["logic"], letters, default).text
        for rule in section["rules"]:
            del rule["note"]
            rule["formula"] = canonical(rule["formula"])
    for factor in data["ranking"]["factors"]:
        factor["formula"] = canonical(factor["formula"])
    for key in _UNORDERED:
        data["universe"][key] = sorted(set(data["universe"][key]))
    market = data["market_filter"]
    if market is not None:
        market["formula"] = canonical(market["formula"]) if market["formula"] is not None else None
        market["months"] = sorted(market["months"])
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the document, each field with title and description."""
    return {"$schema": _DIALECT, "$id": _SCHEMA_ID, **Strategy.model_json_schema()}


def _version_fault(data: dict[str, Any], known: int) -> FieldFault | None:
    version = data.get("schema_version", known)
    if type(version) is int and version == known:
        return None
    newer = type(version) is int and version > known
    hint = "update Stock Lab to read it" if newer else f'write "schema_version": {known}'
    message = f"Expected version {known}, found {show(version)}. Hint: {hint}."
    return FieldFault(path="schema_version", code="unknown_version", message=message)


def _said(fault: FieldFault, known: list[FieldFault]) -> bool:
    """Whether a more exact fault covers this one: the same place, or for a whole object any place inside it."""
    if fault.code == "value":
        return any(other.path == fault.path or other.path.startswith(f"{fault.path}.") for other in known)
    return any(other.path == fault.path for other in known)


def _place_of(path: str, model: type[Model]) -> tuple[tuple[int, int, str], ...]:
    """Sort key: document order of the sections, numbers as numbers."""
    order = {name: position for position, name in enumerate(model.model_fields)}
    parts = path.split(".")
    first = (order.get(parts[0], len(order)), 0, parts[0])
    return (first, *((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts[1:]))


def _pretty(value: Any, indent: str) -> str:
    inner = indent + "  "
    if isinstance(value, dict) and value:
        rows = [f"{inner}{json.dumps(key)}: {_pretty(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return "[\n" + ",\n".join(inner + _pretty(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)
