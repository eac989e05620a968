"""What happens after a session changes nothing that was decided at its close, or before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from stocklab.backtest import RunRequest, codes
from stocklab.backtest.plan import build_plan
from stocklab.backtest.walking import run_kernel


def altered(panel: Any, signals: Any, t: int, rng: np.random.Generator) -> tuple[Any, dict[str, np.ndarray]]:
    """Another future: prices, volumes, halts, listings, index and signals after session t."""
    after = slice(t + 1, None)
    fields = {name: np.array(values) for name, values in panel.fields.items()}
    shape = fields["close"][after].shape
    factor = rng.uniform(0.5, 2.0, shape)
    for name, values in fields.items():
        if name.removesuffix("_raw") in {"open", "high", "low", "close"} or name == "base_price":
            values[after] = np.round(values[after] * factor)
    for name in ("volume", "volume_raw", "mcap"):
        if name in fields:
            fields[name][after] = rng.integers(0, 10_000, shape)
    fields["traded"][after] &= rng.random(shape) < 0.7
    fields["listed"][after] &= rng.random(shape) < 0.9
    other = {name: np.array(values) for name, values in signals.items()}
    for values in other.values():
        values[after] = rng.integers(0, 2, shape)
    index = {name: np.array(values) for name, values in panel.indices.items()}
    for values in index.values():
        values[after] = rng.uniform(50, 150, len(values[after]))
    return replace(panel, fields=fields, indices=index), other


def until(result: Any, day: Any) -> dict[str, pl.DataFrame]:
    return {
        name: result.tables[name].filter(pl.col("session") <= day)
        for name in ("daily", "positions", "trades", "ledger")
    }


@pytest.mark.parametrize("seed", range(40))
def test_another_future_leaves_the_past_as_it_was(
    case_of: Any, make_document: Any, fake_source: Any, seed: int
) -> None:
    case = case_of(seed)
    case.market.splits = {}
    panel = case.market.panel()
    whole = case.run(panel)
    rng = np.random.default_rng(seed)
    for t in (8, 20, 30):
        other, signals = altered(panel, case.market.signals, t, rng)
        day = panel.sessions[t].item()
        changed = case.run(other, signals)
        for name, table in until(whole, day).items():
            assert table.equals(until(changed, day)[name]), (seed, t, name)
        assert decided_at(case, make_document, fake_source, panel, case.market.signals, t) == decided_at(
            case, make_document, fake_source, other, signals, t
        )


def decided_at(
    case: Any, make_document: Any, fake_source: Any, panel: Any, signals: Any, t: int
) -> list[tuple[int, ...]]:
    """Orders the close of ``t`` decided, as they were written then (triggers rest from before and are not among them)."""
    request = RunRequest(
        strategy=make_document(**case.parts),
        start=panel.sessions[2].item(),
        end=panel.sessions[-1].item(),
        initial_cash_krw=case.cash,
    )
    state = run_kernel(panel, request, build_plan(panel, request, fake_source(panel, signals)))
    at_open = case.parts["execution"]["limit_reference"] == "open"
    names = ["symbol", "side", "ordered", "mode", "cause", "rule"] + ([] if at_open else ["limit"])
    orders = state.orders[: state.book[0].n_orders]
    rested = (orders["expires"] == codes.NEVER) | (orders["mode"] == codes.MODE_TRIGGER)
    found = orders[(orders["decided"] == t) & ~rested & (orders["cause"] != codes.DELISTING)]
    return [tuple(int(row[name]) for name in names) for row in found]


@pytest.mark.parametrize("seed", range(15))
def test_a_future_cut_off_leaves_the_past_as_it_was(case_of: Any, seed: int) -> None:
    case = case_of(seed)
    panel = case.market.panel()
    whole = case.run(panel)
    t = 22
    cut = replace(
        panel,
        sessions=panel.sessions[: t + 1],
        fields={name: values[: t + 1] for name, values in panel.fields.items()},
        indices={name: values[: t + 1] for name, values in panel.indices.items()},
        rf=panel.rf[: t + 1],
    )
    signals = {name: values[: t + 1] for name, values in case.market.signals.items()}
    day = panel.sessions[t].item()
    short = case.run(cut, signals)
    for name, table in until(whole, day).items():
        assert table.equals(short.tables[name]), (seed, name)
