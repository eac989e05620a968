"""Rules and strategies in words: the one module other packages ask."""

from __future__ import annotations

from stocklab.strategy.labels import Language, label
from stocklab.strategy.logic_words import describe_logic
from stocklab.strategy.rule_words import describe_row, describe_rule, describe_value
from stocklab.strategy.strategy_words import describe_strategy

__all__ = [
    "Language",
    "describe_logic",
    "describe_row",
    "describe_rule",
    "describe_strategy",
    "describe_value",
    "label",
]
