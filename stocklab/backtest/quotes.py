"""The session's bars of whatever is held or ordered, loaded once into compact records."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

import numpy as np

from stocklab.backtest import codes
from stocklab.backtest.compiled import part
from stocklab.backtest.layout import Record, Records
from stocklab.backtest.money import BILLION, whole_price
from stocklab.types import AnyArray, IntArray

__all__ = ["load_quotes"]


@part
def _load(
    rules: Records,
    quote: Record,
    t: int,
    r: int,
    opens: AnyArray,
    highs: AnyArray,
    lows: AnyArray,
    closes: AnyArray,
    volumes: AnyArray,
    traded: AnyArray,
    listed: AnyArray,
    markets: AnyArray,
    etf: AnyArray,
    percents: IntArray,
    taxes: IntArray,
    regimes: IntArray,
) -> None:
    """Everything a fill needs."""
    symbol = quote.symbol
    unit = rules[0].unit
    quote.full = 1
    quote.open = whole_price(opens[t, symbol], unit)
    quote.high = whole_price(highs[t, symbol], unit)
    quote.low = whole_price(lows[t, symbol], unit)
    quote.close = whole_price(closes[t, symbol], unit)
    quote.listed = 1 if listed[t, symbol] else 0
    quote.known = 1 if min(quote.open, quote.low) > 0 and quote.close > 0 and quote.high >= quote.low else 0
    quote.tradable = 1 if traded[t, symbol] and listed[t, symbol] else 0
    quote.volume = volumes[t, symbol]
    market = markets[t, symbol]
    quote.market = market
    quote.etf = 1 if etf[symbol] else 0
    quote.percent = percents[r, market]
    quote.regime = regimes[r, regimes.shape[1] - 1] if etf[symbol] else regimes[r, market]
    quote.tax = 0 if etf[symbol] and rules[0].flat_tax == 0 else taxes[r, market]
    if quote.base_krw == 0 and t > 0:
        quote.base_krw = whole_price(closes[t - 1, symbol], unit)


@part
def _glance(rule: Record, position: Record, quote: Record) -> bool:
    """What a quiet holding needs, its close and range; whether a trigger may fire, so that the rest is needed too.

    Most of a walk's time is waiting for memory: a quiet day reads three arrays instead of ten.
    """
    if rule.unit > 1:
        return True  # the thresholds below are in won; there are few coins
    quote.full = 0
    quote.close = whole_price(quote.seen_close, 1)
    quote.listed = 1 if quote.close > 0 else 0  # else everything is loaded, and known better
    quote.high = quote.close
    may_fire = quote.close == 0 or rule.sell_mode == codes.MODE_LIMIT  # a limit needs the tick table
    # a base that is not the last close rescales the references of the triggers before they are compared
    may_fire = may_fire or (quote.base_krw > 0 and quote.base_krw != position.last_close)
    if rule.target_basis == codes.INTRADAY:
        # the tick takes less than one percent or five won (of an ETF) off a target
        target = position.average * (1.0 + rule.target_level / BILLION)
        may_fire = may_fire or quote.seen_high >= target * 0.99 - 5.0
    if rule.stop_basis == codes.INTRADAY:
        may_fire = may_fire or quote.seen_low <= position.average * (1.0 - rule.stop_level / BILLION) + 1.0
    if rule.trailing_basis == codes.INTRADAY:
        quote.high = whole_price(quote.seen_high, 1)
        may_fire = may_fire or quote.seen_low <= position.high * (1.0 - rule.trailing_level / BILLION) + 1.0
    return may_fire  # type: ignore[no-any-return]


@part
def _signals(
    quote: Record, t: int, exit_code: AnyArray, entry_ok: AnyArray, ranks: AnyArray, bases: AnyArray, has_base: int
) -> None:
    symbol = quote.symbol
    quote.exit_code = exit_code[t, symbol] if exit_code.shape[0] > 0 else 0
    quote.entry_ok = entry_ok[t, symbol] if entry_ok.shape[0] > 0 else 1
    quote.rank = ranks[t, symbol] if ranks.shape[0] > 0 else np.nan
    quote.published_krw = whole_price(bases[t, symbol], 1) if has_base == 1 else 0
    quote.base_krw = quote.published_krw


@part
def load_quotes(
    rules: Records,
    book: Records,
    positions: Records,
    orders: Records,
    active: IntArray,
    quotes: Records,
    quote_of: IntArray,
    t: int,
    opens: AnyArray,
    highs: AnyArray,
    lows: AnyArray,
    closes: AnyArray,
    volumes: AnyArray,
    traded: AnyArray,
    listed: AnyArray,
    markets: AnyArray,
    bases: AnyArray,
    etf: AnyArray,
    percents: IntArray,
    taxes: IntArray,
    regimes: IntArray,
    exit_code: AnyArray,
    entry_ok: AnyArray,
    ranks: AnyArray,
    eventful: bool,
) -> None:
    """Replace yesterday's quotes by those of session ``t`` for every position and every order that is alive."""
    for q in range(book[0].n_quotes):
        quote_of[quotes[q].symbol] = -1
    n = 0
    r = t - book[0].first_session
    has_base = rules[0].has_base
    for i in range(book[0].n_active):
        symbol = orders[active[i]].symbol
        if quote_of[symbol] < 0:
            quote_of[symbol] = n
            quotes[n].symbol = symbol
            _signals(quotes[n], t, exit_code, entry_ok, ranks, bases, has_base)
            _load(
                rules, quotes[n], t, r, opens, highs, lows, closes, volumes, traded, listed, markets, etf,
                percents, taxes, regimes,
            )  # fmt: skip
            n += 1
    first_quiet = n
    with_range = rules[0].target_basis + rules[0].stop_basis + rules[0].trailing_basis > 0
    for k in range(book[0].n_positions):  # only loads, so that the processor waits for many of them at once
        symbol = positions[k].symbol
        if quote_of[symbol] < 0:
            quote_of[symbol] = n
            quotes[n].symbol = symbol
            quotes[n].slot = k
            quotes[n].seen_close = closes[t, symbol]
            if with_range:
                quotes[n].seen_high = highs[t, symbol]
                quotes[n].seen_low = lows[t, symbol]
            n += 1
        positions[k].quote = quote_of[symbol]
    for q in range(first_quiet, n):
        _signals(quotes[q], t, exit_code, entry_ok, ranks, bases, has_base)
        may_fire = _glance(rules[0], positions[quotes[q].slot], quotes[q])
        if may_fire or eventful:  # a share change moves the references of the triggers too
            _load(
                rules, quotes[q], t, r, opens, highs, lows, closes, volumes, traded, listed, markets, etf, percents,
                taxes, regimes,
            )  # fmt: skip
    book[0].n_quotes = n
