"""The document being edited, as plain JSON: reading, changing and lettering it. No Streamlit here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Literal

from stocklab.errors import DocumentError, FieldFault
from stocklab.market.upbit import MOST_INITIAL_CASH_KRW
from stocklab.strategy import Strategy, parse_document
from stocklab.strategy.document import Model, Universe
from stocklab.strategy.logic import LETTERS
from stocklab.strategy.screen import Screen, parse_screen

__all__ = [
    "Document",
    "Side",
    "add_rule",
    "blank_document",
    "blank_screen",
    "check",
    "check_screen",
    "checked_universe",
    "completed",
    "copy_rule",
    "faults_under",
    "full",
    "get",
    "put",
    "remove_rule",
    "rules",
    "text_of",
    "trades_coins",
    "with_traded",
]

Document = dict[str, Any]
Side = Literal["entry", "exit", "conditions"]


def full(document: Model) -> Document:
    """The document with every key, ready to edit."""
    return document.model_dump(mode="json")


def blank_document(name: str) -> Document:
    """A new strategy: the whole market, the twenty most traded names, no rule yet."""
    return full(Strategy(name=name))


def completed(document: Mapping[str, Any]) -> Document:
    """A document of before a part of the schema existed, with that part as it is by default."""
    return {**blank_document("-"), **document}


def trades_coins(document: Mapping[str, Any]) -> bool:
    """Whether the universe is of coins."""
    return "UPBIT" in document["universe"]["markets"]


def with_traded(document: Mapping[str, Any], *, coins: bool) -> Document:
    """The document for coins, or for stocks: what belongs to the other kind gives way to the defaults of this one.

    Those are markets, exclusions, symbols and sectors, the benchmark, the index of the market filter, the commission,
    and for coins the largest capital a run can count.
    """
    fresh = full(Strategy.model_validate({"name": "-", "universe": {"markets": ("UPBIT",)} if coins else {}}))
    changed = deepcopy(dict(document))
    named = ("markets", "sectors", "exclude_sectors", "themes", "index", "symbols", "exclude_symbols", "exclude")
    changed["universe"] |= {name: fresh["universe"][name] for name in named}
    if coins:
        changed["universe"]["exclude"] = ["halted"]
    if "costs" in changed:  # a screen has none of these
        changed["costs"] |= {"commission_rate": fresh["costs"]["commission_rate"], "tax": "dated"}
        changed["benchmark"] = fresh["benchmark"]
        if changed["market_filter"] is not None:
            changed["market_filter"]["index"] = fresh["benchmark"]
        if coins:
            allocation = changed["allocation"]
            allocation["initial_cash_krw"] = min(allocation["initial_cash_krw"], MOST_INITIAL_CASH_KRW)
    return changed


def blank_screen() -> Document:
    """A new screen: the whole market, no condition yet, a few columns most readers want."""
    return full(Screen(columns=("ret_1d", "ret_1m", "trading_value_20d", "market_cap")))


def text_of(document: Mapping[str, Any]) -> str:
    """The document as text, also while it has faults."""
    return json.dumps(document, ensure_ascii=False, indent=2)


def check(document: Mapping[str, Any]) -> tuple[Strategy | None, tuple[FieldFault, ...]]:
    """The strategy, or None with every fault of the document."""
    try:
        return parse_document(json.dumps(document, ensure_ascii=False)), ()
    except DocumentError as error:
        return None, error.faults


def checked_universe(document: Mapping[str, Any]) -> Universe:
    """The universe part of a document.

    Raises
    ------
    DocumentError
        With every fault of it.
    """
    return parse_document({"name": "-", "universe": dict(document)}).universe


def check_screen(document: Mapping[str, Any]) -> tuple[Screen | None, tuple[FieldFault, ...]]:
    """`check` for a screen."""
    try:
        return parse_screen(json.dumps(document, ensure_ascii=False)), ()
    except DocumentError as error:
        return None, error.faults


def get(document: Mapping[str, Any], path: str) -> Any:
    """Value at a dotted path; None where a part of the way is null.

    >>> get({"exit": {"stop": {"level": 0.1}, "target": None}}, "exit.stop.level")
    0.1
    """
    node: Any = document
    for part in path.split("."):
        if node is None:
            return None
        node = node[int(part)] if isinstance(node, list) else node[part]
    return node


def put(document: Mapping[str, Any], path: str, value: Any) -> Document:
    """A copy of the document with another value at a dotted path.

    >>> put({"a": [{"b": 1}]}, "a.0.b", 2)
    {'a': [{'b': 2}]}
    """
    changed = deepcopy(dict(document))
    *way, last = path.split(".")
    node: Any = changed
    for part in way:
        node = node[int(part)] if isinstance(node, list) else node[part]
    if isinstance(node, list):
        node[int(last)] = value
    else:
        node[last] = value
    return changed


def rules(document: Mapping[str, Any], side: Side) -> list[dict[str, Any]]:
    """The rules to buy ("entry"), to sell ("exit"), or those of a screen ("conditions")."""
    found: list[dict[str, Any]] = document[side]["rules"]
    return found


def _free_letter(document: Mapping[str, Any], side: Side) -> str:
    used = {rule["id"] for rule in rules(document, side)}
    return next(letter for letter in LETTERS if letter not in used)


def add_rule(document: Mapping[str, Any], side: Side, formula: str) -> Document:
    """The document with one more rule under the next free letter."""
    letter = _free_letter(document, side)
    added = [*rules(document, side), {"id": letter, "formula": formula, "note": ""}]
    return put(document, f"{side}.rules", added)


def copy_rule(document: Mapping[str, Any], side: Side, letter: str) -> Document:
    """The document with a copy of a rule right after it."""
    changed = list(rules(document, side))
    place = next(index for index, rule in enumerate(changed) if rule["id"] == letter)
    changed.insert(place + 1, {**changed[place], "id": _free_letter(document, side)})
    return put(document, f"{side}.rules", changed)


def remove_rule(document: Mapping[str, Any], side: Side, letter: str) -> Document:
    """The document without a rule. A logic line that names it stays, and its fault is shown there."""
    return put(document, f"{side}.rules", [rule for rule in rules(document, side) if rule["id"] != letter])


def faults_under(faults: tuple[FieldFault, ...], path: str) -> list[FieldFault]:
    """Faults at a path or below it.

    >>> faults_under((FieldFault(path="exit.stop.level", code="x", message="m"),), "exit.stop")[0].message
    'm'
    """
    return [fault for fault in faults if fault.path == path or fault.path.startswith(f"{path}.")]
