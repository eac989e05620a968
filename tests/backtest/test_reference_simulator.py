"""Random markets and documents: the engine against the slow simulator of `reference_simulator`, to the won.

`STOCKLAB_REFERENCE_CASES` sets how many cases run (default 300), `STOCKLAB_REFERENCE_SEED` where they begin; see
docs/development.md.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from reference_simulator.cases import MODES, Case, cases, coin_cases
from reference_simulator.compare import Disagreement, require_agreement

from stocklab.backtest import RunRequest, simulate
from stocklab.backtest.codes import CAUSE_NAMES, REASON_NAMES, STATUS_NAMES
from stocklab.factors import DirectSource
from stocklab.market.costs import tax_table
from stocklab.market.dividends import withholding_table
from stocklab.market.limits import limit_table
from stocklab.market.panel import Panel
from stocklab.market.ticks import tick_tables
from stocklab.strategy.document import SizingMethod
from stocklab.types import DateArray, IntArray

DEFAULT_CASES = 300
CASES = int(os.environ.get("STOCKLAB_REFERENCE_CASES", str(DEFAULT_CASES)))
ANY_CASE = cases()
DEFAULT_SEED = 20261127
SEED = int(os.environ.get("STOCKLAB_REFERENCE_SEED", str(DEFAULT_SEED)))
ENOUGH = 2_000
"""Cases of any seed that reach everything in `REACHED`; of the default seed the default number does."""


def engine(panel: Panel, case: Case) -> Mapping[str, pl.DataFrame]:
    """The tables of the product's run."""
    request = RunRequest(
        strategy=case.strategy(),
        start=panel.sessions[case.start].item(),
        end=panel.sessions[case.stop].item(),
        initial_cash_krw=case.cash,
    )
    return simulate(panel, request, DirectSource(panel, threads=1)).tables


def run_cases(
    count: int,
    start: int,
    judge: Callable[[Case], None],
    *,
    shrink: bool = True,
    drawn: SearchStrategy[Case] = ANY_CASE,
) -> None:
    """Draw ``count`` cases from a seed and judge each; a failure is shrunk unless told otherwise."""

    @seed(start)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
    )
    @given(drawn)
    def run(case: Case) -> None:
        judge(case)

    run()


OPTIONS = {
    *(f"execution.{side}={mode}" for side in ("buy", "sell") for mode in MODES),
    *(f"sizing.method={method.value}" for method in SizingMethod),
    *(f"exit.{name}.basis={basis}" for name in ("target", "stop", "trailing") for basis in ("intraday", "close")),
    *(f"rebalancing.period={period}" for period in ("daily", "weekly", "monthly", "quarterly", "yearly")),
    *(f"ranking.keep={keep}" for keep in ("all", "top", "bottom")),
    *(f"ranking.factors.transform={name}" for name in ("rank", "zscore", "value")),
    *(f"ranking.factors.neutralize={name}" for name in ("none", "sector", "sector_size")),
    *(f"ranking.factors.direction={name}" for name in ("high", "low")),
    *(f"universe.top.by={name}" for name in ("market_cap", "trading_value")),
    *(f"market_filter.action={name}" for name in ("sell_all", "no_new")),
    "execution.limit_reference=open",
    "execution.limit_reference=previous_close",
    "exit.holding_unit=calendar_days",
    "exit.min_holding_blocks_stops=True",
    "exit.when_entry_fails=True",
    "rebalancing.mode=signal",
    "rebalancing.mode=target",
    "sizing.base=initial",
    "costs.tax=dated",
}
"""Choices of the document that have to be drawn."""

EVERY_SESSION = ("halted", "no_price", "not_listed", "not_reached", "participation")
LIMIT_OF = {"buy": "up", "sell": "down"}
REACHED = {
    "order": {
        "buy filled",
        "buy partial cash",
        "buy partial participation",
        "buy unfilled cash",
        "buy unfilled halted",
        "buy unfilled limit_up",
        "buy unfilled max_holdings",
        "buy unfilled no_price",
        "buy unfilled not_listed",
        "buy unfilled not_reached",
        "buy unfilled participation",
        "buy cancelled superseded",
        "buy cancelled consolidated",
        "sell filled",
        "sell partial participation",
        "sell unfilled not_reached",
        "sell unfilled participation",
        "sell cancelled superseded",
        "sell cancelled delisted",
    },
    "met": {f"{side} {reason}" for side in ("buy", "sell") for reason in (*EVERY_SESSION, f"limit_{LIMIT_OF[side]}")},
    "trade": {f"sell {cause}" for cause in CAUSE_NAMES if cause != "entry"} | {"buy entry", "buy rebalance"},
    "ledger": {
        "buy",
        "sell",
        "commission",
        "tax",
        "slippage",
        "fraction",
        "delisting",
        "rights",
        "dividend",
        "dividend_tax",
    },
    "market": {"KOSPI", "KOSDAQ", "KONEX"},
    "event": {
        "base price moved without a share change",
        "bonus shares listed",
        "bonus shares not listed yet",
        "bonus shares of a sold position sold",
        "consolidation of a holding",
        "consolidation of a holding, base unknown",
        "delisting paid after trading to the end",
        "delisting paid by its reason",
        "delisting paid nothing",
        "dividend paid",
        "holding valued at its last known close",
        "live order scaled",
        "order filled over several sessions",
        "purchase carried to a later session",
        "purchase ended by a sale",
        "rights credited",
        "slippage booked on a buy",
        "slippage booked on a sell",
        "split of a holding",
        "split of a holding, base unknown",
        "stop carried to a later open",
    },
    "option": OPTIONS,
}
"""What the default run has to reach, so that its agreement says something."""

COIN_REACHED = {
    ("order", f"{side} {ending}")
    for side, endings in {
        "buy": ("filled", "partial cash", "partial participation", "unfilled minimum_order", "unfilled halted"),
        "sell": ("filled", "partial participation", "unfilled minimum_order", "unfilled participation"),
    }.items()
    for ending in endings
}
"""What the cases of coins have to reach."""

NEVER = {"position_closed", "end_of_run"}
"""Reasons that guard what the rules exclude (docs/simulator.md, "Endings of an order")."""


@pytest.mark.no_cover  # a third of its time is the tracing of the slow simulator; the coins walk the same engine
def test_engine_agrees_with_the_reference_to_the_won() -> None:
    seen: Counter[tuple[str, str]] = Counter()

    def judge(case: Case) -> None:
        seen.update(require_agreement(case, engine))

    try:
        run_cases(CASES, SEED, judge)
    except Disagreement as failure:
        failure.add_note(f"STOCKLAB_REFERENCE_SEED={SEED} STOCKLAB_REFERENCE_CASES={CASES} repeats this run")
        raise
    assert not [words for kind, words in seen if kind == "order" and words.split()[-1] in NEVER]
    if CASES >= ENOUGH or (SEED == DEFAULT_SEED and CASES >= DEFAULT_CASES):
        assert {kind: words - {name for what, name in seen if what == kind} for kind, words in REACHED.items()} == {
            kind: set() for kind in REACHED
        }


def test_coins_agree_to_the_last_unit() -> None:
    seen: Counter[tuple[str, str]] = Counter()

    def judge(case: Case) -> None:
        seen.update(require_agreement(case, engine))

    run_cases(max(CASES // 2, 20), SEED, judge, drawn=coin_cases())
    if SEED == DEFAULT_SEED and CASES >= DEFAULT_CASES:
        assert COIN_REACHED - set(seen) == set()
    assert seen["ledger", "tax"] == sum(count for (kind, words), count in seen.items() if words == "tax")
    assert not [words for kind, words in seen if kind == "met" and "limit_" in words], "coins have no price limits"


@pytest.mark.parametrize(
    ("symbols", "sessions"),
    [((70, 90), (30, 40)), ((3, 8), (300, 600))],
    ids=["more candidates than are listed", "several pieces"],
)
def test_wide_and_long_markets_agree(symbols: tuple[int, int], sessions: tuple[int, int]) -> None:
    drawn = cases(symbols=symbols, sessions=sessions)
    run_cases(max(CASES // 40, 5), SEED, lambda case: require_agreement(case, engine), drawn=drawn)


def test_every_reason_and_status_is_among_those_to_reach() -> None:
    words = {"minimum_order"} | {word for ending in REACHED["order"] | REACHED["met"] for word in ending.split()[1:]}
    assert words | NEVER == {*STATUS_NAMES, *REASON_NAMES} - {"open", ""}


def test_the_rules_name_every_word_of_the_tables() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/simulator.md").read_text(encoding="utf-8")
    words = {*STATUS_NAMES, *REASON_NAMES, *CAUSE_NAMES, *REACHED["ledger"]} - {"open", ""}
    assert {word for word in words if f"`{word}`" not in text} == set()


def later_tax(sessions: DateArray) -> IntArray:
    """The tax table, every change one day late."""
    return tax_table(sessions - np.timedelta64(1, "D"))


def coarser_ticks() -> tuple[IntArray, IntArray]:
    """The tick tables with one band of the current one too coarse."""
    starts, ticks = tick_tables()
    return starts, np.where((starts == 2_000) & (ticks == 5), 10, ticks)


def narrower_limits(sessions: DateArray) -> IntArray:
    """Price limits of 29 % where 30 % is the law."""
    return limit_table(sessions) * 29 // 30


def lower_withholding(sessions: DateArray) -> IntArray:
    """Dividends of which 15.3 % are withheld where it is 15.4 %."""
    return withholding_table(sessions) - 1_000_000


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("module", "name", "wrong"),
    [
        ("ground", "tax_table", later_tax),
        ("ground", "tick_tables", coarser_ticks),
        ("ground", "limit_table", narrower_limits),
        ("corporate_actions", "withholding_table", lower_withholding),
    ],
)
def test_a_wrong_table_is_noticed(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str, wrong: Callable[..., object]
) -> None:
    monkeypatch.setattr(sys.modules[f"stocklab.backtest.{module}"], name, wrong)
    with pytest.raises(Disagreement):
        run_cases(200, SEED, lambda case: require_agreement(case, engine), shrink=False)


def with_part(case: Case, part: str, **changed: object) -> Case:
    """The case with options of one part of its document changed."""
    return replace(case, parts={**case.parts, part: {**case.parts[part], **changed}})


@pytest.mark.parametrize(
    ("part", "option", "wrong"),
    [
        ("execution", "participation", lambda value: min(value * 1.1, 1.0)),
        ("execution", "carry_unfilled_sessions", lambda value: value + 1),
        ("costs", "commission_rate", lambda value: value + 1e-6),
        ("exit", "reentry_wait_sessions", lambda value: value + 1),
        ("sizing", "cash_buffer", lambda value: value + 1e-4),
    ],
)
def test_a_wrong_option_is_noticed(part: str, option: str, wrong: Callable[[float], float]) -> None:
    def other_engine(panel: Panel, case: Case) -> Mapping[str, pl.DataFrame]:
        return engine(panel, with_part(case, part, **{option: wrong(case.parts[part][option])}))

    with pytest.raises(Disagreement):
        run_cases(200, SEED, lambda case: require_agreement(case, other_engine), shrink=False)


def test_a_failure_shows_both_rows_and_the_case() -> None:
    def doubled(panel: Panel, case: Case) -> Mapping[str, pl.DataFrame]:
        frames = engine(panel, case)
        return {**frames, "daily": frames["daily"].with_columns(cash_krw=pl.col("cash_krw") + 1)}

    with pytest.raises(
        Disagreement, match=r"(?s)daily, row 0:\n  engine     .*\n  reference  .*\ncase: \{\"shape\""
    ) as shown:
        run_cases(1, SEED, lambda case: require_agreement(case, doubled), shrink=False)
    case = Case.from_text(str(shown.value).split("case: ")[1].split("\n")[0])
    require_agreement(case, engine)


def test_the_reference_imports_no_simulator() -> None:
    for source in sorted((Path(__file__).parent / "reference_simulator").glob("*.py")):
        text = source.read_text(encoding="utf-8")
        for module in ("stocklab.backtest", "stocklab.market.ticks", "stocklab.market.limits", "stocklab.market.costs"):
            assert f"from {module}" not in text, source.name
            assert f"import {module}" not in text, source.name
