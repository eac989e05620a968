"""Changes to the own factors of a document: adding, ordering, and renaming with every use. No Streamlit here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from stocklab.ui.builder.draft import Document, put

__all__ = ["add", "move_up", "remove", "rename"]

FRESH_FORMULA: Final = "close/sma(close,60)-1"
_HOLDERS: Final = ("entry.rules", "exit.rules", "ranking.factors", "factors")


def add(document: Mapping[str, Any], name: str) -> Document:
    """One more own factor under the next free id; ``name`` takes its number as {number}.

    >>> add({"factors": []}, "Mine {number}")["factors"][0]["id"]
    'my_factor_1'
    """
    used = {str(factor.get("id")) for factor in document["factors"]}
    number = next(count for count in range(1, len(used) + 2) if f"my_factor_{count}" not in used)
    fresh = {
        "id": f"my_factor_{number}",
        "name": name.format(number=number),
        "formula": FRESH_FORMULA,
        "unit": "score",
        "higher_is_better": 0,
        "note": "",
    }
    return put(document, "factors", [*document["factors"], fresh])


def remove(document: Mapping[str, Any], place: int) -> Document:
    """Without one; formulas that use it stay, and their fault is shown there."""
    kept = [factor for index, factor in enumerate(document["factors"]) if index != place]
    return put(document, "factors", kept)


def move_up(document: Mapping[str, Any], place: int) -> Document:
    """One place further up, where more may use it."""
    order = list(document["factors"])
    order[place - 1 : place + 1] = [order[place], order[place - 1]]
    return put(document, "factors", order)


def rename(document: Mapping[str, Any], place: int, new: str) -> Document:
    """Another id, also wherever formulas use it.

    >>> kept = {"factors": [{"id": "a", "formula": "close"}, {"id": "b", "formula": "a+max(a,ab)"}]}
    >>> [factor["formula"] for factor in rename(kept, 0, "z")["factors"]]
    ['close', 'z+max(z,ab)']
    """
    old = document["factors"][place]["id"]
    changed = put(document, f"factors.{place}.id", new)
    name = re.compile(rf"(?<![\w]){re.escape(old)}(?![\w])")
    holders = [item for path in _HOLDERS for item in _items(changed, path)]
    for holder in [*holders, changed.get("market_filter")]:
        if isinstance(holder, dict) and isinstance(holder.get("formula"), str):
            holder["formula"] = name.sub(new, holder["formula"])
    return changed


def _items(document: Mapping[str, Any], path: str) -> list[Any]:
    node: Any = document
    for part in path.split("."):
        node = node.get(part) or {}
    return node if isinstance(node, list) else []
