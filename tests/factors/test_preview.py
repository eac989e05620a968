"""A formula on one stock as it is typed: the same numbers as a run, nothing from later days, and never long or large."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from patience import promptly

from stocklab.errors import Cancelled, FormulaError
from stocklab.factors import NO_DEFINITIONS, Definition, Wanted, evaluate, expand, translate
from stocklab.factors.preview import preview
from stocklab.market.panel import Panel

OWN = NO_DEFINITIONS.adding(Definition(id="calm", formula="ret(close,20)/tstd(ret1,20,1)")).adding(
    Definition(id="edge", formula="xz(calm)+tpctrank(volume,30)")
)
FORMULAS = ("calm", "edge", "ema(close,12)", "lag(calm,5)+bars_since(close>open)", "xpct(calm)>0.8", "mkt_close/rsi_14")
SYMBOL = "000003"


@pytest.mark.parametrize("formula", FORMULAS)
def test_one_stock_alone_gives_what_the_whole_market_gives(formula: str, market_panel: Panel) -> None:
    plain = expand(formula, OWN)
    (whole,) = evaluate([Wanted(plain, "value")], market_panel)
    found = preview(plain, market_panel, SYMBOL, sessions=100)
    np.testing.assert_array_equal(found.values, whole[-100:, 3])
    assert found.across is (formula in ("edge", "xpct(calm)>0.8"))
    assert (found.sessions[-1], found.latest) == (market_panel.sessions[-1], found.values[-1])


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("t", [230, 345, 418])
def test_nothing_reads_past_a_day(formula: str, t: int, market_panel: Panel) -> None:
    """Whatever happens after t, and whether it happened at all, the values up to t stay the same bits."""
    plain = expand(formula, OWN)
    before = preview(plain, market_panel, SYMBOL, sessions=market_panel.n_sessions).values
    noise = np.random.default_rng(t)
    fields = {}
    for name, values in market_panel.fields.items():
        later = values.copy()
        if later.dtype.kind == "f":
            later[t + 1 :] = noise.uniform(0.1, 9e6, later[t + 1 :].shape)
        fields[name] = later
    indices = {name: np.where(np.arange(len(level)) > t, 1.0, level) for name, level in market_panel.indices.items()}
    changed = replace(market_panel, fields=fields, indices=indices)
    after = preview(plain, changed, SYMBOL, sessions=market_panel.n_sessions).values
    np.testing.assert_array_equal(after[: t + 1], before[: t + 1])


def test_what_the_data_lack_is_named(market_panel: Panel) -> None:
    found = preview("close*short_bal+mrq(total_assets)", market_panel, SYMBOL)
    assert found.missing == ("short_bal", "total_assets")
    assert (found.known, found.across) == (0, False)
    assert np.isnan(found.latest)


@pytest.mark.parametrize(
    "typed",
    [
        "close.__class__",
        "__import__('os').system('x')",
        "close[t+1]",
        "lag(close,-1)",
        "lag(close,0-1)",
        "lag(close,999999999)",
        "9**9**9**9**9**9",
        "(" * 3000 + "close" + ")" * 3000,
        "-" * 3999 + "c",
        "abs(" * 900 + "close",
        "сlose+1",  # a Cyrillic letter
        "close\u200b+1",
        "이동평균(" * 400 + "종가",
        "{" * 2000 + "종가" + "}" * 2000,
        "max(" + ",".join(["close"] * 900) + ")",
        "close+" * 200_000,
        "가" * 1_000_000,
    ],
    ids=range(17),
)
def test_hostile_text_is_refused_promptly(typed: str) -> None:
    with promptly(), pytest.raises(FormulaError) as caught:
        OWN.adding(Definition(id="mine", formula=translate(typed, OWN)))
    assert caught.value.code
    assert len(caught.value.pointer()) < 400


def test_the_largest_formula_stays_small_on_one_stock(market_panel: Panel) -> None:
    parts = [f"tolsres_ir(close,{n},{n},{n // 2},volume,open)" for n in range(40, 120)]
    several = [f"max({','.join(parts[place : place + 40])})" for place in (0, 40)]
    formula = f"{several[0]}-{several[1]}"
    tracemalloc.start()
    preview(formula, market_panel, SYMBOL)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000_000


def test_a_preview_across_the_market_can_be_given_up(market_panel: Panel) -> None:
    with pytest.raises(Cancelled):
        preview("xpct(tcorr(close,volume,60))", market_panel, SYMBOL, should_cancel=lambda: True)
