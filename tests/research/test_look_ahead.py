"""The look-ahead check finds what peeks, names the session, and finds nothing in what does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stocklab.backtest import RunRequest, coverage
from stocklab.backtest.layout import State
from stocklab.backtest.plan import Plan, build_plan
from stocklab.backtest.walking import run_kernel
from stocklab.data import Store, open_panel
from stocklab.errors import Cancelled
from stocklab.factors import DirectSource, Wanted
from stocklab.factors.one_symbol import VIEW_ARRAYS
from stocklab.market.fundamentals import Fundamentals, StatementMode
from stocklab.market.memberships import Memberships
from stocklab.market.panel import Instruments, Panel, PriceBasis
from stocklab.research.cut_panel import cut_after
from stocklab.research.look_ahead import Engine, LookAhead, find_look_ahead
from stocklab.strategy import PRESETS, Strategy
from stocklab.types import AnyArray, BoolArray

START, END = date(2018, 1, 2), date(2022, 12, 29)


@pytest.fixture(scope="module")
def panel(demo_home: Path) -> Panel:
    return open_panel(Store(demo_home), basis=PriceBasis.RAW)


def asked(strategy: Strategy, start: date = START, end: date = END) -> RunRequest:
    return RunRequest(strategy=strategy, start=start, end=end, initial_cash_krw=100_000_000)


def with_rule(formula: str) -> Strategy:
    parts = PRESETS["momentum_12_1"].strategy.model_dump(mode="json")
    parts["entry"] = {"rules": [{"id": "A", "formula": formula}], "logic": None}
    return Strategy.model_validate(parts)


def check(panel: Panel, strategy: Strategy, engine: Engine | None = None, **options: Any) -> LookAhead:
    source = (engine or Engine()).source_of(panel)
    return find_look_ahead(panel, asked(strategy), source, engine=engine, **options)


# --- nothing to find -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset_id", PRESETS)
def test_presets_decide_the_same_without_the_future(panel: Panel, preset_id: str) -> None:
    found = check(panel, PRESETS[preset_id].strategy, sessions=3)
    assert found.differences == ()
    assert (found.identical, found.n_differences, len(found.sessions)) == (True, 0, 3)


@pytest.mark.realdata
def test_presets_decide_the_same_on_the_real_market(real_store: Store) -> None:
    real = open_panel(real_store, basis=PriceBasis.ADJUSTED)
    checked = 0
    for preset in PRESETS.values():
        if not coverage(preset.strategy, real).can_buy:
            continue
        request = asked(preset.strategy, date(2017, 1, 2), date(2021, 12, 30))
        found = find_look_ahead(real, request, DirectSource(real), sessions=2)
        assert found.differences == (), preset.id
        assert found.identical
        checked += 1
    assert checked == 14  # twelve on prices alone, two on accounts (tests/strategy/test_presets_on_real_data.py)


def test_what_is_sampled_holds_decisions_a_rebalancing_and_an_early_session(panel: Panel) -> None:
    strategy = PRESETS["short_term_reversal"].strategy
    found = check(panel, strategy)
    request = asked(strategy)
    plan = build_plan(panel, request, DirectSource(panel))
    decided = run_kernel(panel, request, plan)
    orders = decided.orders[: decided.book[0].n_orders]["decided"]
    cuts = np.searchsorted(panel.sessions, np.array(found.sessions, dtype="datetime64[D]"))
    assert len(set(cuts.tolist())) == 8
    assert orders.min() in cuts
    assert np.isin(cuts, orders).sum() >= 4
    assert np.isin(cuts, decided.trades[: decided.book[0].n_trades]["session"]).any()
    assert plan.schedule[cuts - plan.first].any()
    assert cuts.min() - plan.first < (plan.last - plan.first) / 20
    assert cuts.max() < plan.last - 1  # a session of the run follows, whose bars are drawn
    assert found == check(panel, strategy)
    assert check(panel, strategy, seed=1).sessions != found.sessions


def test_a_run_of_one_session_cannot_be_checked(panel: Panel) -> None:
    request = asked(PRESETS["momentum_12_1"].strategy, date(2019, 1, 2), date(2019, 1, 2))
    found = find_look_ahead(panel, request, DirectSource(panel))
    assert (found.identical, found.sessions) == (None, ())


def test_it_stops_when_told(panel: Panel) -> None:
    done: list[float] = []
    with pytest.raises(Cancelled):
        check(panel, PRESETS["momentum_12_1"].strategy, on_progress=done.append, should_cancel=lambda: bool(done))
    assert done == [0.0]


# --- what peeks ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tomorrow:
    """Gives every value of the next session."""

    panel: Panel

    def compute(self, wanted: Sequence[Wanted], universe: BoolArray | None = None) -> tuple[AnyArray, ...]:
        found = DirectSource(self.panel).compute(wanted, universe)
        return tuple(np.concatenate([values[1:], values[-1:]]) for values in found)


def test_values_of_tomorrow_are_found_where_they_were_used(panel: Panel) -> None:
    found = check(panel, PRESETS["short_term_reversal"].strategy, Engine(source_of=Tomorrow))
    assert found.identical is False
    scores = [each for each in found.differences if each.part == "score"]
    assert scores
    assert all(each.session == each.cut for each in scores)  # the row of the cut alone read what was cut off
    assert {each.cut for each in scores} <= set(found.sessions)
    assert {"order", "candidates"} <= {each.part for each in found.differences}


def test_the_value_shown_is_the_one_of_the_next_session(panel: Panel) -> None:
    strategy = PRESETS["momentum_12_1"].strategy
    found = check(panel, strategy, Engine(source_of=Tomorrow))
    each = next(each for each in found.differences if each.part == "score")
    (values,) = DirectSource(panel).compute([Wanted(strategy.ranking.factors[0].formula, "value")])
    row = int(np.searchsorted(panel.sessions, np.datetime64(each.cut)))
    assert each.run == f"{values[row + 1, panel.column(each.symbol)]:.10g}"


def peeking_universe(panel: Panel, request: RunRequest, source: Any, **options: Any) -> Plan:
    """A universe of what will rise tomorrow."""
    plan = build_plan(panel, request, source, **options)
    close = np.asarray(panel.fields["close_raw"], dtype=np.float64)
    universe = plan.universe.copy()
    universe[:-1] &= ~(close[1:] <= close[:-1])
    return replace(plan, universe=universe)


def survivors_only(panel: Panel, request: RunRequest, source: Any, **options: Any) -> Plan:
    """A universe without what will be delisted."""
    plan = build_plan(panel, request, source, **options)
    return replace(plan, universe=plan.universe & np.isnat(panel.instruments.delisted_on))


@pytest.mark.parametrize("plan_of", [peeking_universe, survivors_only])
def test_a_universe_that_knows_the_future_is_found(panel: Panel, plan_of: Callable[..., Plan]) -> None:
    found = check(panel, PRESETS["momentum_12_1"].strategy, Engine(plan_of=plan_of))
    assert found.identical is False
    universe = [each for each in found.differences if each.part == "universe"]
    assert universe
    if plan_of is survivors_only:
        gone = set(np.asarray(panel.symbols)[~np.isnat(panel.instruments.delisted_on)].tolist())
        assert {each.symbol for each in universe} <= gone
        assert {(each.run, each.replay) for each in universe} == {("no", "yes")}
    else:
        assert {each.session for each in universe} <= set(found.sessions)


def with_lists(panel: Panel) -> Panel:
    """The panel with an index whose members change every hundred sessions."""
    rows = np.arange(500, panel.n_sessions, 100)
    drawn = [np.flatnonzero(np.random.default_rng(row).random(panel.n_symbols) < 0.5) for row in rows.tolist()]
    lists = Memberships(
        groups=(("index", "KOSPI200"),),
        first_list=np.array([0, len(rows)]),
        list_row=rows,
        first_member=np.cumsum([0, *(len(each) for each in drawn)]),
        member=np.concatenate(drawn),
    )
    return replace(panel, memberships=lists)


def tomorrows_members(panel: Panel, request: RunRequest, source: Any, **options: Any) -> Plan:
    """A universe of an index by the list of the day after."""
    lists = replace(panel.memberships, list_row=np.maximum(panel.memberships.list_row - 1, 0))
    return build_plan(replace(panel, memberships=lists), request, source, **options)


def test_members_of_an_index_are_those_of_the_day(panel: Panel) -> None:
    parts = PRESETS["momentum_12_1"].strategy.model_dump(mode="json")
    strategy = Strategy.model_validate(parts | {"universe": parts["universe"] | {"index": "KOSPI200"}})
    assert check(with_lists(panel), strategy, sessions=3).identical
    found = check(with_lists(panel), strategy, Engine(plan_of=tomorrows_members), sessions=3)
    assert {each.part for each in found.differences} >= {"universe"}


def shifted_bars(panel: Panel, request: RunRequest, plan: Plan, **options: Any) -> State:
    """A simulator that trades in the bars of the session after."""
    bars = dict(panel.fields)
    for name in panel.order_fields:
        moved = np.concatenate([bars[name][1:], bars[name][-1:]])
        moved.flags.writeable = False
        bars[name] = moved
    return run_kernel(replace(panel, fields=bars), request, plan, **options)


def test_bars_that_are_shifted_are_found_in_what_was_traded(panel: Panel) -> None:
    found = check(panel, PRESETS["short_term_reversal"].strategy, Engine(walk=shifted_bars))
    assert found.identical is False
    parts = {each.part for each in found.differences}
    assert {"trade", "cash"} <= parts
    assert parts <= {"order", "trade", "position", "waiting", "cash", "share_change"}  # the plan is as it was
    trades = [each for each in found.differences if each.part == "trade"]
    assert {each.session for each in trades} <= set(found.sessions)
    assert all("price" in each.run and each.symbol in panel.symbols for each in trades if each.run and each.replay)


def test_a_level_of_adjusted_prices_knows_later_splits_and_one_of_traded_prices_does_not(panel: Panel) -> None:
    later = check(panel, with_rule("close<5000"))
    assert later.identical is False
    cells = [each for each in later.differences if each.part == "entry"]
    adjusted, traded = panel.fields["close"], panel.fields["close_raw"]
    for each in cells:
        row = int(np.searchsorted(panel.sessions, np.datetime64(each.cut)))
        assert adjusted[row, panel.column(each.symbol)] != traded[row, panel.column(each.symbol)]
    assert check(panel, with_rule("close_raw<5000")).identical
    assert check(panel, with_rule("close<sma(close,20)")).identical


def test_numbers_as_corrected_later_are_hindsight(demo_home: Path) -> None:
    store = Store(demo_home)
    filed = open_panel(store, basis=PriceBasis.RAW).fundamentals
    panel = open_panel(store, basis=PriceBasis.RAW, statements=StatementMode.RESTATED)
    parts = PRESETS["growth_sales_profit"].strategy.model_dump(mode="json")
    strategy = Strategy.model_validate({**parts, "statements": "restated"})
    found = check(panel, strategy, sessions=12, as_filed=filed)
    assert found.identical is False
    assert found.hindsight
    assert found.n_differences > 0  # what was corrected after a cut was not known at it
    prices = Strategy.model_validate({**PRESETS["momentum_12_1"].strategy.model_dump(), "statements": "restated"})
    assert check(panel, prices, sessions=2, as_filed=filed).identical  # reads no report


# --- the cut panel itself ------------------------------------------------------------------------------------------


def test_a_cut_panel_holds_the_past_to_the_bit_and_nothing_of_the_future(panel: Panel) -> None:
    t = 1200
    cut = cut_after(panel, t, seed=3)
    assert cut.n_sessions == t + 2
    assert (cut.sessions == panel.sessions[: t + 2]).all()
    for name in ("close_raw", "volume_raw", "traded", "listed", "market", "base_price", "list_age"):
        assert np.array_equal(cut.fields[name][: t + 1], panel.fields[name][: t + 1], equal_nan=True), name
        assert not cut.fields[name].flags.writeable
    drawn, real = cut.fields["close_raw"][t + 1], panel.fields["close_raw"][t + 1]
    known = ~np.isnan(real)
    assert (drawn[known] != real[known]).mean() > 0.99
    # adjusted prices: symbols with a later event have another scale, and every ratio is what it was
    ratio = cut.fields["close"][: t + 1] / panel.fields["close"][: t + 1]
    for column in range(panel.n_symbols):
        scale = ratio[~np.isnan(ratio[:, column]), column]
        if not len(scale):
            continue
        assert (scale == scale[0]).all()
        last = np.flatnonzero(~np.isnan(ratio[:, column]))[-1]
        has_event = panel.fields["close"][last, column] != panel.fields["close_raw"][last, column]
        assert (scale[0] != 1.0) == has_event
    day = panel.sessions[t]
    gone = cut.instruments.delisted_on
    assert not (gone > day).any()
    past = panel.instruments.delisted_on <= day
    assert (gone[past] == panel.instruments.delisted_on[past]).all()
    assert np.isnat(gone[~past]).all()
    assert cut.fundamentals is not None
    assert cut.fundamentals.report_day.max() <= day.astype(int)
    assert cut.fundamentals.view_row.max() <= t
    assert cut.key != panel.key


def test_reports_of_a_cut_panel_are_those_that_had_been_filed(panel: Panel) -> None:
    t = 900
    known, cut = panel.fundamentals, cut_after(panel, t).fundamentals
    assert known is not None
    assert cut is not None
    day = panel.sessions[t].astype(int)
    for symbol in range(panel.n_symbols):
        reports = range(known.first_report[symbol], known.first_report[symbol + 1])
        filed = [known.report_day[report] for report in reports if known.report_day[report] <= day]
        kept = cut.report_day[cut.first_report[symbol] : cut.first_report[symbol + 1]]
        assert kept.tolist() == filed


# --- nothing is forgotten ------------------------------------------------------------------------------------------


def test_every_part_of_plan_state_and_panel_is_compared_cut_or_named_here() -> None:
    """A field that is added later fails here until the check has been taught about it."""

    def names(kind: Any) -> set[str]:
        return {each.name for each in fields(kind)}

    derived = {"quotes", "quote_of", "slot_of"}  # one session's bars, and where a symbol's position is
    compared = {"book", "orders", "trades", "held", "actions", "positions", "waiting", "active", "sold_on", "days"}
    compared |= {"claims"}
    assert names(State) == compared | derived
    read = {"universe", "entry", "score", "candidates", "weights", "exit_code", "ranks", "unsafe", "schedule"}
    same = {"first", "last", "keep", "keep_count", "coverage", "counts"}  # of the document and of the range
    assert names(Plan) == read | same | {"entry_ok"}  # entry_ok is entry, where it is read
    as_of_today = {"names", "sectors", "kinds", "financial"}
    hidden = {"listed_on", "delisted_on", "delisting_reason", "pays_last_close"}
    assert names(Instruments) == as_of_today | hidden
    cut = {"sessions", "fields", "series", "indices", "rf", "instruments", "fundamentals", "by_symbol", "key"}
    cut |= {"entitlements", "memberships"}
    facts = {"symbols", "rf_known", "basis", "snapshot_id", "synthetic", "tv_estimated", "notes"}
    assert names(Panel) == cut | facts
    per_report = {"report_day", "report_slot", "report_end", "report_quarter"}
    per_report |= {"consolidated", "from_deadline", "restated", "first_report"}
    amounts = {"quarter_amounts", "cumulative_amounts", "balances"}
    events, firsts = {"event_day", "event_ratio"}, {"first_event", "first_view"}
    assert names(Fundamentals) == per_report | amounts | events | firsts | set(VIEW_ARRAYS) | {"mode", "items", "width"}
