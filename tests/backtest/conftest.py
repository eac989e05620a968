"""Hand-made markets and a formula source that computes with numpy."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the package `reference_simulator`

import stocklab
import stocklab.factors.execute  # imported before the uncompiled copy, so that it stays compiled
from stocklab.backtest import Result, RunRequest, simulate
from stocklab.data.panel_fields import compact
from stocklab.factors import Wanted
from stocklab.market.entitlements import NO_ENTITLEMENTS, Entitlements
from stocklab.market.financial_sector import is_financial
from stocklab.market.memberships import NO_MEMBERSHIPS, Memberships
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Instruments, Panel, PriceBasis
from stocklab.strategy.document import Strategy
from stocklab.types import AnyArray, BoolArray

NO_COSTS = {"commission_rate": 0, "tax": 0, "slippage_rate": 0}
FREE_UNIVERSE = {"min_listed_sessions": 0}


@dataclass
class Market:
    """Bars as rows of (open, high, low, close, volume) per symbol; None = halted (close carried), () = not listed."""

    bars: Mapping[str, Sequence[tuple[float, ...] | None]]
    start: date = date(2024, 3, 4)
    basis: PriceBasis = PriceBasis.ADJUSTED
    market: str = "KOSPI"
    kinds: Mapping[str, str] = field(default_factory=dict)
    markets: Mapping[str, str] = field(default_factory=dict)
    sectors: Mapping[str, str] = field(default_factory=dict)
    delisted: Mapping[str, tuple[date, bool]] = field(default_factory=dict)
    splits: Mapping[tuple[int, str], float] = field(default_factory=dict)
    bases: Mapping[tuple[int, str], float] = field(default_factory=dict)
    signals: Mapping[str, AnyArray] = field(default_factory=dict)
    index: Sequence[float] | None = None
    extra: Mapping[str, AnyArray] = field(default_factory=dict)
    entitlements: Entitlements = NO_ENTITLEMENTS
    memberships: Memberships = NO_MEMBERSHIPS

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(sorted(self.bars))

    def panel(self) -> Panel:
        symbols = self.symbols
        n = len(next(iter(self.bars.values())))
        coins = self.basis is PriceBasis.COIN
        sessions = every_day(self.start, n) if coins else weekdays(self.start, n)
        names = ("open", "high", "low", "close", "volume")
        price = {name: np.full((n, len(symbols)), np.nan) for name in names}
        listed = np.zeros((n, len(symbols)), dtype=np.bool_)
        traded = np.zeros((n, len(symbols)), dtype=np.bool_)
        base = np.full((n, len(symbols)), np.nan)
        split = np.ones((n, len(symbols)), dtype=np.float32)
        for s, symbol in enumerate(symbols):
            last = np.nan
            for t, bar in enumerate(self.bars[symbol]):
                if bar == ():
                    continue
                listed[t, s] = True
                traded[t, s] = bar is not None
                row = bar if bar is not None else (last, last, last, last, 0.0)
                for name, value in zip(names, row, strict=True):
                    price[name][t, s] = value
                base[t, s] = self.bases.get((t, symbol), last)
                split[t, s] = self.splits.get((t, symbol), 1.0)
                last = row[3]
        if not coins and all(
            compact(values).dtype == np.float32 for values in (*(price[name] for name in names[:4]), base)
        ):
            base = base.astype(np.float32)  # as the store keeps them: the machine code is the one made ahead
            price |= {name: price[name].astype(np.float32) for name in names[:4]}
        fields: dict[str, AnyArray] = {
            **price,
            "tv": price["close"].astype(np.float64) * price["volume"],
            "listed": listed,
            "traded": traded,
            "list_age": np.cumsum(listed, axis=0).astype(np.float32),
            "market": np.repeat(
                np.array(
                    [[MARKET_CODES["UPBIT" if coins else self.markets.get(symbol, self.market)] for symbol in symbols]],
                    np.uint8,
                ),
                n,
                0,
            ),
            **self.extra,
        }
        if self.basis is PriceBasis.RAW:
            fields |= {f"{name}_raw": price[name] for name in names} | {"base_price": base, "split_ratio": split}
        nat = np.datetime64("NaT", "D")
        return Panel(
            sessions=sessions,
            symbols=symbols,
            fields=fields,
            indices={}
            if self.index is None
            else {"KRW-BTC" if coins else "KOSPI": np.asarray(self.index, dtype=np.float64)},
            instruments=Instruments(
                names=symbols,
                sectors=tuple(self.sectors.get(symbol, "") for symbol in symbols),
                kinds=np.array([KIND_CODES[self.kinds.get(symbol, "common")] for symbol in symbols], dtype=np.uint8),
                listed_on=np.full(len(symbols), nat),
                delisted_on=np.array(
                    [np.datetime64(self.delisted[s][0], "D") if s in self.delisted else nat for s in symbols]
                ),
                delisting_reason=tuple("reason" if s in self.delisted else "" for s in symbols),
                financial=np.array([is_financial(self.sectors.get(s, ""), s) for s in symbols], dtype=np.bool_),
                pays_last_close=np.array([s in self.delisted and self.delisted[s][1] for s in symbols]),
            ),
            rf=np.zeros(n),
            rf_known=False,
            basis=self.basis,
            snapshot_id="test",
            synthetic=False,
            tv_estimated=True,
            key="test",
            entitlements=self.entitlements,
            memberships=self.memberships,
        )


def weekdays(start: date, n: int) -> AnyArray:
    """n weekdays from ``start``; the simulator takes its calendar from the panel."""
    days = np.datetime64(start, "D") + np.arange(2 * n + 10)
    return days[np.is_busday(days)][:n]


def every_day(start: date, n: int) -> AnyArray:
    """n days from ``start``: the sessions of coins."""
    return np.datetime64(start, "D") + np.arange(n)


@dataclass
class FakeSource:
    """Formulas in a few forms, computed by numpy: a field, a signal's name, or a comparison of one with a number."""

    panel: Panel
    signals: Mapping[str, AnyArray] = field(default_factory=dict)
    calls: list[tuple[tuple[str, ...], bool]] = field(default_factory=list)

    def compute(self, wanted: Sequence[Wanted], universe: BoolArray | None = None) -> tuple[AnyArray, ...]:
        self.calls.append((tuple(item.formula for item in wanted), universe is not None))
        return tuple(self._one(item) for item in wanted)

    def _one(self, item: Wanted) -> AnyArray:
        values = self._value(item.formula)
        if item.kind == "condition":
            return np.ascontiguousarray(np.nan_to_num(values) != 0).astype(np.uint8)
        return np.ascontiguousarray(values, dtype=np.float64)

    def _value(self, formula: str) -> AnyArray:
        if formula in self.signals:
            return np.asarray(self.signals[formula], dtype=np.float64)
        if formula == "sma(tv,20)":
            return self._mean_of_20()
        if ">" in formula:
            name, number = formula.split(">")
            values = self._value(name)
            return np.where(np.isnan(values), np.nan, (values > float(number)).astype(np.float64))
        return np.asarray(self.panel.fields[formula], dtype=np.float64)

    def _mean_of_20(self) -> AnyArray:
        value = np.nan_to_num(self.panel.fields["tv"])
        total = np.cumsum(np.vstack([np.zeros(value.shape[1]), value]), axis=0)
        out = np.full(value.shape, np.nan)
        out[19:] = (total[20:] - total[:-20]) / 20
        return out


RunMarket = Callable[..., Result]
Simulate = Callable[..., Result]


def load_uncompiled() -> Simulate:
    """`simulate` of a second copy of the simulator that Python runs line by line (the factor engine stays compiled)."""
    mine = {name: module for name, module in sys.modules.items() if name.split(".")[:2] == ["stocklab", "backtest"]}
    for name in mine:
        del sys.modules[name]
    numba.config.DISABLE_JIT = True
    try:
        engine = importlib.import_module("stocklab.backtest")
        return engine.simulate  # type: ignore[no-any-return]
    finally:
        numba.config.DISABLE_JIT = False
        for name in [name for name in sys.modules if name.split(".")[:2] == ["stocklab", "backtest"]]:
            del sys.modules[name]
        sys.modules.update(mine)
        stocklab.backtest = mine["stocklab.backtest"]  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def python_engine() -> Simulate:
    return load_uncompiled()


@pytest.fixture
def plan_parts(engine: Simulate) -> Mapping[str, Any]:
    """Functions of the plan by name, compiled or not as ``engine`` is."""
    parts: Mapping[str, Any] = engine.__globals__["build_plan"].__globals__  # type: ignore[attr-defined]
    return parts


@pytest.fixture(params=["compiled", "python"])
def engine(request: pytest.FixtureRequest, python_engine: Simulate) -> Simulate:
    """Both ways to run the same code: as users do, and line by line."""
    return simulate if request.param == "compiled" else python_engine


@pytest.fixture
def market_of() -> type[Market]:
    return Market


@pytest.fixture
def fake_source() -> type[FakeSource]:
    return FakeSource


def document(**parts: Any) -> Strategy:
    """A document without costs or universe limits unless given."""
    defaults: dict[str, Any] = {"name": "test", "universe": FREE_UNIVERSE, "costs": NO_COSTS}
    return Strategy.model_validate({**defaults, **parts})


@pytest.fixture
def make_document() -> Callable[..., Strategy]:
    return document


@pytest.fixture
def run_market(engine: Simulate) -> RunMarket:
    """Run document parts on a market over its whole range, or sessions [first, last]."""

    def run(
        market: Market, *, cash: int = 1_000_000, first: int = 0, last: int | None = None, seed: int = 0, **parts: Any
    ) -> Result:
        panel = market.panel()
        sessions = panel.sessions
        request = RunRequest(
            strategy=document(**parts),
            start=sessions[first].item(),
            end=sessions[-1 if last is None else last].item(),
            initial_cash_krw=cash,
            seed=seed,
        )
        return engine(panel, request, FakeSource(panel, market.signals))

    return run


# --- random markets and documents ----------------------------------------------------------------------------------

SYMBOLS = ("000010", "000020", "00003K", "000040", "000050", "000060")
FORMULAS = ("close>1", "close>2", "close<1", "close<2")
SCORES = ("volume", "-volume")


def random_market(rng: np.random.Generator, *, n: int = 36) -> Market:
    """Walks on the tick grid with halts, locked limits, gaps, thin volume, splits, early ends and delistings."""
    basis = PriceBasis.RAW if rng.random() < 0.5 else PriceBasis.ADJUSTED
    sessions = weekdays(date(2024, 12, 2), n)
    bars: dict[str, list[tuple[float, ...] | None]] = {}
    splits: dict[tuple[int, str], float] = {}
    bases: dict[tuple[int, str], float] = {}
    delisted: dict[str, tuple[date, bool]] = {}
    for symbol in SYMBOLS:
        first, last = 0, n
        if rng.random() < 0.2:
            first = int(rng.integers(1, n // 2))
        if rng.random() < 0.3:
            last = int(rng.integers(n // 2, n))
            if rng.random() < 0.6:
                delisted[symbol] = (
                    sessions[min(last + int(rng.integers(0, 14)), n - 1)].item(),
                    bool(rng.random() < 0.5),
                )
        rows: list[tuple[float, ...] | None] = [()] * first
        price = int(rng.integers(100, 3_000)) * 10
        for t in range(first, last):
            if basis is PriceBasis.RAW and t > first and rng.random() < 0.03:
                ratio = float(rng.choice([2.0, 5.0, 0.5, 0.1, 1 / 3, 1.5]))
                splits[t, symbol] = ratio
                price = max(int(price / ratio), 20)
                price = price // _tick(price) * _tick(price)
                bases[t, symbol] = price
            if t > first and rng.random() < 0.06 and (t, symbol) not in splits:
                rows.append(None)
                continue
            rows.append(_random_bar(rng, price))
            price = int(rows[-1][3])  # type: ignore[index]
        bars[symbol] = rows + [()] * (n - last)
    index = 100 * np.cumprod(1 + rng.normal(0, 0.02, n))
    signals = {formula: (rng.random((n, len(SYMBOLS))) < 0.5).astype(float) for formula in FORMULAS}
    score = rng.integers(1, 9, (n, len(SYMBOLS))).astype(float)
    score[rng.random(score.shape) < 0.05] = np.nan
    return Market(
        bars=bars,
        start=date(2024, 12, 2),
        basis=basis,
        markets={symbol: str(rng.choice(["KOSPI", "KOSDAQ", "KONEX"])) for symbol in SYMBOLS},
        kinds={SYMBOLS[0]: "etf"} if rng.random() < 0.3 else {},
        sectors={symbol: str(rng.choice(["a", "b", ""])) for symbol in SYMBOLS} | {SYMBOLS[1]: "a"},
        splits=splits,
        bases=bases,
        delisted=delisted,
        index=[float(value) for value in index],
        signals={
            **signals,
            SCORES[0]: score,
            SCORES[1]: -score,
            "tstd(ret(close,1),5,1)": rng.random((n, len(SYMBOLS))) * 0.05,
        },
        extra={"mcap": rng.integers(1, 100, (n, len(SYMBOLS))) * 1e9},
    )


def _tick(price: int) -> int:
    return 1 if price < 2_000 else 5 if price < 5_000 else 10 if price < 20_000 else 50 if price < 50_000 else 100


def _random_bar(rng: np.random.Generator, previous: int) -> tuple[float, ...]:
    if rng.random() < 0.08:  # locked at a limit all day, or only at the open
        width = previous * 3 // 10 // _tick(previous) * _tick(previous)
        limit = previous + width if rng.random() < 0.5 else previous - width
        limit = max(limit // _tick(limit) * _tick(limit), 10)
        if rng.random() < 0.5:
            return (limit, limit, limit, limit, float(rng.integers(0, 2_000)))
        inside = max(int((previous + limit) / 2) // 100 * 100, 10)
        return (limit, max(limit, inside), min(limit, inside), inside, 1e5)
    moves = np.clip(1 + rng.normal(0, 0.03, 4), 0.8, 1.2)
    prices = [
        max(int(previous * move) // _tick(int(previous * move)) * _tick(int(previous * move)), 10) for move in moves
    ]
    volume = float(rng.choice([50, 1_000, 20_000, 1e6]))
    return (prices[0], max(prices), min(prices), prices[1], volume)


def random_parts(rng: np.random.Generator) -> dict[str, Any]:
    """Document parts that draw on every branch of the engine."""

    def maybe(chance: float, value: Any, other: Any = None) -> Any:
        return value if rng.random() < chance else other

    def trigger() -> dict[str, Any]:
        return {"level": float(rng.choice([0.02, 0.05, 0.1])), "basis": str(rng.choice(["intraday", "close"]))}

    modes = ["next_open", "next_close", "limit", "vwap_proxy"]
    ranked = rng.random() < 0.7
    leave: dict[str, Any] = {
        "target": maybe(0.4, trigger()),
        "stop": maybe(0.5, trigger()),
        "trailing": maybe(0.4, trigger()),
        "min_holding": int(maybe(0.3, 3, 0)),
        "max_holding": maybe(0.4, 5),
        "holding_unit": str(rng.choice(["sessions", "calendar_days"])),
        "min_holding_blocks_stops": bool(rng.random() < 0.3),
        "rules": maybe(0.5, [{"id": "X", "formula": FORMULAS[2]}, {"id": "Y", "formula": FORMULAS[3]}], []),
        "rank_below": maybe(0.3, 3) if ranked else None,
        "when_entry_fails": bool(rng.random() < 0.2),
        "reentry_wait_sessions": int(maybe(0.3, 2, 0)),
    }
    leave["logic"] = maybe(0.3, "X and Y") if leave["rules"] else None
    return {
        "universe": {
            "min_listed_sessions": int(maybe(0.3, 3, 0)),
            "markets": ["KOSPI", "KOSDAQ", "KONEX"],
            "exclude": maybe(0.5, ["halted"], []),
        },
        "entry": {
            "rules": [{"id": "A", "formula": FORMULAS[0]}, {"id": "B", "formula": FORMULAS[1]}],
            "logic": "A or B",
        },
        "ranking": {
            "factors": [{"formula": SCORES[0], "direction": str(rng.choice(["high", "low"]))}] if ranked else [],
            "keep": str(rng.choice(["all", "top", "bottom"])),
            "count": int(rng.integers(1, 7)),
        },
        "sizing": {
            "method": str(
                rng.choice(["equal", "market_cap", "score", "inverse_volatility", "fixed_weight", "fixed_krw"])
            ),
            "max_holdings": int(rng.integers(1, 6)),
            "weight": 0.3,
            "amount_krw": 2_000_000,
            "volatility_sessions": 5,
            "max_weight": float(maybe(0.3, 0.2, 1.0)),
            "max_sector_weight": float(maybe(0.3, 0.4, 1.0)),
            "max_position_krw": maybe(0.2, 1_500_000),
            "max_new_per_session": maybe(0.3, 1),
            "cash_buffer": float(maybe(0.3, 0.1, 0.0)),
            "base": str(rng.choice(["equity", "initial"])),
        },
        "execution": {
            "buy": str(rng.choice(modes)),
            "sell": str(rng.choice(modes)),
            "limit_offset": float(rng.choice([-0.02, 0.0, 0.02])),
            "limit_reference": str(rng.choice(["previous_close", "open"])),
            "participation": float(rng.choice([0.1, 1.0])),
            "carry_unfilled_sessions": int(rng.choice([0, 0, 2])),
        },
        "exit": leave,
        "rebalancing": {
            "mode": str(rng.choice(["signal", "target"])),
            "period": str(rng.choice(["daily", "weekly", "monthly"])),
            "day_shift": int(rng.choice([0, 0, 2])),
            "drift_band": float(rng.choice([0.0, 0.05])),
        },
        "market_filter": maybe(
            0.3, {"formula": "close>95", "action": str(rng.choice(["sell_all", "no_new"])), "months": [1, 12]}
        ),
        "costs": {
            "commission_rate": float(rng.choice([0, 0.00015, 0.01])),
            "tax": "dated" if rng.random() < 0.7 else 0.01,
            "slippage_rate": float(rng.choice([0, 0.001, 0.02])),
        },
    }


@dataclass(frozen=True)
class Case:
    """One random run; ``run`` may be asked for an altered panel."""

    market: Market
    parts: Mapping[str, Any]
    cash: int

    def run(
        self,
        panel: Panel | None = None,
        signals: Mapping[str, AnyArray] | None = None,
        engine: Simulate = simulate,
    ) -> Result:
        panel = panel or self.market.panel()
        request = RunRequest(
            strategy=document(**self.parts),
            start=panel.sessions[2].item(),
            end=panel.sessions[-1].item(),
            initial_cash_krw=self.cash,
        )
        return engine(panel, request, FakeSource(panel, signals or self.market.signals))


def random_case(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    return Case(market=random_market(rng), parts=random_parts(rng), cash=int(rng.choice([1_000_000, 10_000_000])))


@pytest.fixture
def case_of() -> Callable[[int], Case]:
    return random_case
