"""Run ids, progress, cancel, matches, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from stocklab.backtest import TABLE_SCHEMAS, Progress, RunRequest, matches, run_id, simulate
from stocklab.backtest.blocks import in_blocks
from stocklab.errors import Cancelled, FormulaError, InputError

FLAT = (1_000.0, 1_000.0, 1_000.0, 1_000.0, 1e6)
BUY = "close>1"


def request_of(make_document: Any, panel: Any, **parts: Any) -> RunRequest:
    return RunRequest(
        strategy=make_document(**parts),
        start=panel.sessions[0].item(),
        end=panel.sessions[-1].item(),
        initial_cash_krw=1_000_000,
    )


def test_run_id_is_a_hash_of_every_input(market_of: Any, make_document: Any) -> None:
    panel = market_of(bars={"000010": [FLAT] * 3}).panel()
    request = request_of(make_document, panel)
    others = [
        run_id(replace(panel, key="other"), request),
        run_id(panel, replace(request, seed=1)),
        run_id(panel, replace(request, initial_cash_krw=1_000_001)),
        run_id(panel, replace(request, end=date(2024, 3, 5))),
        run_id(panel, replace(request, strategy=make_document(name="other"))),
    ]
    assert run_id(panel, request) == run_id(panel, request)
    assert len({run_id(panel, request), *others}) == 6
    assert all(len(name) == 40 for name in others)


def test_tables_have_exactly_the_schema_also_when_empty(market_of: Any, run_market: Any) -> None:
    empty = run_market(market_of(bars={"000010": [FLAT] * 3}), universe={"min_listed_sessions": 60})
    full = run_market(market_of(bars={"000010": [FLAT] * 3}))
    for result in (empty, full):
        for name, schema in TABLE_SCHEMAS.items():
            assert dict(result.tables[name].schema) == dict(schema)
    assert empty.tables["trades"].is_empty()
    assert empty.metrics["n_trades"] == 0


def test_progress_reaches_the_last_session_with_the_curve(market_of: Any, fake_source: Any, make_document: Any) -> None:
    panel = market_of(bars={"000010": [FLAT] * 600}, start=date(2021, 1, 4)).panel()
    seen: list[Progress] = []
    result = simulate(panel, request_of(make_document, panel), fake_source(panel), on_progress=seen.append)
    assert [progress.stage for progress in seen][:2] == ["factors", "plan"]
    assert seen[-1].stage == "result"
    walked = [progress for progress in seen if progress.stage == "simulate"]
    assert len(walked) >= 3  # chunks
    assert walked[-1].session == panel.sessions[-1].item()
    assert len(walked[-1].equity_krw) == 600
    assert walked[-1].buys == result.metrics["n_buys"]
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)


@pytest.mark.parametrize("after", [0, 1, 4, 6])
def test_cancel_stops_the_run(market_of: Any, fake_source: Any, make_document: Any, after: int) -> None:
    panel = market_of(bars={"000010": [FLAT] * 600}, start=date(2021, 1, 4)).panel()
    asked = 0

    def cancel() -> bool:
        nonlocal asked
        asked += 1
        return asked > after

    with pytest.raises(Cancelled):
        simulate(panel, request_of(make_document, panel), fake_source(panel), should_cancel=cancel)
    assert asked <= after + 4  # blocks already handed to threads may ask once more


def test_an_error_in_a_block_is_raised() -> None:
    def work(start: int, stop: int) -> None:
        if start > 0:
            raise InputError("no")

    with pytest.raises(InputError, match="no"):
        in_blocks(0, 600, work)


def test_records_grow_as_needed(market_of: Any, run_market: Any) -> None:
    """Every session buys and sells 40 positions: more orders than the records begin with."""
    n, m = 160, 40
    buy = np.zeros((n, m))
    buy[::2] = 1
    market = market_of(
        bars={f"{place:06d}": [FLAT] * n for place in range(m)},
        start=date(2023, 2, 1),
        signals={BUY: buy, "close<1": 1 - buy},
    )
    result = run_market(
        market,
        cash=100_000_000,
        sizing={"max_holdings": m},
        entry={"rules": [{"id": "A", "formula": BUY}]},
        exit={"rules": [{"id": "X", "formula": "close<1"}]},
    )
    assert result.tables["trades"].height == m * (n - 2) + m
    assert result.tables["daily"]["equity_krw"].unique().to_list() == [100_000_000]


def test_candidates_beyond_the_listed_ones_are_found(market_of: Any, run_market: Any) -> None:
    """The plan lists 62 candidates for one holding; the first 80 are too dear for the cash."""
    n_symbols = 90
    dear = (2_000_000.0, 2_000_000.0, 2_000_000.0, 2_000_000.0, 1e6)
    bars = {f"{place:06d}": [dear if place < 80 else FLAT] * 3 for place in range(n_symbols)}
    score = np.tile(-np.arange(n_symbols, dtype=float), (3, 1))
    market = market_of(bars=bars, signals={"volume": score})
    result = run_market(market, sizing={"max_holdings": 1}, ranking={"factors": [{"formula": "volume"}]})
    assert result.tables["trades"]["symbol"].to_list() == ["000080"]


def test_formulas_are_computed_in_one_call(market_of: Any, fake_source: Any, make_document: Any) -> None:
    panel = market_of(bars={"000010": [FLAT] * 3}, signals={}).panel()
    source = fake_source(panel, {"xrank(close)<2": np.ones((3, 1)), "close<1": np.zeros((3, 1))})
    rules = [
        {"id": "A", "formula": "close>1"},
        {"id": "B", "formula": "xrank(close)<2"},
        {"id": "C", "formula": "close>1"},
    ]
    request = request_of(
        make_document,
        panel,
        entry={"rules": rules},
        exit={"rules": [{"id": "X", "formula": "close<1"}]},
        ranking={"factors": [{"formula": "volume"}]},
    )
    simulate(panel, request, source)
    assert source.calls == [(("close>1", "close<1", "volume"), False), (("xrank(close)<2",), True)]


def test_negated_rule_does_not_pass_where_it_is_unknown(market_of: Any, run_market: Any) -> None:
    n = 3
    market = market_of(
        bars={"000010": [FLAT] * n, "000020": [FLAT] * n},
        signals={BUY: np.array([[np.nan, 0.0]] * n), "~(close>1)": np.array([[np.nan, 1.0]] * n)},
    )
    result = run_market(market, entry={"rules": [{"id": "A", "formula": BUY}], "logic": "not A"})
    assert set(result.tables["trades"]["symbol"]) == {"000020"}
    assert set(result.tables["trades"]["rule"]) == {"not A"}


def test_matches_are_the_candidates_of_a_session(market_of: Any, fake_source: Any, make_document: Any) -> None:
    n = 4
    bars = {f"0000{place}0": [(1_000.0, 1_000.0, 1_000.0, 1_000.0, place * 1e5)] * n for place in range(1, 5)}
    signal = np.ones((n, 4))
    signal[-1, 3] = 0
    market = market_of(bars=bars, signals={BUY: signal})
    panel = market.panel()
    entry = {"rules": [{"id": "A", "formula": BUY}]}
    ranked = make_document(
        entry=entry, ranking={"factors": [{"formula": "volume"}]}, rebalancing={"mode": "target", "period": "yearly"}
    )
    source = fake_source(panel, market.signals)
    assert matches(panel, ranked, source, -1) == [("000030", 3e5), ("000020", 2e5), ("000010", 1e5)]
    assert matches(panel, ranked, source, 0)[0] == ("000040", 4e5)
    plain = matches(panel, make_document(entry=entry), source, n - 1)
    assert [symbol for symbol, _ in plain] == ["000010", "000020", "000030"]
    assert all(np.isnan(score) for _, score in plain)
    with pytest.raises(InputError, match="out of range"):
        matches(panel, ranked, source, n)


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ({"universe": {"markets": ["UPBIT"]}}, InputError, "universe is of coins"),
        ({"exit": {"rank_below": 5}}, InputError, "needs a ranking"),
        ({"sizing": {"method": "market_cap"}}, InputError, "needs market caps"),
        ({"sizing": {"max_sector_weight": 0.5}}, InputError, "needs sectors"),
        ({"entry": {"rules": [{"id": "A", "formula": "mcap>1"}]}}, InputError, "Rule A .* lacks mcap"),
        ({"entry": {"rules": [{"id": "A", "formula": "clsoe>1"}]}}, FormulaError, "clsoe"),
        ({"entry": {"rules": [{"id": "A", "formula": "close>1"}], "logic": "A and B"}}, FormulaError, "B"),
    ],
)
def test_what_cannot_run_is_refused(
    market_of: Any, run_market: Any, parts: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run_market(market_of(bars={"000010": [FLAT] * 3}), **parts)


def test_range_without_sessions_is_refused(market_of: Any, fake_source: Any, make_document: Any) -> None:
    panel = market_of(bars={"000010": [FLAT] * 3}).panel()
    request = replace(request_of(make_document, panel), start=date(2030, 1, 1), end=date(2030, 2, 1))
    with pytest.raises(InputError, match="No session between"):
        simulate(panel, request, fake_source(panel))


def test_one_session_is_a_run_without_trades(market_of: Any, run_market: Any) -> None:
    result = run_market(market_of(bars={"000010": [FLAT] * 3}), last=0)
    assert result.tables["orders"].is_empty()
    assert result.tables["daily"].height == 1


def test_card_says_what_to_know(market_of: Any, run_market: Any) -> None:
    result = run_market(market_of(bars={"000010": [FLAT] * 3}, index=[100.0, 101.0, np.nan]))
    card = result.card
    assert card["price_basis"] == "adjusted"
    assert card["counts"]["hypothetical_share_counts"] is True
    assert card["counts"]["tv_estimated"] is True
    assert card["risk_free"] == "0 (no series loaded)"
    assert any("share counts are hypothetical" in note for note in card["notes"])
    assert card["initial_cash_krw"] == 1_000_000
    assert card["strategy"]["name"] == "test"
    assert result.tables["daily"]["benchmark"].to_list() == [100.0, 101.0, None]


def test_books_that_do_not_balance_raise(market_of: Any, fake_source: Any, make_document: Any) -> None:
    from stocklab.backtest.assemble import build_tables
    from stocklab.backtest.plan import build_plan
    from stocklab.backtest.walking import run_kernel

    panel = market_of(bars={"000010": [FLAT] * 3}).panel()
    request = request_of(make_document, panel)
    plan = build_plan(panel, request, fake_source(panel))
    state = run_kernel(panel, request, plan)
    assert isinstance(build_tables(panel, request, plan, state)["daily"], pl.DataFrame)
    state.days["cash"][1] += 1
    with pytest.raises(AssertionError, match="ledger = cash"):
        build_tables(panel, request, plan, state)
