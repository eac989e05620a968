"""The rules of all owners: prices as quotes come, the rest when data came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from sqlalchemy import select

from stocklab.alerts.evaluate import Reading
from stocklab.alerts.judging import Checked, Fact, judge, note_trouble, tell
from stocklab.alerts.kinds import AlertKind
from stocklab.brokers.values import Quote
from stocklab.data.factor_cache import CachedSource
from stocklab.data.freshness import freshness_of
from stocklab.data.panel_open import open_panel
from stocklab.data.store import Store
from stocklab.db import AlertRuleRow, Database, DisclosureRow
from stocklab.errors import Cancelled, StockLabError
from stocklab.factors import Wanted
from stocklab.market.issue_flags import ISSUE_FLAGS, flag_field
from stocklab.market.panel import Panel
from stocklab.settings import Settings

__all__ = ["check_after_sync", "check_filings", "check_rules"]

_OLD_QUOTE: Final = timedelta(minutes=10)
_SEEN_WITHIN: Final = timedelta(days=3)
Names = Mapping[str, str]


def check_rules(database: Database, names: Names, quotes: Mapping[str, Quote], now: datetime) -> Checked:
    """Judge the price rules, and those about halts, of the symbols that have a quote.

    Parameters
    ----------
    names
        Symbol to the name that alerts show.
    quotes
        By symbol. One that is older than ten minutes is left alone.
    """
    fired = 0
    rules = _active(database, (AlertKind.PRICE, AlertKind.HALT), symbols=quotes)
    for rule in rules:
        quote = quotes[rule.symbol]
        if now - quote.at > _OLD_QUOTE:
            continue
        if rule.kind == AlertKind.PRICE:
            price = float(quote.price_krw)
            base = None if not quote.base_price_krw else float(quote.base_price_krw)
            fired += _judge_price(database, names, rule, (price, base), now)
        elif quote.halted:
            fired += tell(database, rule, [_halted(names, rule.symbol, "halted", now.date().isoformat())], now)
    return Checked(rules=len(rules), fired=fired)


def check_after_sync(
    database: Database, store: Store, settings: Settings, now: datetime, *, should_cancel: Callable[[], bool]
) -> Checked:
    """Judge the rules that live by the close: prices, indicators, flags, and how old the data are.

    Raises
    ------
    DataError
        The home holds no market data.
    Cancelled
        ``should_cancel`` said so; what fired until then is told.
    """
    panel = open_panel(store)
    names = dict(zip(panel.symbols, panel.instruments.names, strict=True))
    done = _stale(database, store, now)
    done += _closes(database, panel, names, now)
    source = CachedSource(
        panel,
        store.home,
        threads=max(1, settings.engine_threads - 1),
        budget_mb=settings.factor_cache_mb,
        should_cancel=should_cancel,
    )
    return done + _indicators(database, source, names, now, should_cancel)


def check_filings(database: Database, names: Names, now: datetime) -> Checked:
    """Judge the rules about filings by what was first seen in the last days; each filing is told once a rule."""
    rules = _active(database, (AlertKind.DISCLOSURE,))
    if not rules:
        return Checked()
    recent = select(DisclosureRow).where(
        DisclosureRow.published_on >= (now - 2 * _SEEN_WITHIN).date(), DisclosureRow.first_seen_at >= now - _SEEN_WITHIN
    )
    with database.read() as session:
        filings = session.scalars(recent.order_by(DisclosureRow.published_on, DisclosureRow.filing_no)).all()
    fired = 0
    for rule in rules:
        facts = [
            Fact(
                key=filing.filing_no,
                params={
                    "symbol": filing.symbol,
                    "name": names.get(filing.symbol, filing.symbol),
                    "title": filing.title,
                    "filed_on": filing.published_on.isoformat(),
                },
                link=f"company?symbol={filing.symbol}",
            )
            for filing in filings
            if filing.first_seen_at >= rule.created_at and _is_about(rule, filing)
        ]
        fired += tell(database, rule, facts, now) if facts else 0
    return Checked(rules=len(rules), fired=fired)


def _is_about(rule: AlertRuleRow, filing: DisclosureRow) -> bool:
    words, kinds = rule.condition["words"], rule.condition["kinds"]
    title = filing.title.casefold()
    return (
        (not rule.symbol or rule.symbol == filing.symbol)
        and (not kinds or filing.kind in kinds)
        and (not words or any(word.casefold() in title for word in words))
    )


def _active(
    database: Database, kinds: Sequence[AlertKind], *, symbols: Mapping[str, object] | None = None
) -> list[AlertRuleRow]:
    """Rules of all owners that are not paused, in a stable order."""
    statement = select(AlertRuleRow).where(AlertRuleRow.kind.in_([kind.value for kind in kinds]), AlertRuleRow.active)
    with database.read() as session:
        rows = session.scalars(statement.order_by(AlertRuleRow.id)).all()
    return [row for row in rows if symbols is None or row.symbol in symbols]


def _judge_price(
    database: Database, names: Names, rule: AlertRuleRow, prices: tuple[float, float | None], now: datetime
) -> bool:
    """``prices``: the price, and the one that the day's move counts from, if it is known."""
    price, base = prices
    move = None if base is None else (price / base - 1) * 100
    sense = str(rule.condition["sense"])
    is_move = sense in ("rises", "falls")
    params = {
        "symbol": rule.symbol,
        "name": names.get(rule.symbol, rule.symbol),
        "condition": sense,
        "limit": rule.condition["limit"],
        "value": (None if move is None else round(abs(move), 2)) if is_move else price,
        "unit": "percent" if is_move else "won",
    }
    fact = Fact(key=f"{rule.last_fired_at or ''}", params=params, link=f"company?symbol={rule.symbol}")
    return judge(database, rule, Reading(price_krw=price, move_percent=move), fact, now)


def _closes(database: Database, panel: Panel, names: Names, now: datetime) -> Checked:
    """Price rules by the newest close, flags by the newest session."""
    column_of = {symbol: column for column, symbol in enumerate(panel.symbols)}
    rules = _active(database, (AlertKind.PRICE, AlertKind.HALT), symbols=column_of)
    closes = panel.fields["close_raw" if "close_raw" in panel.fields else "close"]
    fired = 0
    for rule in rules:
        column = column_of[rule.symbol]
        if rule.kind == AlertKind.HALT:
            facts = [
                _halted(names, rule.symbol, flag, since)
                for flag in ISSUE_FLAGS
                if (since := _since(panel, flag, column))
            ]
            fired += tell(database, rule, facts, now) if facts else 0
        elif len(closes) > 1 and not np.isnan(closes[-1, column]):
            base = panel.fields["base_price"][-1, column] if "base_price" in panel.fields else closes[-2, column]
            known = None if np.isnan(base) or base <= 0 else float(base)
            fired += _judge_price(database, names, rule, (float(closes[-1, column]), known), now)
    return Checked(rules=len(rules), fired=fired)


def _since(panel: Panel, flag: str, column: int) -> str | None:
    """The first session of a flag that is set on the newest one; None where it is not."""
    field = panel.fields.get(flag_field(flag))
    if field is None or field[-1, column] != 1:
        return None
    off = np.flatnonzero(field[:, column] != 1)
    return str(panel.sessions[int(off[-1]) + 1 if len(off) else 0])


def _halted(names: Names, symbol: str, flag: str, since: str) -> Fact:
    params = {"symbol": symbol, "name": names.get(symbol, symbol), "flag": flag, "session": since}
    return Fact(key=f"{flag}:{since}", params=params, link=f"company?symbol={symbol}")


def _stale(database: Database, store: Store, now: datetime) -> Checked:
    snapshot = store.current()
    age = None if snapshot is None else freshness_of(snapshot, now)
    rules = _active(database, (AlertKind.DATA_STALE,))
    if age is None:
        return Checked(rules=len(rules))
    params = {"newest": age.last.isoformat(), "expected": (age.newest or age.last).isoformat(), "late": age.due}
    fact = Fact(key=age.last.isoformat(), params=params, link="data")
    fired = sum(
        judge(database, rule, Reading(holds=age.due >= int(rule.condition["sessions"])), fact, now) for rule in rules
    )
    return Checked(rules=len(rules), fired=fired)


def _indicators(
    database: Database, source: CachedSource, names: Names, now: datetime, should_cancel: Callable[[], bool]
) -> Checked:
    """Each formula is computed once, however many rules ask for it."""
    panel = source.panel
    column_of = {symbol: column for column, symbol in enumerate(panel.symbols)}
    by_formula: dict[str, list[AlertRuleRow]] = defaultdict(list)
    for rule in _active(database, (AlertKind.INDICATOR,), symbols=column_of):
        by_formula[str(rule.condition["formula"])].append(rule)
    session, done = str(panel.sessions[-1]), Checked()
    for formula, rules in sorted(by_formula.items()):
        if should_cancel():
            raise Cancelled("Told to stop between two formulas.")
        try:
            (holds,) = source.compute([Wanted(formula, "condition")])
        except Cancelled:
            raise
        except StockLabError as error:  # a formula that this version does not know: the others go on
            for rule in rules:
                note_trouble(database, rule, str(error), now)
            continue
        for rule in rules:
            params = {
                "symbol": rule.symbol,
                "name": names.get(rule.symbol, rule.symbol),
                "formula": formula,
                "session": session,
            }
            fact = Fact(key=session, params=params, link=f"company?symbol={rule.symbol}")
            reading = Reading(holds=bool(holds[-1, column_of[rule.symbol]]))
            done += Checked(rules=1, fired=int(judge(database, rule, reading, fact, now)))
    return done
