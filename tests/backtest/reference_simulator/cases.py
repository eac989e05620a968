"""Random cases: a market and a document that draws on every option."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from reference_simulator.coin_markets import COIN_CHANGES
from reference_simulator.markets import CHANGES, Shape, build
from stocklab.market.panel import Panel
from stocklab.strategy.document import Strategy

CONDITIONS = (
    "close>sma(close,5)",
    "close<sma(close,5)",
    "ret1>0",
    "ret1<0.5",
    "volume>1000",
    "close>0",
    "xrank(close)<=3",
    "xpct(tv)>0.4",
    "own>0",
)
VALUES = ("close", "volume", "ret(close,5)", "tv", "log(mcap)", "xz(ret1)", "ret1>0", "own_rank")
ENTRY_LOGIC = (None, "A or B", "A and not B", "not A", "A and (B or not C)", "not (A and B)", "C")
EXIT_LOGIC = (None, "X and Y", "not X", "X or Y")
MODES = ("next_open", "next_close", "limit", "vwap_proxy")


@dataclass(frozen=True)
class Case:
    """One run; ``str`` is everything needed to repeat it."""

    shape: Shape
    parts: dict[str, Any]
    cash: int
    start: int
    stop: int

    def panel(self) -> Panel:
        return build(self.shape)

    def strategy(self) -> Strategy:
        return Strategy.model_validate({"name": "random", **self.parts})

    def __str__(self) -> str:
        return json.dumps(asdict(self), default=date.isoformat, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Case:
        """The case that was printed as ``text``."""
        values = json.loads(text)
        shape = values.pop("shape")
        return cls(shape=Shape(**shape | {"change": date.fromisoformat(shape["change"])}), **values)


def sometimes(draw: DrawFn, value: st.SearchStrategy, other: Any, *, one_in: int = 3) -> Any:
    """A drawn value once in ``one_in`` times, else ``other``; shrinks to ``other``."""
    return draw(value) if draw(st.integers(0, one_in - 1)) == one_in - 1 else other


def rate(*values: float) -> st.SearchStrategy[float]:
    return st.sampled_from(values)


@st.composite
def shapes(draw: DrawFn, symbols: tuple[int, int], sessions: tuple[int, int]) -> Shape:
    """Markets of so many symbols over so many sessions, with a dated change inside."""
    least, most = sessions
    n_sessions = draw(st.one_of(st.integers(least, min(2 * least, most)), st.integers(least, most)))
    return Shape(
        seed=draw(st.integers(0, 2**32 - 1)),
        basis=draw(rate("raw", "raw", "adjusted")),
        n_symbols=draw(st.integers(*symbols)),
        n_sessions=n_sessions,
        change=draw(st.sampled_from(CHANGES)),
        before=draw(st.integers(3, n_sessions - 5)),
        quiet=draw(rate(0.0, 0.05, 0.3)),
        halts=draw(rate(0.0, 0.03, 0.15)),
        locks=draw(rate(0.0, 0.05, 0.25)),
        events=draw(rate(0.0, 0.02, 0.06)),
        leavers=draw(rate(0.0, 0.3, 0.6)),
        thin=draw(rate(0.0, 0.2, 0.6)),
        holes=draw(rate(0.0, 0.0, 0.04)),
        with_base=draw(rate(True, True, True, False)),
    )


@st.composite
def documents(draw: DrawFn) -> dict[str, Any]:
    """Parts of a document; every option the simulator knows is drawn."""
    parts = draw(st.integers(0, 3))
    ranked = parts > 0
    neutral = st.sampled_from(["none", "none", "sector", "sector_size"])
    factors = [
        {
            "formula": draw(st.sampled_from(VALUES)),
            "weight": draw(rate(1.0, 2.0, 0.3)),
            "direction": draw(st.sampled_from(["high", "low"])),
            "transform": draw(st.sampled_from(["rank", "zscore", "value"])),
            "neutralize": draw(neutral),
            "winsorize": sometimes(draw, rate(0.01, 0.2), 0.0),
        }
        for _ in range(parts)
    ]
    methods = ["equal", "equal", "market_cap", "inverse_volatility", "fixed_weight", "fixed_krw"]
    methods += ["score", "score"] if ranked else []
    own = [{"id": "own", "formula": "ret(close,3)"}, {"id": "own_rank", "formula": "xrank(own)"}]
    return {
        "factors": own,
        "benchmark": draw(st.sampled_from(["KOSPI", "KOSDAQ", "KOSPI200"])),
        "universe": draw(universes()),
        "entry": draw(entries()),
        "ranking": {
            "factors": factors,
            "keep": sometimes(draw, st.sampled_from(["top", "bottom"]), "all") if ranked else "all",
            "count": draw(st.integers(1, 8)),
        },
        "sizing": {
            "method": draw(st.sampled_from(methods)),
            "max_holdings": draw(st.integers(1, 7)),
            "weight": draw(rate(0.05, 0.29, 0.57, 1.0)),
            "amount_krw": draw(st.sampled_from([150_000, 1_000_000, 7_777_777])),
            "volatility_sessions": draw(st.sampled_from([5, 10])),
            "max_weight": sometimes(draw, rate(0.07, 0.2, 0.58), 1.0),
            "max_sector_weight": sometimes(draw, rate(0.3, 0.57), 1.0),
            "max_position_krw": sometimes(draw, st.sampled_from([300_000, 2_000_001]), None, one_in=5),
            "max_new_per_session": sometimes(draw, st.integers(1, 2), None),
            "cash_buffer": sometimes(draw, rate(0.07, 0.1, 0.5), 0.0),
            "base": draw(st.sampled_from(["equity", "equity", "initial"])),
        },
        "execution": {
            "buy": draw(st.sampled_from(MODES)),
            "sell": draw(st.sampled_from(MODES)),
            "limit_offset": draw(rate(0.0, -0.01, 0.01, -0.033, 0.1, 0.3)),
            "limit_reference": draw(st.sampled_from(["previous_close", "open"])),
            "participation": draw(rate(0.1, 0.29, 1.0, 0.01)),
            "carry_unfilled_sessions": draw(st.sampled_from([0, 0, 1, 3])),
        },
        "exit": draw(exits(ranked)),
        "rebalancing": {
            "mode": draw(st.sampled_from(["signal", "signal", "target"])),
            "period": draw(st.sampled_from(["weekly", "weekly", "daily", "daily", "monthly", "quarterly", "yearly"])),
            "day_shift": sometimes(draw, st.integers(1, 6), 0),
            "drift_band": sometimes(draw, rate(0.01, 0.05, 0.3), 0.0),
        },
        "market_filter": sometimes(draw, filters(), None, one_in=3),
        "costs": {
            "commission_rate": draw(rate(0.0, 0.00015, 0.000036396, 0.01)),
            "tax": sometimes(draw, rate(0.0, 0.01), "dated"),
            "slippage_rate": draw(rate(0.0, 0.001, 0.0033, 0.03)),
        },
    }


@st.composite
def universes(draw: DrawFn) -> dict[str, Any]:
    """Mostly wide universes, so that most cases trade."""
    kinds = ["preferred", "spac", "reit", "etf", "foreign", "administrative", "attention", "halted", "financial"]
    kinds += ["warning", "overheated", "unfaithful"]
    top = st.fixed_dictionaries(
        {
            "by": st.sampled_from(["market_cap", "trading_value"]),
            "count": st.integers(1, 8),
            "skip": st.sampled_from([0, 0, 1, 2]),
        }
    )
    return {
        "markets": sometimes(
            draw, st.sampled_from([["KOSPI"], ["KOSDAQ", "KONEX"], ["KOSPI", "KOSDAQ"]]), ["KOSPI", "KOSDAQ", "KONEX"]
        ),
        "sectors": sometimes(draw, st.sampled_from([["a"], ["a", "b"]]), [], one_in=8),
        "exclude_sectors": sometimes(draw, st.just(["b"]), [], one_in=8),
        "index": sometimes(draw, st.just("KOSPI200"), None, one_in=6),
        "themes": sometimes(draw, st.sampled_from([["x"], ["y", "x"]]), [], one_in=6),
        "symbols": sometimes(draw, st.just(["000010", "000015", "000020", "000030", "000040"]), [], one_in=10),
        "exclude_symbols": sometimes(draw, st.sampled_from([["000020"], ["000010", "000030"]]), [], one_in=8),
        "exclude": sometimes(draw, st.lists(st.sampled_from(kinds), unique=True), [], one_in=2),
        "min_listed_sessions": sometimes(draw, st.sampled_from([1, 3, 20]), 0),
        "min_trading_value_krw": sometimes(draw, st.sampled_from([1_000_000, 10**9]), 0, one_in=8),
        "min_price_krw": sometimes(draw, st.sampled_from([500, 20_000]), 0, one_in=8),
        "top": sometimes(draw, top, None, one_in=5),
    }


@st.composite
def entries(draw: DrawFn) -> dict[str, Any]:
    """Up to three rules with a logic line over them."""
    logic = sometimes(draw, st.sampled_from(ENTRY_LOGIC), None, one_in=2)
    count = 3 if logic else draw(st.integers(0, 2))
    return {
        "rules": [{"id": letter, "formula": draw(st.sampled_from(CONDITIONS))} for letter in "ABC"[:count]],
        "logic": logic,
    }


@st.composite
def exits(draw: DrawFn, ranked: bool) -> dict[str, Any]:
    """Triggers on either basis, holding periods, rules, ranks."""

    def trigger(*levels: float) -> Any:
        both = st.sampled_from(["intraday", "intraday", "close"])
        return sometimes(draw, st.fixed_dictionaries({"level": rate(*levels), "basis": both}), None, one_in=2)

    rules = draw(st.booleans())
    minimum = sometimes(draw, st.sampled_from([1, 3, 10]), 0)
    return {
        "target": trigger(0.01, 0.07, 0.29),
        "stop": trigger(0.01, 0.05, 0.2),
        "trailing": trigger(0.02, 0.07),
        "min_holding": minimum,
        "max_holding": sometimes(draw, st.integers(max(minimum, 1), 15), None),
        "holding_unit": draw(st.sampled_from(["sessions", "calendar_days"])),
        "min_holding_blocks_stops": draw(st.booleans()),
        "rules": [{"id": letter, "formula": draw(st.sampled_from(CONDITIONS))} for letter in "XY"] if rules else [],
        "logic": draw(st.sampled_from(EXIT_LOGIC)) if rules else None,
        "rank_below": sometimes(draw, st.integers(1, 5), None) if ranked else None,
        "when_entry_fails": sometimes(draw, st.just(True), False),
        "reentry_wait_sessions": sometimes(draw, st.integers(1, 5), 0),
    }


@st.composite
def filters(draw: DrawFn) -> dict[str, Any]:
    """An index condition, months, or both."""
    return {
        "index": draw(st.sampled_from(["KOSPI", "KOSDAQ"])),
        "formula": draw(st.sampled_from(["close>sma(close,5)", "close>97", None])),
        "months": sometimes(draw, st.sampled_from([[12, 1, 6], [1, 2, 5, 7, 11]]), list(range(1, 13)), one_in=2),
        "action": draw(st.sampled_from(["sell_all", "no_new"])),
    }


@st.composite
def cases(draw: DrawFn, symbols: tuple[int, int] = (3, 12), sessions: tuple[int, int] = (30, 150)) -> Case:
    """A market, a document, cash and a range."""
    shape = draw(shapes(symbols, sessions))
    start = sometimes(draw, st.integers(1, 10), 0)
    return Case(
        shape=shape,
        parts=draw(documents()),
        cash=draw(st.sampled_from([1_000_000, 10_000_000, 300_000, 5_000_000_000])),
        start=start,
        stop=shape.n_sessions - 1 - sometimes(draw, st.integers(1, 5), 0),
    )


@st.composite
def coin_cases(draw: DrawFn, symbols: tuple[int, int] = (2, 6), sessions: tuple[int, int] = (30, 120)) -> Case:
    """A market of coins and a document over it: what coins do not have is left out."""
    case = draw(cases(symbols, sessions))
    shape = replace(case.shape, basis="coin", change=draw(st.sampled_from(COIN_CHANGES)))
    parts = case.parts
    factors = [
        {**factor, "neutralize": "none", "formula": factor["formula"].replace("log(mcap)", "close")}
        for factor in parts["ranking"]["factors"]
    ]
    top = parts["universe"]["top"]
    method = parts["sizing"]["method"]
    sizing = {
        "max_sector_weight": 1.0,
        "method": "equal" if method == "market_cap" else method,
        "amount_krw": draw(st.sampled_from([4_999, 60_000, 7_777_777])),
        "max_position_krw": sometimes(draw, st.sampled_from([4_000, 300_001]), None, one_in=6),
    }
    market_filter = parts["market_filter"]
    return replace(
        case,
        shape=shape,
        cash=draw(st.sampled_from([20_000, 300_000, 10_000_000, 1_000_000_000])),
        parts={
            **parts,
            "benchmark": "KRW-BTC",
            "universe": {
                "markets": ["UPBIT"],
                "exclude": draw(st.sampled_from([[], ["halted"]])),
                "min_listed_sessions": parts["universe"]["min_listed_sessions"],
                "min_price_krw": sometimes(draw, st.just(1), 0, one_in=8),
                "top": None if top is None else {**top, "by": "trading_value"},
            },
            "ranking": {**parts["ranking"], "factors": factors},
            "sizing": {**parts["sizing"], **sizing},
            "market_filter": None if market_filter is None else {**market_filter, "index": "KRW-BTC"},
            "costs": {**parts["costs"], "commission_rate": draw(rate(0.0, 0.0005, 0.0123456789))},
        },
    )
