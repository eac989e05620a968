"""Every figure of every variant is what a single run of its document gives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stocklab.backtest import run_id, simulate, universe_mask
from stocklab.backtest.score import build_score, score_parts, weigh_parts
from stocklab.backtest.select import KEEP_ALL, KEEP_BOTTOM, KEEP_TOP, order_rows
from stocklab.data import Store, open_panel
from stocklab.errors import Cancelled
from stocklab.factors import DirectSource, Wanted
from stocklab.market.panel import Panel
from stocklab.research import Measured, Skipped, Variant, run_variants, variants_of
from stocklab.research import conditions as conditions_module
from stocklab.research.conditions import packed_conditions
from stocklab.research.packed import empty_packed, fill_entry, order_by_score, pack_known, pack_rows
from stocklab.strategy.sweep import parse_sweep

DAYS = {"start": "2021-01-04", "end": "2022-12-29"}


@pytest.fixture(scope="module")
def panel(demo_home: Path) -> Panel:
    return open_panel(Store(demo_home), start=date(2021, 1, 4), end=date(2022, 12, 29))


def rule(letter: str, formula: str) -> dict[str, str]:
    return {"id": letter, "formula": formula}


def ranged(path: str, *values: float) -> dict[str, Any]:
    return {"paths": [path], "values": list(values)}


CASES: dict[str, dict[str, Any]] = {
    "signals": {
        "strategy": {
            "entry": {
                "rules": [rule("A", "rsi_14<40"), rule("B", "close>sma(close,60)"), rule("C", "tv>1e8")],
                "logic": "(A or B) and C",
            },
            "ranking": {"factors": [{"formula": "ret(close,60)"}]},
            "exit": {"stop": {"level": 0.1}, "rules": [rule("A", "rsi_14>70"), rule("B", "close<sma(close,20)")]},
        },
        "parameters": [
            ranged("entry.rules.A.formula#2", 30, 35, 40, 45, 50),
            ranged("entry.rules.A.formula#1", 9, 14),
            ranged("exit.rules.B.formula#1", 10, 20, 40),
            ranged("exit.stop.level", 0.05, 0.1, 0.2),
            ranged("sizing.max_holdings", 3, 10),
        ],
    },
    "targets": {
        "strategy": {
            "factors": [{"id": "calm", "formula": "ret(close,120)/tstd(ret1,60,1)"}],
            "universe": {"min_trading_value_krw": 100_000_000},
            "entry": {"rules": [rule("A", "calm>0"), rule("B", "xpct(ret(close,20))>20")], "logic": "A and not B"},
            "ranking": {
                "factors": [
                    {"formula": "calm", "weight": 2.0, "neutralize": "sector"},
                    {"formula": "volatility_60d", "direction": "low", "transform": "zscore"},
                ],
                "keep": "top",
                "count": 15,
            },
            "sizing": {"method": "inverse_volatility", "max_holdings": 8},
            "exit": {"rank_below": 40, "when_entry_fails": True},
            "rebalancing": {"mode": "target", "period": "monthly"},
            "market_filter": {"index": "KOSPI", "formula": "close>sma(close,120)"},
        },
        "parameters": [
            ranged("factors.calm.formula#1", 60, 120),
            ranged("entry.rules.B.formula#2", 20, 50, 80),
            ranged("ranking.factors.0.weight", 0.5, 2.0),
            ranged("ranking.count", 5, 15),
            ranged("rebalancing.day_shift", 0, 3),
            ranged("market_filter.formula#1", 60, 120),
            ranged("universe.min_trading_value_krw", 0, 100_000_000),
        ],
    },
    "weights": {
        "strategy": {
            "entry": {"rules": [rule("A", "close>sma(close,20)")]},
            "ranking": {
                "factors": [
                    {"formula": "ret(close,60)", "winsorize": 0.05},
                    {"formula": "volatility_60d", "direction": "low", "neutralize": "sector"},
                    {"formula": "rsi_14", "transform": "zscore"},
                ]
            },
            "sizing": {"max_holdings": 6, "method": "score"},
            "exit": {"max_holding": 15},
        },
        "parameters": [
            ranged("ranking.factors.0.weight", 0.1, 0.7, 1.3, 2.9),
            ranged("ranking.factors.1.weight", 0.3, 1.1, 3.7),
            ranged("ranking.factors.2.weight", 0.1, 0.9),
            ranged("sizing.max_holdings", 4, 6),
        ],
    },
    "bottom": {
        "strategy": {
            "ranking": {"factors": [{"formula": "ret(close,20)"}], "keep": "bottom", "count": 12},
            "sizing": {"max_holdings": 6, "method": "score"},
            "exit": {"max_holding": 20, "reentry_wait_sessions": 5},
            "costs": {"tax": 0.002},
        },
        "parameters": [
            ranged("ranking.count", 4, 8, 12),
            ranged("ranking.factors.0.formula#1", 5, 20),
            ranged("exit.max_holding", 5, 20, 60),
            ranged("costs.slippage_rate", 0.0, 0.002),
            ranged("exit.reentry_wait_sessions", 0, 20),
        ],
    },
}


def sweep_of(case: str, **more: Any) -> Any:
    found = CASES[case]
    strategy = {"name": case, **found["strategy"]}
    return parse_sweep({"strategy": strategy, "parameters": found["parameters"], **DAYS, **more})


def plain(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return dict(metrics)


@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_that_of_a_single_run(panel: Panel, case: str) -> None:
    sweep = sweep_of(case, method="random", count=40, seed=7)
    variants = [item for item in variants_of(sweep, partial(run_id, panel)) if isinstance(item, Variant)]
    source = DirectSource(panel)
    found = list(run_variants(panel, variants, source, threads=2))
    assert {item.variant.run_id for item in found if isinstance(item, Measured)} == {one.run_id for one in variants}
    traded = 0
    chosen = np.random.default_rng(3).permutation(len(found))[:12]
    for place in chosen:
        item = found[place]
        assert isinstance(item, Measured)
        single = simulate(panel, item.variant.request, source)
        assert single.run_id == item.variant.run_id
        assert plain(single.metrics) == plain(item.metrics), item.variant.values
        traded += item.metrics["n_trades"]
    assert traded > 100
    assert len({item.metrics["final_equity_krw"] for item in found if isinstance(item, Measured)}) > 15


def test_weighing_parts_is_the_score_itself(panel: Panel) -> None:
    strategy = sweep_of("weights").strategy
    factors = strategy.ranking.factors
    source = DirectSource(panel)
    values = source.compute([Wanted(part.formula, "value") for part in factors])
    universe = universe_mask(panel, strategy.universe, source)
    first, last = panel.span(date(2021, 1, 4), date(2022, 12, 29))
    wanted = np.random.default_rng(1).random(last - first) < 0.5
    parts = score_parts(panel, factors, values, universe, wanted, first)
    for weights in ((0.1, 0.2, 0.3), (1.0, 7.0, 0.7)):
        weighed = [part.model_copy(update={"weight": weight}) for part, weight in zip(factors, weights, strict=True)]
        whole = build_score(panel, weighed, values, universe, wanted, first).values[first:last][wanted]
        assert np.array_equal(
            weigh_parts(parts, weighed, wanted, first).values[first:last][wanted], whole, equal_nan=True
        )
        assert np.isfinite(whole).sum() > 1000


def test_threads_and_order_change_nothing(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = sweep_of("signals", method="latin_hypercube", count=30, seed=1)
    variants = [item for item in variants_of(sweep, partial(run_id, panel)) if isinstance(item, Variant)]
    source = DirectSource(panel)
    runs = [
        {item.variant.run_id: plain(item.metrics) for item in run_variants(panel, given, source, threads=threads)}
        for given, threads in ((variants, 1), (variants[::-1], 3))
    ]
    monkeypatch.setattr("stocklab.research.sweep_run._MASK_BYTES", 1)  # waves of a few conditions
    small = {item.variant.run_id: plain(item.metrics) for item in run_variants(panel, variants, source)}
    assert runs[0] == runs[1] == small


def test_a_variant_that_cannot_buy_is_told_and_the_rest_runs(panel: Panel) -> None:
    sweep = parse_sweep(
        {
            "strategy": {"name": "x", "universe": {"top": {"count": 5}}, "exit": {"max_holding": 10}},
            "parameters": [ranged("universe.top.count", 3, 5), ranged("sizing.max_holdings", 2, 4)],
            **DAYS,
        }
    )
    variants = [item for item in variants_of(sweep, partial(run_id, panel)) if isinstance(item, Variant)]
    lacking = parse_sweep(
        {
            "strategy": {"name": "x", "sizing": {"method": "market_cap"}},
            "parameters": [ranged("sizing.max_holdings", 7)],
            **DAYS,
        }
    )
    fields = {name: values for name, values in panel.fields.items() if name != "mcap"}
    poor = type(panel)(**{name: getattr(panel, name) for name in panel.__slots__} | {"fields": fields})
    variants += [item for item in variants_of(lacking, partial(run_id, poor)) if isinstance(item, Variant)]
    found = list(run_variants(poor, variants, DirectSource(poor)))
    skipped = [item for item in found if isinstance(item, Skipped)]
    assert [(item.code, "market caps" in item.reason) for item in skipped] == [("cannot_buy", True)]
    assert len(found) == 5


def test_cancelling_stops_and_leaves_no_thread(panel: Panel) -> None:
    import threading

    sweep = sweep_of("bottom")
    variants = [item for item in variants_of(sweep, partial(run_id, panel)) if isinstance(item, Variant)]
    asked = []

    def enough() -> bool:
        asked.append(1)
        return len(asked) > 40

    with pytest.raises(Cancelled):
        list(run_variants(panel, variants, DirectSource(panel), should_cancel=enough))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stocklab-sweep")]


def test_conditions_are_bit_for_bit_those_of_the_engine(panel: Panel) -> None:
    values = ("rsi_14", "ret(close,60)", "trading_value_20d", "mom_12_1")
    formulas = [
        f"{value}{sign}{number}"
        for value in values
        for sign in (">", "<", ">=", "<=", "==", "!=")
        for number in (0, 50)
    ]
    formulas += [
        "~(rsi_14<30)",
        "~(30>=rsi_14)",
        "close>open",
        "~(close>open)",
        "(rsi_14>30)&(rsi_14<60)",
        "1>0.5*rsi_14",
    ]
    masks = dict(packed_conditions(formulas, DirectSource(panel), None))
    assert set(masks) == set(formulas)
    for formula, wanted in zip(formulas, _conditions(panel, formulas), strict=True):
        expected = empty_packed(*wanted.shape)
        pack_rows(0, len(wanted), wanted, expected)
        assert (masks[formula] == expected).all(), formula
    assert conditions_module.threshold_of("2>1") is None


def _conditions(panel: Panel, formulas: list[str]) -> tuple[Any, ...]:
    return DirectSource(panel).compute([Wanted(formula, "condition") for formula in formulas])


@pytest.mark.parametrize("keep", [KEEP_ALL, KEEP_TOP, KEEP_BOTTOM])
@pytest.mark.parametrize("density", [0.02, 0.4, 1.0])
@pytest.mark.parametrize("ordered", [True, False])
def test_candidates_are_those_of_the_plan(keep: int, density: float, ordered: bool) -> None:
    rng = np.random.default_rng(int(100 * density) + keep)
    n, m, want = 40, 200, 25
    universe = rng.random((n, m)) < 0.8
    entry = (rng.random((n, m)) < density).astype(np.uint8)
    score = np.round(rng.normal(size=(n, m)), 1)  # many ties, and both zeros
    score[rng.random((n, m)) < 0.1] = np.nan
    score[score == 0] *= -1
    deciding = rng.random(n) < 0.7
    shapes = (np.zeros((n, want), np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64))
    order_rows(0, n, deciding, universe, entry, score, -1.0, keep, 30, want, *shapes)
    members, holds, known = (empty_packed(n, m) for _ in range(3))
    pack_rows(0, n, universe, members)
    pack_rows(0, n, entry, holds)
    rows = np.zeros((2, 0, 0), dtype=np.int16)
    if ordered:
        rows = np.zeros((2, n, m + 1), dtype=np.int16)
        order_by_score(0, n, deciding, universe, score, -1.0, rows)
        pack_known(0, n, score, known)
        members &= known
    bytes_out = np.full((n, m), 9, np.uint8)
    symbols, written, totals = np.full((n, want), -1), np.full(n, -1), np.full(n, -1)
    fill_entry(
        0, n, deciding, members, holds, score, -1.0, rows, keep, 30, want, bytes_out, symbols, written, totals,
        np.empty(m), np.empty(m, np.int64),
    )  # fmt: skip
    assert (bytes_out == entry).all()
    assert (written == shapes[1]).all()
    assert (totals == shapes[2]).all()
    for i in range(n):
        assert (symbols[i, : written[i]] == shapes[0][i, : written[i]]).all()
