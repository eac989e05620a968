"""Own factors compute like their meaning written out; runs say by which rule company reports became visible."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from stocklab.backtest import Result, RunRequest, simulate
from stocklab.backtest.rule_coverage import coverage
from stocklab.data.datasets import DATASETS
from stocklab.data.fundamentals_build import fundamentals_of, restate
from stocklab.errors import InputError
from stocklab.factors import DirectSource
from stocklab.market.fundamentals import StatementMode
from stocklab.market.panel import Panel

FLAT = (1_000.0, 1_000.0, 1_000.0, 1_000.0, 1e6)
PEAK = {"id": "peak", "name": "고점 대비", "formula": "close/tmax(high,3)", "unit": "ratio"}
BOUNCE = {"id": "bounce", "formula": "peak-lag(peak,1)"}


def run(panel: Panel, strategy: Any) -> Result:
    start, end = panel.sessions[0].item(), panel.sessions[-1].item()
    request = RunRequest(strategy=strategy, start=start, end=end, initial_cash_krw=1_000_000)
    return simulate(panel, request, DirectSource(panel))


def waves(n: int, shift: int) -> list[tuple[float, ...]]:
    closes = [float(round(1_000 + 120 * np.sin((day + shift) / 3))) for day in range(n)]
    return [(close, close + 5, close - 5, close, 1e6) for close in closes]


def test_a_run_with_a_name_is_the_run_with_its_meaning(market_of: Any, make_document: Any) -> None:
    panel = market_of(bars={f"0000{k}0": waves(60, 4 * k) for k in range(1, 5)}).panel()
    named = make_document(
        factors=[PEAK, BOUNCE],
        entry={"rules": [{"id": "A", "formula": "bounce>0"}]},
        ranking={"factors": [{"formula": "peak", "direction": "low"}]},
        exit={"rules": [{"id": "A", "formula": "peak<0.98"}]},
    )
    peak = f"({PEAK['formula']})"
    written = make_document(
        entry={"rules": [{"id": "A", "formula": f"{peak}-lag({peak},1)>0"}]},
        ranking={"factors": [{"formula": peak, "direction": "low"}]},
        exit={"rules": [{"id": "A", "formula": f"{peak}<0.98"}]},
    )
    first, second = run(panel, named), run(panel, written)
    assert first.metrics == second.metrics
    assert first.tables["trades"].height > 4
    for name, table in first.tables.items():
        assert table.equals(second.tables[name]), name
    assert first.card["strategy"]["factors"][0]["name"] == "고점 대비"
    assert first.card["statements"] is None
    assert first.run_id != second.run_id  # the card shows the document of its own run


def test_a_lack_is_told_by_the_name(market_of: Any, make_document: Any) -> None:
    cheap = {"id": "cheap", "formula": "1/pos(pbr)"}
    strategy = make_document(factors=[cheap], entry={"rules": [{"id": "A", "formula": "cheap>1"}]})
    (lack,) = coverage(strategy, market_of(bars={"000010": [FLAT] * 5}).panel()).blocking
    assert lack.formula == "cheap>1"
    assert "equity_parent" in lack.missing


class TestStatementMode:
    """000010 files assets of 80 on Tuesday 5 March 2024 and corrects them to 120 on Monday 11; 000020 files 200, dated
    Thursday 7 by the deadline. Rule: assets above 100."""

    REPORTS = (
        ("000010", "2024-03-05", "receipt", 80.0),
        ("000010", "2024-03-11", "receipt", 120.0),
        ("000020", "2024-03-07", "deadline", 200.0),
        ("000020", "2024-04-01", "receipt", 300.0),  # after the run
    )

    def panel(self, market_of: Any, mode: StatementMode) -> Panel:
        panel = market_of(bars={"000010": [FLAT] * 10, "000020": [FLAT] * 10}).panel()
        rows = [
            {
                "symbol": symbol,
                "period_end": date(2023, 12, 31),
                "fiscal_year": 2023,
                "fiscal_quarter": 4,
                "statement_basis": "CFS",
                "filed_on": date.fromisoformat(filed),
                "filed_source": source,
                "filing_no": None,
                "months": 0,
                "item": "total_assets",
                "amount": amount,
            }
            for symbol, filed, source, amount in self.REPORTS
        ]
        frame = pl.DataFrame(rows, schema=dict(DATASETS["statements"].schema))
        known = fundamentals_of(frame, None, panel.symbols, panel.sessions, panel.fields["market"])
        if mode is StatementMode.RESTATED:
            known = restate(known, panel.sessions, panel.fields["market"])
        return replace(panel, fundamentals=known, key=f"test-{mode.value}")

    def strategy(self, make_document: Any, mode: StatementMode) -> Any:
        return make_document(
            statements=mode.value,
            factors=[{"id": "assets", "formula": "mrq(total_assets)"}],
            entry={"rules": [{"id": "A", "formula": "assets>100"}]},
            sizing={"max_holdings": 2},
        )

    @pytest.mark.parametrize(
        ("mode", "bought"),
        [
            (StatementMode.STRICT, [("000020", date(2024, 3, 8)), ("000010", date(2024, 3, 12))]),
            (StatementMode.RESTATED, [("000010", date(2024, 3, 6)), ("000020", date(2024, 3, 8))]),
        ],
    )
    def test_it_decides_when_a_number_counts(
        self, mode: StatementMode, bought: list[tuple[str, date]], market_of: Any, make_document: Any
    ) -> None:
        result = run(self.panel(market_of, mode), self.strategy(make_document, mode))
        assert result.tables["trades"].select("symbol", "session").rows() == bought
        assert result.card["statements"]["mode"] == mode.value
        assert any(mode.value in note for note in result.card["notes"])

    def test_the_card_counts_reports_public_in_the_range_and_those_dated_by_deadline(
        self, market_of: Any, make_document: Any
    ) -> None:
        strict = run(
            self.panel(market_of, StatementMode.STRICT), self.strategy(make_document, StatementMode.STRICT)
        ).card["statements"]
        assert strict == {"mode": "strict", "reports": 3, "dated_by_deadline": 1, "restated": 0}

    def test_modes_never_share_a_result_and_a_panel_of_the_other_mode_is_refused(
        self, market_of: Any, make_document: Any
    ) -> None:
        panel = self.panel(market_of, StatementMode.STRICT)
        strict, restated = (self.strategy(make_document, mode) for mode in StatementMode)
        with pytest.raises(InputError, match="asks for restated company reports"):
            run(panel, restated)
        without = {"factors": (), "entry": make_document().entry}  # nothing reads a report: either panel will do
        ids = {run(panel, strategy.model_copy(update=without)).run_id for strategy in (strict, restated)}
        assert len(ids) == 2
