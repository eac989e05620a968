"""Random small markets with everything that goes wrong in real ones, as plain rows and arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from reference.documents import ITEMS
from reference.evaluator import Market
from reference.statements import Filings
from stocklab.market import calendar

__all__ = ["Shape", "random_market"]

INCOME: Final = [
    "revenue",
    "cogs",
    "gross_profit",
    "sga",
    "operating_income",
    "interest_expense",
    "pretax_income",
    "income_tax",
    "net_income",
    "net_income_parent",
    "rnd_expense",
]
YEAR_TO_DATE: Final = [
    "dep_amort",
    "cfo",
    "cfi",
    "cff",
    "capex",
    "dividends_paid",
    "share_repurchase",
    "share_issuance",
    "dps",
]
STOCKS: Final = [item for item, kind in ITEMS.items() if kind == "stock"]
CONSOLIDATED_ONLY: Final = frozenset({"net_income_parent", "equity_parent", "minority"})
WHOLE: Final = frozenset({"open", "high", "low", "close", "volume", "split_ratio"})  # fields without random gaps
FIRST: Final = date(2017, 3, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large a market is, how long its past of filings, and how often something is wrong with it."""

    sessions: int
    symbols: int
    quarters: int
    trouble: float = 1.0  # 0 = clean data; multiplies every probability of a gap, a late or missing report, ...


def exchange_days(first: date, last: date) -> list[date]:
    return list(calendar.sessions_between(first, last, expected=True).astype(object))


def random_market(seed: int, shape: Shape) -> Market:
    """The same market for the same seed and shape."""
    rng = np.random.default_rng(seed)
    sessions = exchange_days(FIRST, FIRST + timedelta(days=2 * shape.sessions + 30))[: shape.sessions]
    symbols = [f"{100 * (j + 1):06d}" for j in range(shape.symbols)]
    size = (shape.sessions, shape.symbols)
    listed = listing(rng, size, shape.trouble)
    market = np.empty(size, dtype=object)
    for j in range(shape.symbols):
        market[:, j] = ["KOSPI", "KOSDAQ", "KOSPI", "KOSDAQ", "KONEX", "KOSPI", "KOSDAQ", "KOSPI"][j % 8]
    if shape.trouble and shape.symbols > 3:
        market[shape.sessions // 2 :, 3] = "KOSPI"
    events = share_events(rng, sessions, symbols, shape)
    return Market(
        sessions=sessions,
        symbols=symbols,
        fields=daily_fields(rng, sessions, symbols, listed, events, shape.trouble),
        listed=listed,
        market=market,
        indices={
            name: level * np.exp(np.cumsum(rng.normal(0, 0.01, shape.sessions)))
            for name, level in (("KOSPI", 2000), ("KOSDAQ", 700))
        },
        rf=np.round(rng.uniform(0.0001, 0.0002, shape.sessions), 8),
        sectors=tuple("B" if j % 7 == 6 else "A" for j in range(shape.symbols)),
        financial=tuple(j == 5 for j in range(shape.symbols)),
        calendar=exchange_days(FIRST.replace(day=1), sessions[-1] + timedelta(days=40)),
        filings=Filings(list(statements(rng, sessions, symbols, shape)), events),
    )


def listing(rng: Any, size: tuple[int, int], trouble: float) -> Any:
    """Late listings, early ends, one hole, one symbol that never traded."""
    listed = np.ones(size, dtype=bool)
    n_sessions, n_symbols = size
    if trouble:
        listed[: n_sessions // 5, 1 % n_symbols] = False
        listed[n_sessions - n_sessions // 6 :, 2 % n_symbols] = False
        hole = int(rng.integers(n_sessions // 4, n_sessions // 2))
        listed[hole : hole + 3, n_symbols - 1] = False
    return listed


def share_events(rng: Any, sessions: list[date], symbols: list[str], shape: Shape) -> list[dict[str, Any]]:
    """Splits and the like, within the sessions and in the years before; and events that change no count."""
    kinds = {"split": 5.0, "consolidation": 0.1, "bonus": 1.3, "reduction": 0.5, "rights": 1.2, "spin_off": 0.7}
    found = []
    for symbol in symbols:
        for kind, ratio in kinds.items():
            if rng.random() < 0.35 * shape.trouble:
                back = int(rng.integers(1, 45 * shape.quarters))
                inside = sessions[int(rng.integers(0, len(sessions)))]
                day = inside if rng.random() < 0.5 else sessions[0] - timedelta(days=back)
                found.append({"session": day, "symbol": symbol, "kind": kind, "ratio": ratio})
    return found


def daily_fields(
    rng: Any, sessions: list[date], symbols: list[str], listed: Any, events: list[dict[str, Any]], trouble: float
) -> dict[str, Any]:
    """Prices on ticks with ties, halts and unknown values; market fields with gaps."""
    size = listed.shape
    close = 10 * np.round(np.clip(1500 * np.exp(np.cumsum(rng.normal(0, 0.025, size), axis=0)), 100, 10**6))
    halted = rng.random(size) < 0.02 * trouble
    if trouble:
        start = int(rng.integers(5, size[0] - 10))
        halted[start : start + size[0] // 7, 0] = True
    halted[0] = False
    for t in range(1, size[0]):
        close[t, halted[t]] = close[t - 1, halted[t]]
    opening = np.where(halted, close, 10 * np.round(close * rng.uniform(0.98, 1.02, size) / 10))
    high = np.where(halted, close, np.maximum(opening, close) + 10 * rng.integers(0, 9, size))
    low = np.where(halted, close, np.minimum(opening, close) - 10 * rng.integers(0, 9, size))
    volume = np.where(halted, 0, rng.integers(1, 10**6, size)).astype(float)
    split = np.ones(size)
    for event in events:
        if event["kind"] in ("split", "consolidation") and event["session"] in sessions:
            split[sessions.index(event["session"]), symbols.index(event["symbol"])] *= event["ratio"]
    shares = np.round(rng.uniform(1e6, 1e8, size[1])) * np.ones(size)
    common = {name: rng.normal(0, 0.006, (size[0], 1)) * np.ones(size) for name in ("smb", "hml")}
    flows = {name: np.round(rng.normal(0, 1e9, size)) for name in ("frgn_net", "inst_net", "pension_net")}
    fields = {
        "open": opening, "high": high, "low": low, "close": close, "volume": volume,
        "open_raw": opening, "high_raw": high, "low_raw": low, "close_raw": close, "volume_raw": volume,
        "tv": np.round(close * volume * rng.uniform(0.99, 1.01, size)),
        "mcap": close * shares,
        "mcap_pref": np.where(np.arange(size[1]) % 3 == 0, 0.1, 0.0) * close * shares,
        "shares_listed": shares,
        "shares_float": np.round(shares * rng.uniform(0.3, 0.8, size[1])),
        "shares_treasury": np.round(shares * 0.03),
        "split_ratio": split,
        "list_age": np.cumsum(listed, axis=0).astype(float),
        "frgn_shares": np.round(shares * rng.uniform(0.1, 0.3, size)),
        "short_vol": np.round(volume * rng.uniform(0, 0.2, size)),
        "short_bal": np.round(shares * rng.uniform(0, 0.02, size)),
        **common, **flows,
    }  # fmt: skip
    for name, values in fields.items():
        gaps = rng.random(size) < 0.004 * trouble * (name not in WHOLE)
        fields[name] = np.where(listed & ~gaps, values, np.nan)
    if trouble:
        hole = int(rng.integers(0, size[0]))
        for name in ("open", "high", "low", "close", "volume"):  # a bar nobody knows
            fields[name][hole, 1 % size[1]] = np.nan
    return fields


# --- filings ----------------------------------------------------------------------------------------------------------


def statements(rng: Any, sessions: list[date], symbols: list[str], shape: Shape) -> Iterator[dict[str, Any]]:
    """Every symbol its own habits; one of them never files."""
    for j, symbol in enumerate(symbols):
        if shape.trouble and j == shape.symbols - 1 and shape.symbols > 5:
            continue
        habits = {
            "month": [12, 12, 3, 12, 12, 6, 2, 12][j % 8],  # in which the fiscal year ends
            "basis": ["CFS", "OFS", "CFS", "change", "OFS", "both", "CFS", "CFS"][j % 8],
            "income": ["three", "both", "to_date", "both", "both", "both", "both", "three"][j % 8],
            "annual": j % 8 == 4,
        }
        yield from filer(rng, sessions, symbol, habits, shape)


def quarter_ends(last: date, month: int, count: int) -> list[tuple[date, int, int]]:
    """(period end, fiscal year, fiscal quarter) of ``count`` quarters up to ``last``, for a year ending in a month."""
    found = []
    year, at = last.year, last.month
    while len(found) < count:
        following = date(year + at // 12, at % 12 + 1, 1)
        end = following - timedelta(days=1)
        back = (month - at) % 12
        if back % 3 == 0 and end <= last:
            found.append((end, year + (at + back > 12), 4 - back // 3))
        year, at = (year, at - 1) if at > 1 else (year - 1, 12)
    return found[::-1]


def filer(
    rng: Any, sessions: list[date], symbol: str, habits: dict[str, Any], shape: Shape
) -> Iterator[dict[str, Any]]:
    """Reports of one company: discrete amounts drawn, then written the way it files them, late, amended or not at all."""
    ends = quarter_ends(sessions[-1], habits["month"], shape.quarters)
    scale = {item: float(np.exp(rng.normal(24, 0.3))) for item in ITEMS}
    scale |= {"shares_issued": 2e7, "dps": 300.0, "revenue": 1e12, "total_assets": 4e12, "total_equity": 2e12}
    scale |= {"current_assets": 9e11, "equity_parent": 1.9e12, "gross_profit": 3e11, "cfo": 2e11}
    sofar: dict[tuple[str, str], float] = {}
    for place, (end, year, quarter) in enumerate(ends):
        bases = {"both": ["CFS", "OFS"], "change": ["OFS"] if place < len(ends) // 2 else ["CFS"]}
        for basis in bases.get(habits["basis"], [habits["basis"]]):
            items = [item for item in ITEMS if basis == "CFS" or item not in CONSOLIDATED_ONLY]
            growth = 1 + 0.02 * place
            drawn = {item: draw(rng, item, scale[item] * growth) for item in items}
            for item in INCOME + YEAR_TO_DATE:
                sofar[basis, item] = drawn.get(item, 0.0) + (sofar.get((basis, item), 0.0) if quarter > 1 else 0.0)
            if rng.random() < 0.03 * shape.trouble or (habits["annual"] and quarter < 4):
                continue
            lines = [
                (item, months, amount)
                for item, months, amount in written(
                    drawn, {i: sofar[basis, i] for i in INCOME + YEAR_TO_DATE}, quarter, habits
                )
                if rng.random() >= 0.004 * shape.trouble
            ]
            head = {"symbol": symbol, "fiscal_year": year, "fiscal_quarter": quarter, "statement_basis": basis}
            yield from versions(rng, head, end, lines, shape.trouble)
            if habits["basis"] == "change" and 0 <= place - len(ends) // 2 < 3 and place >= 4:
                past = ends[place - 4]  # comparative columns: the year before in the new basis
                old = {"symbol": symbol, "fiscal_year": past[1], "fiscal_quarter": past[2], "statement_basis": basis}
                yield from versions(rng, old, past[0], lines, 0.0, filed=end + timedelta(days=45))


def draw(rng: Any, item: str, size: float) -> float:
    """An amount of one quarter, whole won; incomes are sometimes losses, some payments sometimes nothing."""
    amount = size * float(rng.lognormal(0, 0.25))
    if item in ("pretax_income", "net_income", "net_income_parent", "cfo", "operating_income") and rng.random() < 0.12:
        amount = -0.3 * amount
    if item in ("dps", "share_issuance", "share_repurchase") and rng.random() < 0.4:
        return 0.0
    if item == "shares_issued":
        return float(round(size))
    return float(round(-amount if item in ("cfi",) else amount))


def written(
    drawn: dict[str, float], to_date: dict[str, float], quarter: int, habits: dict[str, Any]
) -> Iterator[tuple[str, int, float]]:
    """(item, months, amount) as this filer writes them (4.2)."""
    for item, amount in drawn.items():
        if item in STOCKS:
            yield item, 0, amount
        elif item in YEAR_TO_DATE:
            yield item, 3 * quarter, to_date[item]
        elif item in INCOME:
            if quarter == 1 or (quarter < 4 and habits["income"] in ("three", "both")):
                yield item, 3, amount
            if quarter > 1 and (quarter == 4 or habits["income"] in ("to_date", "both")):
                yield item, 3 * quarter, to_date[item]


def versions(
    rng: Any,
    head: dict[str, Any],
    end: date,
    lines: list[tuple[str, int, float]],
    trouble: float,
    filed: date | None = None,
) -> Iterator[dict[str, Any]]:
    """The report, and sometimes a corrected one that changes some of the numbers later."""
    first = filed or end + timedelta(days=int(rng.choice([40, 45, 47, 88, 92])))
    if rng.random() < 0.06 * trouble:
        first += timedelta(days=int(rng.integers(60, 400)))
    for item, months, amount in lines:
        yield {**head, "period_end": end, "filed_on": first, "item": item, "months": months, "amount": amount}
    if rng.random() < 0.12 * trouble:
        later = first + timedelta(days=int(rng.integers(1, 300)))
        for item, months, amount in lines:
            if rng.random() < 0.3:
                corrected = float(round(amount * rng.uniform(0.8, 1.2)))
                yield {
                    **head,
                    "period_end": end,
                    "filed_on": later,
                    "item": item,
                    "months": months,
                    "amount": corrected,
                }
