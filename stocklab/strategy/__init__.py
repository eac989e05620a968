"""The strategy document: its schema, logic, rows and words; reading and writing; ready-made strategies."""

from stocklab.strategy.document import SCHEMA_VERSION, Rule, Strategy
from stocklab.strategy.form import RuleLine, lines_of, rules_of
from stocklab.strategy.logic import LogicTree, combine, letters_of, mask_formulas, parse_logic, unused_letters
from stocklab.strategy.look_back import LookBack, longest_look_back, preset_look_back
from stocklab.strategy.parsing import dump, fingerprint, json_schema, parse_document
from stocklab.strategy.presets import PRESETS, Preset, find_preset
from stocklab.strategy.rows import Operand, Operator, Row, formula_of, row_of
from stocklab.strategy.words import describe_logic, describe_rule, describe_strategy

__all__ = [
    "PRESETS",
    "SCHEMA_VERSION",
    "LogicTree",
    "LookBack",
    "Operand",
    "Operator",
    "Preset",
    "Row",
    "Rule",
    "RuleLine",
    "Strategy",
    "combine",
    "describe_logic",
    "describe_rule",
    "describe_strategy",
    "dump",
    "find_preset",
    "fingerprint",
    "formula_of",
    "json_schema",
    "letters_of",
    "lines_of",
    "longest_look_back",
    "mask_formulas",
    "parse_document",
    "parse_logic",
    "preset_look_back",
    "row_of",
    "rules_of",
    "unused_letters",
]
