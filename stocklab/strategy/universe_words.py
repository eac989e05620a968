"""The universe of a strategy in words."""

from __future__ import annotations

from stocklab.strategy.document import TopBy, Universe
from stocklab.strategy.korean import with_particle
from stocklab.strategy.labels import Language, money
from stocklab.strategy.phrases import listed, named, pick

__all__ = ["describe_universe"]


def describe_universe(universe: Universe, language: Language) -> str:
    """The stocks or coins looked at, and those left out."""
    markets = listed([named(market, language) for market in universe.markets], language)
    if universe.index is not None:
        markets = named(universe.index, language)
    limits = _universe_limits(universe, language)
    exclude = [named(flag, language) for flag in universe.exclude] + [*universe.exclude_sectors]
    exclude += universe.exclude_symbols
    left_out = ""
    if exclude:
        names = listed(exclude, language)
        left_out = pick(language, f" {with_particle(names, '은/는')} 뺀다.", f" Left out: {names}.")
    top = _top(universe.top, language) if universe.top is not None else ""
    if language == "ko":
        what = "코인" if universe.of_coins else "종목"
        among = f"{markets} {what} 가운데 {', '.join(limits)} {what}" if limits else f"{markets} {what}"
        return f"대상: {among}{top}.{left_out}"
    what = "coins" if universe.of_coins else "stocks"
    among = f"{markets} {what}" + (f" with {', '.join(limits)}" if limits else "")
    return f"Universe: {among}{top}.{left_out}"


def _universe_limits(universe: Universe, language: Language) -> list[str]:
    limits = []
    if universe.sectors or universe.themes:
        names = listed([*universe.sectors, *universe.themes], language)
        limits.append(pick(language, f"업종·테마가 {names}인", f"sector or theme {names}"))
    if universe.symbols:
        codes = listed(universe.symbols, language)
        limits.append(pick(language, f"코드가 {codes}인", f"code {codes}"))
    if universe.min_listed_sessions:
        days = universe.min_listed_sessions
        limits.append(pick(language, f"상장 후 {days}거래일 이상 지난", f"at least {days} sessions since listing"))
    if universe.min_trading_value_krw:
        amount = money(universe.min_trading_value_krw, language)
        limits.append(
            pick(language, f"20일 평균 거래대금이 {amount} 이상인", f"20-session mean traded value >= {amount}")
        )
    if universe.min_price_krw:
        amount = money(universe.min_price_krw, language)
        limits.append(pick(language, f"주가가 {amount} 이상인", f"price >= {amount}"))
    return limits


def _top(top: TopBy, language: Language) -> str:
    by = named(top.by, language)
    first, last = top.skip + 1, top.skip + top.count
    if language == "ko":
        return f" 중 {by} 상위 {last}위까지" if top.skip == 0 else f" 중 {by} {first}위부터 {last}위까지"
    return f", the {last} largest by {by}" if top.skip == 0 else f", places {first} to {last} by {by}"
