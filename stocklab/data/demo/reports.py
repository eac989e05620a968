"""Which statements a filing holds: consolidated, separate or both, and the year before in a first consolidated year."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from stocklab.data.demo.books import Books
from stocklab.data.demo.cast import Cast, Story, stream
from stocklab.data.demo.filings import Filings
from stocklab.market.panel import MARKET_CODES
from stocklab.types import BoolArray, FloatArray, IntArray

__all__ = ["Basis", "Part", "Reports", "choose_basis", "make_reports"]

_SEPARATE_TOO = 0.25  # of the consolidated filers, so that both bases exist without doubling the data
_STARTERS = 0.02
_YEAR = 4


class Part(IntEnum):
    """What of a report a filing shows."""

    WHOLE = 0
    FLOWS = 1  # income and cash flow of the year-ago period
    BALANCES = 2  # of the last fiscal year end


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """How each issuer reports, one entry per symbol.

    ``consolidated_from`` is the first quarter with consolidated statements (0: always, the number of quarters: never),
    ``separate_too`` says that separate ones stand beside them, ``separate_size`` how large the parent company is by
    itself compared with the group.
    """

    consolidated_from: IntArray
    separate_too: BoolArray
    separate_size: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """One entry per report in a filing, sorted by symbol, quarter, consolidated before separate, and day.

    Quarter and symbol the amounts are of, the filing they stand in (an index into `Filings`), basis, part, whether it
    repeats an earlier period, and the factor of an amended version.
    """

    quarter: IntArray
    symbol: IntArray
    filing: IntArray
    consolidated: BoolArray
    part: IntArray
    repeated: BoolArray
    factor: FloatArray


def choose_basis(cast: Cast, books: Books, consolidated: BoolArray, seed: int) -> Basis:
    """Who consolidates from when: a few start in the first quarter of a fiscal year in the middle of the history."""
    rng = stream(seed, "basis")
    n_quarters = len(books.ends)
    start = np.where(consolidated, 0, n_quarters)
    steady = (cast.story == Story.PLAIN.value) & cast.of_kind("common") & (cast.market != MARKET_CODES["KONEX"])
    old = np.flatnonzero(consolidated & steady & (cast.listed_at < 0))
    chosen = np.sort(rng.permutation(old)[: max(2, round(_STARTERS * len(cast)))])
    around = rng.integers(n_quarters // 3, 2 * n_quarters // 3, size=len(chosen))
    start[chosen] = around + (1 - books.fiscal_quarter[around, chosen]) % _YEAR
    return Basis(
        consolidated_from=start,
        separate_too=consolidated & (start == 0) & (rng.random(len(cast)) < _SEPARATE_TOO),
        separate_size=np.where(consolidated, rng.uniform(0.75, 0.97, size=len(cast)), 1.0),
    )


def make_reports(books: Books, filings: Filings, basis: Basis) -> Reports:
    """Every report of every filing; the filings of a first consolidated year repeat the year before."""
    start = basis.consolidated_from[filings.symbol]
    consolidated = filings.quarter >= start
    first_year = (start > 0) & consolidated & (filings.quarter < start + _YEAR)
    fiscal = books.fiscal_quarter[filings.quarter, filings.symbol]
    pieces = [
        _piece(filings, consolidated, 0, Part.WHOLE, consolidated=True),
        _piece(filings, ~consolidated | basis.separate_too[filings.symbol], 0, Part.WHOLE, consolidated=False),
        _piece(filings, first_year & (fiscal == _YEAR), _YEAR, Part.WHOLE, consolidated=True),
        _piece(filings, first_year & (fiscal != _YEAR), _YEAR, Part.FLOWS, consolidated=True),
        _piece(filings, first_year & (fiscal != _YEAR), fiscal, Part.BALANCES, consolidated=True),
    ]
    quarter, symbol, filing, group, part = (np.concatenate(column) for column in zip(*pieces, strict=True))
    day = filings.filed_on[filing]
    order = np.lexsort((part, day, ~group, quarter, symbol))
    keys = np.column_stack([symbol, quarter, group, day.astype(np.int64)])[order]
    # two filings of one day may repeat the same balances: the fuller stays
    new = np.append(True, (keys[1:] != keys[:-1]).any(axis=1))
    order = order[new]
    repeated = quarter != filings.quarter[filing]
    return Reports(
        quarter=quarter[order],
        symbol=symbol[order],
        filing=filing[order],
        consolidated=group[order],
        part=part[order],
        repeated=repeated[order],
        factor=np.where(repeated, 1.0, filings.factor[filing])[order],
    )


def _piece(
    filings: Filings, where: BoolArray, back: int | IntArray, part: Part, *, consolidated: bool
) -> tuple[IntArray, IntArray, IntArray, BoolArray, IntArray]:
    chosen = np.flatnonzero(where)
    quarter = (filings.quarter - back)[chosen]
    return (
        quarter,
        filings.symbol[chosen],
        chosen,
        np.full(len(chosen), consolidated),
        np.full(len(chosen), int(part)),
    )
