"""Hand-made markets and a formula source that computes with numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pytest

from stocklab.backtest import Result, RunRequest, simulate
from stocklab.factors import Wanted
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

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(sorted(self.bars))

    def panel(self) -> Panel:
        symbols = self.symbols
        n = len(next(iter(self.bars.values())))
        sessions = weekdays(self.start, n)
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
        fields: dict[str, AnyArray] = {
            **price,
            "tv": price["close"] * price["volume"],
            "listed": listed,
            "traded": traded,
            "list_age": np.cumsum(listed, axis=0).astype(np.float32),
            "market": np.repeat(
                np.array([[MARKET_CODES[self.markets.get(symbol, self.market)] for symbol in symbols]], np.uint8), n, 0
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
            indices={} if self.index is None else {"KOSPI": np.asarray(self.index, dtype=np.float64)},
            instruments=Instruments(
                names=symbols,
                sectors=tuple(self.sectors.get(symbol, "") for symbol in symbols),
                kinds=np.array([KIND_CODES[self.kinds.get(symbol, "common")] for symbol in symbols], dtype=np.uint8),
                listed_on=np.full(len(symbols), nat),
                delisted_on=np.array(
                    [np.datetime64(self.delisted[s][0], "D") if s in self.delisted else nat for s in symbols]
                ),
                delisting_reason=tuple("reason" if s in self.delisted else "" for s in symbols),
                pays_last_close=np.array([s in self.delisted and self.delisted[s][1] for s in symbols]),
            ),
            rf=np.zeros(n),
            rf_known=False,
            basis=self.basis,
            snapshot_id="test",
            synthetic=False,
            tv_estimated=True,
            key="test",
        )


def weekdays(start: date, n: int) -> AnyArray:
    """n weekdays from ``start``; the simulator takes its calendar from the panel."""
    days = np.datetime64(start, "D") + np.arange(2 * n + 10)
    return days[np.is_busday(days)][:n]


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
def run_market() -> RunMarket:
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
        return simulate(panel, request, FakeSource(panel, market.signals))

    return run
