"""The universe filter by filter, for one symbol at one close."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from stocklab.backtest.universe import FLAG_FIELDS, HALT_FIELD, MEAN_TRADED_VALUE
from stocklab.factors import Wanted
from stocklab.market.issue_flags import UNKNOWN_FLAG
from stocklab.market.memberships import INDEX, SECTOR, THEME
from stocklab.market.panel import KIND_CODES, MARKET_CODES
from stocklab.research.explain.values import FilterLine
from stocklab.research.explain.view import RunView
from stocklab.strategy.document import Exclusion
from stocklab.types import AnyArray, BoolArray, FloatArray

__all__ = ["filter_lines"]

_KINDS: Final = {
    Exclusion.PREFERRED: "preferred",
    Exclusion.SPAC: "spac",
    Exclusion.REIT: "reit",
    Exclusion.ETF: "etf",
    Exclusion.FOREIGN: "foreign",
}
_KIND_NAMES: Final = {code: name for name, code in KIND_CODES.items()}
_MARKET_NAMES: Final = {code: name for name, code in MARKET_CODES.items()}


def filter_lines(view: RunView, t: int, column: int) -> tuple[FilterLine, ...]:
    """Every filter the document asks for, in the order in which the universe is judged."""
    lines = [
        *_listing(view, t, column),
        *_symbol_lines(view, t, column),
        *_lists(view, t, column),
        *_quantities(view, t, column),
    ]
    lines += _flags(view, t, column)
    top = _top(view, t, column, all(line.passes for line in lines))
    return (*lines, *top)


def _listing(view: RunView, t: int, s: int) -> Iterator[FilterLine]:
    fields, universe = view.panel.fields, view.strategy.universe
    yield FilterLine(code="listed", wanted=None, found=None, passes=bool(fields["listed"][t, s]))
    market = _MARKET_NAMES[int(fields["market"][t, s])]
    wanted = [each.value for each in universe.markets]
    yield FilterLine(
        code="market", wanted=", ".join(wanted), found=market or None, passes=market in wanted, unknown=not market
    )


def _symbol_lines(view: RunView, t: int, s: int) -> Iterator[FilterLine]:
    """Named symbols, sectors (as of the date where they have dated lists), kinds."""
    universe, known = view.strategy.universe, view.panel.instruments
    symbol, sector = view.panel.symbols[s], known.sectors[s]

    def by_sector(code: str, wanted: str | None, passes: bool) -> FilterLine:
        return FilterLine(code=code, wanted=wanted, found=sector or None, passes=passes, unknown=not sector)

    if universe.symbols:
        yield FilterLine(code="symbols", wanted=len(universe.symbols), found=symbol, passes=symbol in universe.symbols)
    if universe.sectors:
        yield by_sector("sectors", ", ".join(universe.sectors), _in_sectors(view, t, s, universe.sectors))
    if universe.exclude_symbols:
        passes = symbol not in universe.exclude_symbols
        yield FilterLine(code="exclude_symbols", wanted=len(universe.exclude_symbols), found=symbol, passes=passes)
    if universe.exclude_sectors:
        excluded = ", ".join(universe.exclude_sectors)
        passes = not _in_sectors(view, t, s, universe.exclude_sectors)
        yield by_sector("exclude_sectors", excluded, passes)
    kind = _KIND_NAMES[int(known.kinds[s])]
    for exclusion in universe.exclude:
        if exclusion in _KINDS:
            yield FilterLine(
                code=f"exclude_{exclusion.value}",
                wanted=None,
                found=kind or None,
                passes=kind != _KINDS[exclusion],
                unknown=not kind,
            )
        elif exclusion is Exclusion.FINANCIAL:
            passes = not known.financial[s]
            yield by_sector("exclude_financial", None, passes)


def _in_sectors(view: RunView, t: int, s: int, names: Sequence[str]) -> bool:
    """Whether a symbol is in one of the sectors: by its last dated list, else by its industry."""
    for name in names:
        if view.panel.memberships.first_row(SECTOR, name) is None:
            if view.panel.instruments.sectors[s] == name:
                return True
        elif _listed_in(view, t, s, SECTOR, name):
            return True
    return False


def _listed_in(view: RunView, t: int, s: int, kind: str, name: str) -> bool | None:
    """Whether the last list of a group names the symbol; None before its first."""
    members = view.panel.memberships.members(kind, name, t)
    return None if members is None else bool(np.isin(s, members))


def _lists(view: RunView, t: int, s: int) -> Iterator[FilterLine]:
    """Membership of the index and of a theme."""
    universe = view.strategy.universe
    for kind, names in ((INDEX, [universe.index] if universe.index else []), (THEME, universe.themes)):
        if names:
            inside = [_listed_in(view, t, s, kind, name) for name in names]
            held = [name for name, listed in zip(names, inside, strict=True) if listed]
            yield FilterLine(
                code=kind,
                wanted=", ".join(names),
                found=", ".join(held) or None,
                passes=bool(held),
                unknown=not held and None in inside,
            )


def _quantities(view: RunView, t: int, s: int) -> Iterator[FilterLine]:
    panel, universe = view.panel, view.strategy.universe
    if Exclusion.HALTED in universe.exclude:
        passes = bool(panel.fields["traded"][t, s]) and not _flag_is_on(view, HALT_FIELD, t, s)
        yield FilterLine(code="exclude_halted", wanted=None, found=None, passes=passes)
    least: list[tuple[str, float, AnyArray]] = []
    if universe.min_listed_sessions > 0:
        least.append(("min_listed_sessions", universe.min_listed_sessions, panel.fields["list_age"][t]))
    if universe.min_price_krw > 0:
        least.append(("min_price_krw", universe.min_price_krw, panel.fields[panel.order_fields[3]][t]))
    if universe.min_trading_value_krw > 0:
        least.append(("min_trading_value_krw", universe.min_trading_value_krw, _traded_value(view, t)))
    for code, wanted, values in least:
        value = float(values[s])
        unknown = math.isnan(value)
        found = None if unknown else value
        yield FilterLine(code=code, wanted=wanted, found=found, passes=bool(value >= wanted), unknown=unknown)


def _flag_is_on(view: RunView, name: str, t: int, s: int) -> bool:
    return name in view.panel.fields and int(view.panel.fields[name][t, s]) == 1


def _flags(view: RunView, t: int, s: int) -> list[FilterLine]:
    lines = []
    for exclusion, name in FLAG_FIELDS.items():
        if exclusion in view.strategy.universe.exclude:
            field = view.panel.fields.get(name)
            flag = UNKNOWN_FLAG if field is None else int(field[t, s])
            lines.append(
                FilterLine(
                    code=f"exclude_{exclusion.value}",
                    wanted=None,
                    found=None,
                    passes=flag != 1,
                    unknown=flag == UNKNOWN_FLAG,
                )
            )
    return lines


def _top(view: RunView, t: int, s: int, passes_before: bool) -> list[FilterLine]:
    """The largest of what is left: ``found`` is the place among them."""
    top = view.strategy.universe.top
    if top is None:
        return []
    values = _traded_value(view, t) if top.by == "trading_value" else np.asarray(view.panel.fields["mcap"][t])
    values = np.asarray(values, dtype=np.float64)
    code = f"top_{top.by}"
    wanted = f"{top.skip + 1}-{top.skip + top.count}"
    if not passes_before:
        return [FilterLine(code=code, wanted=wanted, found=None, passes=False)]
    if math.isnan(values[s]):
        return [FilterLine(code=code, wanted=wanted, found=None, passes=False, unknown=True)]
    others = _before_top(view, t) & ~np.isnan(values)
    place = 1 + int(np.count_nonzero(others & (values > values[s])))
    place += int(np.count_nonzero(others[:s] & (values[:s] == values[s])))  # ties by symbol
    passes = top.skip < place <= top.skip + top.count
    return [FilterLine(code=code, wanted=wanted, found=place, passes=passes)]


def _before_top(view: RunView, t: int) -> BoolArray:
    """Every symbol that passes the filters before the last, by the same rules over whole rows."""
    panel, universe = view.panel, view.strategy.universe
    fields, known = panel.fields, panel.instruments
    symbols = np.asarray(panel.symbols)
    passes = np.array(fields["listed"][t], dtype=np.bool_)
    passes &= np.isin(fields["market"][t], [MARKET_CODES[each.value] for each in universe.markets])
    if universe.symbols:
        passes &= np.isin(symbols, universe.symbols)
    passes &= ~np.isin(symbols, universe.exclude_symbols)
    if universe.sectors:
        passes &= _any_sector(view, t, universe.sectors)
    if universe.exclude_sectors:
        passes &= ~_any_sector(view, t, universe.exclude_sectors)
    for kind, names in ((INDEX, [universe.index] if universe.index else []), (THEME, universe.themes)):
        if names:
            passes &= np.any([_listed(view, t, kind, name) for name in names], axis=0)
    passes &= ~np.isin(known.kinds, [KIND_CODES[_KINDS[each]] for each in universe.exclude if each in _KINDS])
    if Exclusion.FINANCIAL in universe.exclude:
        passes &= ~known.financial
    if Exclusion.HALTED in universe.exclude:
        passes &= np.asarray(fields["traded"][t], dtype=np.bool_)
        passes &= np.asarray(fields[HALT_FIELD][t]) != 1 if HALT_FIELD in fields else True
    if universe.min_listed_sessions > 0:
        passes &= np.asarray(fields["list_age"][t]) >= universe.min_listed_sessions
    if universe.min_price_krw > 0:
        passes &= np.asarray(fields[panel.order_fields[3]][t], dtype=np.float64) >= universe.min_price_krw
    if universe.min_trading_value_krw > 0:
        passes &= _traded_value(view, t) >= universe.min_trading_value_krw
    for exclusion, name in FLAG_FIELDS.items():
        if exclusion in universe.exclude and name in fields:
            passes &= np.asarray(fields[name][t]) != 1
    return passes


def _any_sector(view: RunView, t: int, names: Sequence[str]) -> BoolArray:
    """Symbols in one of the sectors."""
    sectors, lists = np.asarray(view.panel.instruments.sectors), view.panel.memberships
    undated = [name for name in names if lists.first_row(SECTOR, name) is None]
    inside: BoolArray = np.isin(sectors, undated)
    for name in names:
        if name not in undated:
            inside |= _listed(view, t, SECTOR, name)
    return inside


def _listed(view: RunView, t: int, kind: str, name: str) -> BoolArray:
    """Symbols in the last list of a group."""
    inside = np.zeros(view.panel.n_symbols, dtype=np.bool_)
    members = view.panel.memberships.members(kind, name, t)
    if members is not None:
        inside[members] = True
    return inside


def _traded_value(view: RunView, t: int) -> FloatArray:
    (values,) = view.source.compute([Wanted(MEAN_TRADED_VALUE, "value")])
    row: FloatArray = np.asarray(values[t], dtype=np.float64)
    return row
