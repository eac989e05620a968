"""The universe filter by filter, for one symbol at one close."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from stocklab.backtest.universe import MEAN_TRADED_VALUE
from stocklab.factors import Wanted
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
_FLAGS: Final = {Exclusion.ADMINISTRATIVE: "flag_administrative", Exclusion.ATTENTION: "flag_attention"}
_UNKNOWN_FLAG: Final = 255
_KIND_NAMES: Final = {code: name for name, code in KIND_CODES.items()}
_MARKET_NAMES: Final = {code: name for name, code in MARKET_CODES.items()}


def filter_lines(view: RunView, t: int, column: int) -> tuple[FilterLine, ...]:
    """Every filter the document asks for, in the order in which the universe is judged."""
    lines = [*_listing(view, t, column), *_symbol_lines(view, column), *_quantities(view, t, column)]
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


def _symbol_lines(view: RunView, s: int) -> Iterator[FilterLine]:
    """What does not change from session to session: named symbols, sectors, kinds."""
    universe, known = view.strategy.universe, view.panel.instruments
    symbol, sector = view.panel.symbols[s], known.sectors[s]

    def by_sector(code: str, wanted: str | None, passes: bool) -> FilterLine:
        return FilterLine(code=code, wanted=wanted, found=sector or None, passes=passes, unknown=not sector)

    if universe.symbols:
        yield FilterLine(code="symbols", wanted=len(universe.symbols), found=symbol, passes=symbol in universe.symbols)
    if universe.sectors:
        yield by_sector("sectors", ", ".join(universe.sectors), sector in universe.sectors)
    if universe.exclude_symbols:
        passes = symbol not in universe.exclude_symbols
        yield FilterLine(code="exclude_symbols", wanted=len(universe.exclude_symbols), found=symbol, passes=passes)
    if universe.exclude_sectors:
        excluded = ", ".join(universe.exclude_sectors)
        passes = sector not in universe.exclude_sectors
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


def _quantities(view: RunView, t: int, s: int) -> Iterator[FilterLine]:
    panel, universe = view.panel, view.strategy.universe
    if Exclusion.HALTED in universe.exclude:
        yield FilterLine(code="exclude_halted", wanted=None, found=None, passes=bool(panel.fields["traded"][t, s]))
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


def _flags(view: RunView, t: int, s: int) -> list[FilterLine]:
    lines = []
    for exclusion, name in _FLAGS.items():
        if exclusion in view.strategy.universe.exclude:
            field = view.panel.fields.get(name)
            flag = _UNKNOWN_FLAG if field is None else int(field[t, s])
            lines.append(
                FilterLine(
                    code=f"exclude_{exclusion.value}",
                    wanted=None,
                    found=None,
                    passes=flag != 1,
                    unknown=flag == _UNKNOWN_FLAG,
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
    symbols, sectors = np.asarray(panel.symbols), np.asarray(known.sectors)
    passes = np.array(fields["listed"][t], dtype=np.bool_)
    passes &= np.isin(fields["market"][t], [MARKET_CODES[each.value] for each in universe.markets])
    if universe.symbols:
        passes &= np.isin(symbols, universe.symbols)
    if universe.sectors:
        passes &= np.isin(sectors, universe.sectors)
    passes &= ~np.isin(symbols, universe.exclude_symbols)
    passes &= ~np.isin(sectors, universe.exclude_sectors) if universe.exclude_sectors else True
    passes &= ~np.isin(known.kinds, [KIND_CODES[_KINDS[each]] for each in universe.exclude if each in _KINDS])
    if Exclusion.FINANCIAL in universe.exclude:
        passes &= ~known.financial
    if Exclusion.HALTED in universe.exclude:
        passes &= np.asarray(fields["traded"][t], dtype=np.bool_)
    if universe.min_listed_sessions > 0:
        passes &= np.asarray(fields["list_age"][t]) >= universe.min_listed_sessions
    if universe.min_price_krw > 0:
        passes &= np.asarray(fields[panel.order_fields[3]][t], dtype=np.float64) >= universe.min_price_krw
    if universe.min_trading_value_krw > 0:
        passes &= _traded_value(view, t) >= universe.min_trading_value_krw
    for exclusion, name in _FLAGS.items():
        if exclusion in universe.exclude and name in fields:
            passes &= np.asarray(fields[name][t]) != 1
    return passes


def _traded_value(view: RunView, t: int) -> FloatArray:
    (values,) = view.source.compute([Wanted(MEAN_TRADED_VALUE, "value")])
    row: FloatArray = np.asarray(values[t], dtype=np.float64)
    return row
