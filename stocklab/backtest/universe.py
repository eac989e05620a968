"""Which symbols may be bought on each session, judged as of that session."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit

from stocklab.backtest.blocks import in_blocks
from stocklab.backtest.result import ShouldCancel
from stocklab.backtest.select import KEEP_TOP, order_row
from stocklab.errors import InputError
from stocklab.factors import FormulaSource, Wanted
from stocklab.market.issue_flags import flag_field
from stocklab.market.memberships import INDEX, SECTOR, THEME
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Panel, PriceBasis
from stocklab.strategy.document import Exclusion, Universe
from stocklab.types import AnyArray, BoolArray, FloatArray

__all__ = [
    "FLAG_FIELDS",
    "HALT_FIELD",
    "MEAN_TRADED_VALUE",
    "read_only",
    "universe_mask",
    "unknown_flags",
    "unknown_lists",
]

MEAN_TRADED_VALUE: Final = "sma(tv,20)"

_KINDS: Final = {
    Exclusion.PREFERRED: "preferred",
    Exclusion.SPAC: "spac",
    Exclusion.REIT: "reit",
    Exclusion.ETF: "etf",
    Exclusion.FOREIGN: "foreign",
}
_FLAGGED: Final = (
    *(Exclusion.ADMINISTRATIVE, Exclusion.ATTENTION, Exclusion.CAUTION, Exclusion.WARNING, Exclusion.RISK),
    *(Exclusion.OVERHEATED, Exclusion.UNFAITHFUL, Exclusion.CLEARANCE),
)
FLAG_FIELDS: Final[Mapping[Exclusion, str]] = {exclusion: flag_field(exclusion.value) for exclusion in _FLAGGED}
"""Field of the panel for each exclusion that is a flag of the exchange."""

HALT_FIELD: Final = flag_field(Exclusion.HALTED.value)
"""A recorded halt: counts as halted beside a session without a trade."""

_IN_KERNEL: Final = (Exclusion.ADMINISTRATIVE, Exclusion.ATTENTION)
_NO_FLOATS: Final = np.zeros((0, 0), dtype=np.float64)
_NO_BYTES: Final = np.zeros((0, 0), dtype=np.uint8)


def read_only(values: AnyArray) -> AnyArray:
    """A view that cannot be written (also of a memory map): one compiled kernel serves every origin."""
    view = np.asarray(values).view()
    view.flags.writeable = False
    return view


@njit(nogil=True, cache=True)
def _judge_rows(
    first: int,
    last: int,
    listed: AnyArray,
    markets: AnyArray,
    traded: AnyArray,
    ages: AnyArray,
    closes: AnyArray,
    values: AnyArray,
    administrative: AnyArray,
    attention: AnyArray,
    market_ok: BoolArray,
    symbol_ok: BoolArray,
    need_trade: bool,
    min_age: int,
    min_price: int,
    min_value: float,
    out: BoolArray,
) -> None:
    for t in range(first, last):
        for s in range(out.shape[1]):
            ok = listed[t, s] and symbol_ok[s] and market_ok[markets[t, s]]
            if ok and need_trade:
                ok = traded[t, s]
            if ok and min_age > 0:
                ok = ages[t, s] >= min_age
            if ok and min_price > 0:
                ok = closes[t, s] >= min_price
            if ok and min_value > 0.0:
                ok = values[t, s] >= min_value  # unknown (NaN) is not enough
            if ok and administrative.shape[0] > 0:
                ok = administrative[t, s] != 1  # 255, unknown, does not exclude
            if ok and attention.shape[0] > 0:
                ok = attention[t, s] != 1
            out[t, s] = ok


@njit(nogil=True, cache=True)
def _keep_largest_rows(first: int, last: int, values: AnyArray, skip: int, count: int, out: BoolArray) -> None:
    n_symbols = out.shape[1]
    scratch = np.empty(n_symbols, dtype=np.float64)
    symbols = np.empty(n_symbols, dtype=np.int64)
    for t in range(first, last):
        written, _, _ = order_row(t, out, out, values, 1.0, KEEP_TOP, skip + count, n_symbols, scratch, symbols)
        out[t, :] = False
        for i in range(skip, written):
            out[t, symbols[i]] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needs:
    """Fields a universe reads besides those every panel has; (0, 0) where not asked for."""

    values: FloatArray
    largest: AnyArray


def universe_mask(
    panel: Panel, universe: Universe, source: FormulaSource, *, should_cancel: ShouldCancel | None = None
) -> BoolArray:
    """Symbols that may be bought, as of each session.

    Parameters
    ----------
    panel : bars and flags
    universe : the document's part
    source : computes the 20-session mean traded value where it is asked for

    Returns
    -------
    (n_sessions, n_symbols) bool. A flag that is unknown does not exclude; a quantity that is unknown (mean traded value
    before 20 sessions, market cap) does not reach a minimum and is not among the largest. An index, a theme, and a
    sector of which dated lists are loaded have the members of their last list at or before the session, and none before
    the first.

    Raises
    ------
    InputError
        The panel lacks what is asked for: lists of an index or theme, market cap, or every one of the symbols named.
    """
    _require_known(panel, universe)
    needs = _compute_needs(panel, universe, source)
    fields = panel.fields
    out = np.empty((panel.n_sessions, panel.n_symbols), dtype=np.bool_)
    excluded = set(universe.exclude)
    flags = [
        read_only(fields[name]) if exclusion in excluded and name in fields else read_only(_NO_BYTES)
        for exclusion, name in ((each, FLAG_FIELDS[each]) for each in _IN_KERNEL)
    ]
    more_flags = [
        fields[name]
        for exclusion, name in (*FLAG_FIELDS.items(), (Exclusion.HALTED, HALT_FIELD))
        if exclusion in excluded and exclusion not in _IN_KERNEL and name in fields
    ]
    static = _symbols_allowed(panel, universe)
    market_ok = np.zeros(len(MARKET_CODES), dtype=np.bool_)
    market_ok[[MARKET_CODES[market.value] for market in universe.markets]] = True
    bars: list[Any] = [
        read_only(fields[name]) for name in ("listed", "market", "traded", "list_age", panel.order_fields[3])
    ]
    rows: Any = _judge_rows  # numba's types do not follow unpacked arguments

    def judge(first: int, last: int) -> None:
        rows(
            first,
            last,
            *bars,
            read_only(needs.values),
            *flags,
            market_ok,
            static,
            Exclusion.HALTED in excluded,
            universe.min_listed_sessions,
            universe.min_price_krw,
            float(universe.min_trading_value_krw),
            out,
        )
        for flag in more_flags:
            out[first:last] &= flag[first:last] != 1
        _keep_listed_members(panel, universe, first, last, out[first:last])
        if universe.top is not None:
            _keep_largest_rows(first, last, read_only(needs.largest), universe.top.skip, universe.top.count, out)

    in_blocks(0, panel.n_sessions, judge, should_cancel=should_cancel)
    return out


def unknown_flags(panel: Panel, universe: Universe, mask: BoolArray, first: int, last: int) -> Mapping[str, int]:
    """Symbol-sessions in the universe of [first, last) for which an asked exclusion is unknown, by exclusion."""
    if panel.basis is PriceBasis.COIN:
        return {}  # coins have no such flags
    members = mask[first:last]
    total = int(np.count_nonzero(members))
    counts: dict[str, int] = {}
    for exclusion in sorted(set(universe.exclude)):
        if exclusion in FLAG_FIELDS:
            field = panel.fields.get(FLAG_FIELDS[exclusion])
            counts[exclusion.value] = (
                total if field is None else int(np.count_nonzero(members & (field[first:last] == 255)))
            )
        elif exclusion in _KINDS or exclusion is Exclusion.FINANCIAL:
            unknown = (
                panel.sector_codes()[0] < 0
                if exclusion is Exclusion.FINANCIAL
                else np.asarray(panel.instruments.kinds) == KIND_CODES[""]
            )
            counts[exclusion.value] = int(np.count_nonzero(members[:, unknown])) if unknown.any() else 0
    return counts


def unknown_lists(panel: Panel, universe: Universe, first: int, last: int) -> Mapping[str, int]:
    """Sessions of [first, last) on which the members of a group asked for are not known yet, by the group's name."""
    asked: list[tuple[str, str]] = [(INDEX, universe.index)] if universe.index is not None else []
    asked += [(THEME, name) for name in universe.themes]
    asked += [(SECTOR, name) for name in (*universe.sectors, *universe.exclude_sectors) if _dated(panel, name)]
    counts: dict[str, int] = {}
    for kind, name in asked:
        row = panel.memberships.first_row(kind, name)
        unknown = last - first if row is None else min(max(row - first, 0), last - first)
        if unknown:
            counts[name] = unknown
    return counts


def _dated(panel: Panel, sector: str) -> bool:
    return panel.memberships.first_row(SECTOR, sector) is not None


def _keep_listed_members(panel: Panel, universe: Universe, first: int, last: int, block: BoolArray) -> None:
    """Leave who is not a member of the index, themes and dated sectors asked for; ``block`` is rows [first, last)."""
    known = panel.memberships

    def members(kind: str, name: str) -> BoolArray:
        return known.mask(kind, name, first, last, panel.n_symbols)

    if universe.index is not None:
        block &= members(INDEX, universe.index)
    if universe.themes:
        block &= np.any([members(THEME, name) for name in universe.themes], axis=0)
    dated = [name for name in universe.sectors if _dated(panel, name)]
    if dated:
        others = np.isin(
            np.asarray(panel.instruments.sectors), [name for name in universe.sectors if name not in dated]
        )
        block &= np.any([members(SECTOR, name) for name in dated], axis=0) | others[None, :]
    for name in universe.exclude_sectors:
        if _dated(panel, name):
            block &= ~members(SECTOR, name)


def _require_known(panel: Panel, universe: Universe) -> None:
    lists = panel.memberships
    for name in universe.themes:
        if lists.first_row(THEME, name) is None:
            others = ", ".join(lists.names(THEME)[:5]) or "none"
            raise InputError(
                f"This snapshot has no list of the theme {name!r} (of others: {others}). Hint: import `members` files."
            )
    if universe.index is not None and lists.first_row(INDEX, universe.index) is None:
        raise InputError(
            f"This snapshot holds no members of {universe.index}. Hint: import a `members` file, or use `universe.top` "
            "by market cap."
        )
    if universe.symbols and not set(universe.symbols) & set(panel.symbols):
        raise InputError(
            f"None of the {len(universe.symbols)} symbols named is in this snapshot, such as {universe.symbols[0]}."
        )
    known = {*(name for name in panel.instruments.sectors if name), *lists.names(SECTOR)}
    unknown = sorted(set(universe.sectors) - known)
    if universe.sectors and len(unknown) == len(set(universe.sectors)):
        raise InputError(f"No symbol of this snapshot is in the sector {unknown[0]!r}.")


def _compute_needs(panel: Panel, universe: Universe, source: FormulaSource) -> _Needs:
    values, largest = _NO_FLOATS, _NO_FLOATS
    by_value = universe.top is not None and universe.top.by == "trading_value"
    if universe.min_trading_value_krw > 0 or by_value:
        (values,) = source.compute([Wanted(formula=MEAN_TRADED_VALUE, kind="value")])
    if by_value:
        largest = values
    elif universe.top is not None:
        if "mcap" not in panel.fields:
            raise InputError(
                "Market cap is unknown in this snapshot. Hint: use `universe.top.by` trading_value instead."
            )
        largest = panel.fields["mcap"]
    return _Needs(values=values, largest=largest)


def _symbols_allowed(panel: Panel, universe: Universe) -> BoolArray:
    """What does not change from session to session: symbols, sectors, kinds."""
    symbols = np.asarray(panel.symbols)
    sectors = np.asarray(panel.instruments.sectors)
    allowed = np.ones(panel.n_symbols, dtype=np.bool_)
    if universe.symbols:
        allowed &= np.isin(symbols, universe.symbols)
    if universe.sectors and not any(_dated(panel, name) for name in universe.sectors):
        allowed &= np.isin(sectors, universe.sectors)
    allowed &= ~np.isin(symbols, universe.exclude_symbols)
    undated = [name for name in universe.exclude_sectors if not _dated(panel, name)]
    if undated:
        allowed &= ~np.isin(sectors, undated)
    kinds = [KIND_CODES[_KINDS[exclusion]] for exclusion in universe.exclude if exclusion in _KINDS]
    allowed &= ~np.isin(np.asarray(panel.instruments.kinds), kinds)
    if Exclusion.FINANCIAL in universe.exclude:
        allowed &= ~panel.instruments.financial
    return allowed
