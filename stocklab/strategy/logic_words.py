"""Lettered rules and the line that joins them, in words."""

from __future__ import annotations

from collections.abc import Sequence

from stocklab.strategy.document import OwnFactor, Rule
from stocklab.strategy.labels import Language
from stocklab.strategy.logic import And, Letter, LogicTree, Node, Not, Or
from stocklab.strategy.rule_words import describe_rule

__all__ = ["describe_logic", "describe_rules"]


def describe_logic(tree: LogicTree, language: Language) -> str:
    """The logic line in words; both forms are read back by ``parse_logic``.

    >>> from stocklab.strategy.logic import parse_logic
    >>> describe_logic(parse_logic("A and (B or not C)", "ABC", "all"), "ko")
    'A 그리고 (B 또는 C 아님)'
    """
    return tree.text if language == "en" else "" if tree.root is None else _korean_logic(tree.root)


def describe_rules(rules: Sequence[Rule], language: Language, own: Sequence[OwnFactor]) -> list[str]:
    """Lettered rules, a sentence each.

    Raises
    ------
    FormulaError
        A formula cannot be read.
    """
    lines = []
    for rule in rules:
        note = f" ({rule.note})" if rule.note else ""
        lines.append(f"{rule.id}: {describe_rule(rule.formula, language, own)}{note}.")
    return lines


def _korean_logic(node: Node) -> str:
    match node:
        case Letter(name):
            return name
        case Not(item):
            return f"{_korean_logic(item)} 아님" if isinstance(item, Letter) else f"({_korean_logic(item)}) 아님"
        case And(items):
            return " 그리고 ".join(
                f"({_korean_logic(item)})" if isinstance(item, Or) else _korean_logic(item) for item in items
            )
        case Or(items):
            return " 또는 ".join(_korean_logic(item) for item in items)
