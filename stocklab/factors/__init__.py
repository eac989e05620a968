"""The formula language: text to tree, tree to graph, graph to numbers; and the factor catalogue."""

from stocklab.factors.catalogue import CATALOGUE, Factor
from stocklab.factors.check import Checked, check, missing_inputs
from stocklab.factors.definitions import NO_DEFINITIONS, Definition, Definitions, check_with, expand, is_taken
from stocklab.factors.evaluate import DirectSource, FormulaSource, Wanted, evaluate, evaluate_series
from stocklab.factors.functions import FUNCTIONS, Function
from stocklab.factors.lacking import never_known
from stocklab.factors.translate import translate
from stocklab.factors.vocabulary import Kind

__all__ = [
    "CATALOGUE",
    "FUNCTIONS",
    "NO_DEFINITIONS",
    "Checked",
    "Definition",
    "Definitions",
    "DirectSource",
    "Factor",
    "FormulaSource",
    "Function",
    "Kind",
    "Wanted",
    "check",
    "check_with",
    "evaluate",
    "evaluate_series",
    "expand",
    "is_taken",
    "missing_inputs",
    "never_known",
    "translate",
]
