"""Conditions of many variants as packed masks: every distinct one once, those over one value from that value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from stocklab.backtest.blocks import check_cancel, in_blocks
from stocklab.backtest.result import ShouldCancel
from stocklab.factors import FormulaSource, Wanted, check
from stocklab.factors.parser import parse
from stocklab.factors.syntax import BinaryNode, Node, NumberNode, UnaryNode, canonical
from stocklab.research.packed import COMPARISONS, Packed, empty_packed, pack_comparison, pack_rows
from stocklab.types import AnyArray, BoolArray

__all__ = ["Threshold", "packed_conditions", "threshold_of"]

_BATCH: Final = 32
_CROSS_BATCH: Final = 6
_LEAST_SHARING: Final = 3
"""From so many thresholds on one value on, computing the value and comparing it is less work."""

_MIRRORED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
_OPPOSITE: Final = {">": "<=", "<": ">=", ">=": "<", "<=": ">", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A condition that compares the value of a formula with a number."""

    value: str
    comparison: str
    number: float


@lru_cache(maxsize=8192)
def threshold_of(formula: str) -> Threshold | None:
    """The condition as value, comparison and number; None where it is of another form.

    >>> threshold_of("sma(close,5) > 3"), threshold_of("~(30 <= rsi_14)").comparison, threshold_of("close>open")
    (Threshold(value='sma(close,5)', comparison='>', number=3.0), '<', None)
    """
    node = parse(formula)
    negated = isinstance(node, UnaryNode) and node.operator == "~"
    if isinstance(node, UnaryNode) and negated:
        node = node.operand
    if not isinstance(node, BinaryNode) or node.operator not in COMPARISONS:
        return None
    value, number, comparison = node.left, node.right, node.operator
    if isinstance(value, NumberNode):
        value, number, comparison = number, value, _MIRRORED[comparison]
    if not isinstance(number, NumberNode) or _is_plain_number(value):
        return None
    comparison = _OPPOSITE[comparison] if negated else comparison
    return Threshold(value=canonical(value), comparison=comparison, number=number.value)


def packed_conditions(
    formulas: Sequence[str],
    source: FormulaSource,
    universe: BoolArray | None,
    *,
    should_cancel: ShouldCancel | None = None,
) -> Iterator[tuple[str, Packed]]:
    """Each formula with its mask, bit for bit what ``source`` gives as a condition.

    Parameters
    ----------
    universe : what cross-sectional formulas rank over; None where none of them is

    Raises
    ------
    Cancelled
        ``should_cancel`` said so.
    """
    by_value: dict[str, list[tuple[str, Threshold]]] = {}
    rest: list[str] = []
    for formula in dict.fromkeys(formulas):
        threshold = threshold_of(formula)
        if threshold is None:
            rest.append(formula)
        else:
            by_value.setdefault(threshold.value, []).append((formula, threshold))
    for value, sharing in by_value.items():
        if len(sharing) < _LEAST_SHARING:
            rest += [formula for formula, _ in sharing]
            continue
        (values,) = source.compute([Wanted(value, "value")], universe)
        for formula, threshold in sharing:
            yield formula, _compared(values, threshold, should_cancel)
        del values
    rest.sort()  # formulas that begin alike share most of what they compute
    size = _BATCH if universe is None else _CROSS_BATCH
    for begin in range(0, len(rest), size):
        check_cancel(should_cancel)
        batch = rest[begin : begin + size]
        masks = source.compute([Wanted(formula, "condition") for formula in batch], universe)
        for formula, mask in zip(batch, masks, strict=True):
            yield formula, _packed(mask, should_cancel)
        del masks, mask


def _is_plain_number(node: Node) -> bool:
    return isinstance(node, NumberNode) or check(canonical(node)).kind.value == "number"


def _compared(values: AnyArray, threshold: Threshold, should_cancel: ShouldCancel | None) -> Packed:
    out = empty_packed(*values.shape)
    code = COMPARISONS[threshold.comparison]

    def work(first: int, last: int) -> None:
        pack_comparison(first, last, values, code, threshold.number, out)

    in_blocks(0, len(values), work, should_cancel=should_cancel)
    return out


def _packed(mask: AnyArray, should_cancel: ShouldCancel | None) -> Packed:
    out = empty_packed(*mask.shape)
    in_blocks(0, len(mask), lambda first, last: pack_rows(first, last, mask, out), should_cancel=should_cancel)
    return out
