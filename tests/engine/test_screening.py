"""A screen answers what a hand count on the panel answers, and what the backtest would buy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from stocklab.backtest import RunRequest, matches, simulate
from stocklab.data import Store, open_panel
from stocklab.data.csv_text import csv_of
from stocklab.data.factor_cache import CachedSource, flush
from stocklab.data.screen_text import describe_screen
from stocklab.data.screening import explain, run_screen, session_row, strategy_hits
from stocklab.errors import FormulaError, InputError
from stocklab.factors import DirectSource
from stocklab.market.panel import Panel
from stocklab.strategy import PRESETS, parse_document
from stocklab.strategy.document import ExitRules, Rebalancing
from stocklab.strategy.screen import Screen, parse_screen, strategy_of

EVERYTHING = {"markets": ["KOSPI", "KOSDAQ", "KONEX"], "exclude": [], "min_listed_sessions": 0}


@pytest.fixture(scope="module")
def panel(demo_home: Path) -> Panel:
    return open_panel(Store(demo_home))


@pytest.fixture
def source(panel: Panel, tmp_path: Path) -> CachedSource:
    return CachedSource(panel, tmp_path)


def screen(*formulas: str, logic: str | None = None, **more: object) -> Screen:
    rules = [{"id": "ABCDEFGHIJ"[place], "formula": formula} for place, formula in enumerate(formulas)]
    return parse_screen({"universe": EVERYTHING, "conditions": {"rules": rules, "logic": logic}, **more})


def found(panel: Panel, mask: np.ndarray) -> list[str]:
    return [panel.symbols[place] for place in np.flatnonzero(mask)]


def test_conditions_are_those_of_a_hand_count_on_the_day(panel: Panel, source: CachedSource):
    t = 1800
    day = panel.sessions[t].item()
    close = np.asarray(panel.fields["close"], dtype=np.float64)
    window = close[t - 19 : t + 1]
    full = panel.fields["listed"][t - 19 : t + 1].all(axis=0)  # the average needs twenty sessions
    above = full & (close[t] > np.where(full, window.mean(axis=0), np.nan))
    rose = panel.fields["listed"][t - 1 : t + 1].all(axis=0) & (close[t] > close[t - 1])
    result = run_screen(panel, screen("close>sma(close,20)", "close>lag(close,1)"), source, on=day)
    assert result.session == day
    assert result.notes == () or all(note.code != "earlier_session" for note in result.notes)
    assert result.rows["symbol"].to_list() == found(panel, above & rose)
    listed = int(panel.fields["listed"][t].sum())
    assert result.universe == result.truth.height == listed
    first, second = result.conditions
    assert (first.true, second.true) == (int(above.sum()), int(rose.sum()))
    assert first.unknown == int((panel.fields["listed"][t] & ~full).sum())
    assert first.true + first.false + first.unknown == listed
    assert result.relaxed() == {"A": int(rose.sum()), "B": int(above.sum())}


def test_ranks_are_among_the_universe_of_the_day(panel: Panel, source: CachedSource):
    t = panel.n_sessions - 1
    kosdaq = {**EVERYTHING, "markets": ["KOSDAQ"]}
    result = run_screen(panel, screen("xrank(tv,1)<=5", universe=kosdaq, columns=["tv"], sort={"by": "tv"}), source)
    members = panel.fields["listed"][t] & (panel.fields["market"][t] == 2)
    value = np.where(members, panel.fields["tv"][t], -np.inf)
    assert result.rows["symbol"].to_list() == [panel.symbols[s] for s in np.argsort(-value, kind="stable")[:5]]
    assert set(result.rows["market"]) == {"KOSDAQ"}
    assert result.rows["tv"].to_list() == sorted(result.rows["tv"], reverse=True)


def test_what_is_unknown_neither_holds_nor_fails(panel: Panel, source: CachedSource):
    early = panel.sessions[100].item()
    result = run_screen(panel, screen("close>sma(close,250)", logic="not A"), source, on=early)
    (one,) = result.conditions
    assert (one.true, one.false, one.unknown) == (0, 0, result.universe)
    assert result.matched == 0, "not unknown is unknown"
    assert result.truth["A"].null_count() == result.truth.height
    assert [note.code for note in result.notes if note.code.startswith("unknown_e")] == ["unknown_everywhere"]
    negated = run_screen(panel, screen("close>sma(close,20)", logic="not A"), source)
    assert negated.matched == negated.conditions[0].false > 0


def test_a_missing_input_is_named_and_never_an_empty_table_without_a_word(panel: Panel, tmp_path: Path):
    fields = {name: values for name, values in panel.fields.items() if name != "mcap"}
    poor = replace(panel, fields=fields, key=panel.key + "-poor")
    asked = screen("market_cap>0", "nz(market_cap)>=0", columns=["market_cap"])
    result = run_screen(poor, asked, CachedSource(poor, tmp_path))
    assert [(one.missing, one.never) for one in result.conditions] == [(("mcap",), True), (("mcap",), False)]
    assert [note.code for note in result.notes][:3] == ["never", "partly", "column"]
    assert "needs mcap" in result.notes[0].words
    assert "can never match" in result.notes[0].words
    assert result.conditions[1].true == result.universe, "nz() answers without it"
    assert result.matched == 0


def test_a_day_without_a_session_is_the_one_before_it(panel: Panel, source: CachedSource):
    monday = next(t for t in range(500, 600) if (panel.sessions[t] - panel.sessions[t - 1]).astype(int) >= 3)
    sunday = panel.sessions[monday].item() - timedelta(days=1)
    result = run_screen(panel, screen("close>0"), source, on=sunday)
    assert result.session == panel.sessions[monday - 1].item()
    assert result.asked == sunday
    assert result.notes[0].code == "earlier_session"
    assert session_row(panel, None) == session_row(panel, date(2200, 1, 1)) == panel.n_sessions - 1
    with pytest.raises(InputError, match="the data begin on"):
        run_screen(panel, screen("close>0"), source, on=date(1990, 1, 1))


def test_order_limit_and_unknown_values(panel: Panel, source: CachedSource):
    young = screen("close>0", columns=["ret_12m"], sort={"by": "ret_12m", "direction": "asc"})
    rows = run_screen(panel, young, source, on=panel.sessions[400].item()).rows
    known = rows["ret_12m"].drop_nulls()
    assert 0 < known.len() < rows.height
    assert known.is_sorted()
    assert rows["ret_12m"].tail(rows.height - known.len()).is_null().all(), "unknown comes last"
    top = run_screen(panel, young.model_copy(update={"limit": 3}), source, on=panel.sessions[400].item())
    assert top.rows.equals(rows.head(3))
    assert top.matched == rows.height
    by_name = run_screen(panel, screen("close>0", sort={"by": "name", "direction": "asc"}), source).rows
    assert by_name["name"].is_sorted()


def test_the_same_day_again_computes_nothing(panel: Panel, tmp_path: Path):
    asked = screen("close>sma(close,20)", "xpct(ret_1m)>0.5", "rsi_14<70", columns=["rsi_14"])
    cold = CachedSource(panel, tmp_path)
    first = run_screen(panel, asked, cold)
    flush()
    warm = CachedSource(panel, tmp_path)
    second = run_screen(panel, asked, warm, on=panel.sessions[-1].item())
    assert (cold.hits, warm.misses) == (0, 0)
    assert second.rows.equals(first.rows)
    assert run_screen(panel, asked, DirectSource(panel)).rows.equals(first.rows)


@pytest.mark.parametrize("preset", ["momentum_12_1", "rsi_reversal", "piotroski_f_score"])
def test_hits_of_a_strategy_are_its_candidates_in_order(panel: Panel, source: CachedSource, preset: str):
    strategy = PRESETS[preset].strategy
    for t in (900, 1700, panel.n_sessions - 1):
        hits = strategy_hits(panel, strategy, source, on=panel.sessions[t].item())
        assert hits.rows["symbol"].to_list() == [symbol for symbol, _ in matches(panel, strategy, source, t)]
        if strategy.ranking.factors and hits.rows.height:
            assert "score" in hits.rows.columns


def test_a_backtest_buys_only_what_the_screen_found_the_evening_before(panel: Panel, source: CachedSource):
    asked = screen("close>sma(close,60)", "xpct(ret_6m)>0.7", sort={"by": "ret_6m"})
    daily = {"rebalancing": Rebalancing(mode="signal"), "exit": ExitRules(max_holding=5)}
    strategy = strategy_of(asked, "x").model_copy(update=daily)
    start, end = panel.sessions[1500].item(), panel.sessions[1600].item()
    request = RunRequest(strategy=strategy, start=start, end=end, initial_cash_krw=100_000_000)
    trades = simulate(panel, request, source).tables["trades"]
    bought = trades.filter(pl.col("side") == "buy").select("session", "symbol").unique()
    assert bought.height > 20
    for session in bought["session"].unique():
        before = panel.sessions[int(np.searchsorted(panel.sessions, np.datetime64(session))) - 1].item()
        hits = run_screen(panel, asked, source, on=before).rows["symbol"].to_list()
        assert set(bought.filter(pl.col("session") == session)["symbol"]) <= set(hits)


def test_a_strategy_that_keeps_the_best_says_how_many(panel: Panel, source: CachedSource):
    strategy = parse_document(
        {
            "name": "x",
            "ranking": {"factors": [{"formula": "ret_6m"}], "keep": "top", "count": 4},
            "universe": EVERYTHING,
        }
    )
    hits = strategy_hits(panel, strategy, source, columns=("rsi_14",))
    assert hits.matched == hits.rows.height == 4
    assert hits.columns == ("ret_6m", "rsi_14")
    best = run_screen(panel, screen(columns=["ret_6m"], sort={"by": "ret_6m"}), source).rows
    assert hits.rows["symbol"].to_list() == best["symbol"].head(4).to_list()
    assert any(note.code == "kept" for note in hits.notes)


def test_one_stock_is_explained_with_the_values_compared(panel: Panel, source: CachedSource):
    asked = screen("close>1.02*sma(close,20)", "rsi_14<70", "new_high_52w")
    symbol = run_screen(panel, screen("close>0"), source).rows["symbol"][0]
    first, second, third = explain(panel, asked, source, symbol)
    close, average = (value for _, value in first.values)
    column = panel.column(symbol)
    window = np.asarray(panel.fields["close"][-20:, column], dtype=np.float64)
    assert close == window[-1]
    assert average == pytest.approx(window.mean(), rel=1e-12)
    assert first.holds is bool(close > 1.02 * average)
    assert [formula for formula, _ in second.values] == ["rsi_14"]
    assert third.values == ()
    with pytest.raises(InputError, match="not in this snapshot"):
        explain(panel, asked, source, "999999")


def test_as_text_and_as_csv(panel: Panel, source: CachedSource):
    result = run_screen(panel, screen("rsi_14<60", "close>0", columns=["rsi_14"], limit=4), source)
    words = describe_screen(result, synthetic=True, most=2)
    assert "demo data (synthetic)" in words
    assert "A  rsi_14<60: true" in words
    assert "... and 2 more" in words
    written = csv_of(result.rows)
    assert written.startswith(b"\xef\xbb\xbfsymbol,name,market")
    assert pl.read_csv(written).height == 4
    asdict = result.to_dict()
    assert asdict["rows"][0]["conditions"] == {"A": True, "B": True}


def test_a_formula_at_fault_is_an_error(panel: Panel, source: CachedSource):
    asked = screen("close>0").model_copy(update={"columns": ("clsoe",)})
    with pytest.raises(FormulaError, match="close"):
        run_screen(panel, asked, source)
