"""An explanation as plain values for JSON: dates as text, every verdict with its code, facts and sentence."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from stocklab.research.explain.sentences import sentence
from stocklab.research.explain.values import Explanation
from stocklab.research.explain.verdicts import Verdict
from stocklab.research.explain.words import Language

__all__ = ["explanation_json"]


def explanation_json(found: Explanation, language: Language) -> dict[str, Any]:
    """JSON-ready form; the keys are the attributes of `Explanation` and its parts."""
    plain: dict[str, Any] = _plain(found, language)
    return plain


def _plain(value: Any, language: Language) -> Any:
    if isinstance(value, Verdict):
        facts = {name: _plain(fact, language) for name, fact in value.facts.items()}
        return {"code": value.code.value, "facts": facts, "sentence": sentence(value, language)}
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name), language) for each in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item, language) for item in value]
    return value.isoformat() if isinstance(value, date) else value
