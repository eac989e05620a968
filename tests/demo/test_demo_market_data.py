"""Flows, holdings, short sales, share structure and rates of the demo market could have been published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from stocklab.data import Store, open_panel
from stocklab.data.demo import build_demo
from stocklab.factors import CATALOGUE, Wanted, evaluate, missing_inputs
from stocklab.market.panel import PriceBasis

Frames = Mapping[str, pl.DataFrame]
KEY = ["symbol", "session"]
UNTIL = date(2026, 11, 21)
BANS = ((date(2020, 3, 16), date(2021, 4, 30)), (date(2023, 11, 6), date(2025, 3, 28)))  # first and last session


def test_flows_stay_within_the_value_traded(demo_frames: Frames, demo_bars: pl.DataFrame) -> None:
    flows = demo_frames["investor_flows"]
    assert flows.select(KEY).equals(demo_bars.select(KEY))
    both = flows.with_columns(demo_bars["tv"], demo_bars["volume"])
    assert both.filter(pl.col("frgn_net").abs() + pl.col("inst_net").abs() > pl.col("tv")).is_empty()
    assert both.filter(pl.col("pension_net").abs() > pl.col("tv")).is_empty()
    names = ["frgn_net", "inst_net", "pension_net"]
    assert both.filter(pl.col("volume") == 0, pl.any_horizontal(pl.col(names) != 0)).is_empty()
    for name in names:
        assert 0.4 < (flows[name] > 0).mean() < 0.6


def test_foreigners_weakly_follow_returns(demo_frames: Frames, demo_bars: pl.DataFrame) -> None:
    flows = demo_frames["investor_flows"].with_columns(
        growth=(demo_bars["close"] / demo_bars["base"] - 1).clip(-0.1, 0.1), tv=demo_bars["tv"]
    )
    traded = flows.filter(pl.col("tv") > 0).with_columns(share=pl.col("frgn_net") / pl.col("tv"))
    assert 0.1 < traded.select(pl.corr("growth", "share")).item() < 0.5
    again = traded.select(pl.corr("share", pl.col("share").shift(1).over("symbol"))).item()
    assert 0.3 < again < 0.8  # buying and selling come in runs


def test_foreign_holdings_are_part_of_the_listed_shares(demo_frames: Frames, demo_bars: pl.DataFrame) -> None:
    held = demo_frames["foreign_holdings"].join(demo_bars.select(*KEY, "shares_listed", "kind"), on=KEY)
    assert held.height == demo_bars.filter(pl.col("kind") != "etf").height
    share = held.select(pl.col("frgn_shares") / pl.col("shares_listed")).to_series()
    assert 0 <= share.min() < share.max() <= 0.9
    assert 0.02 < share.median() < 0.3


def test_short_sales_follow_the_bans(demo_frames: Frames, demo_bars: pl.DataFrame) -> None:
    sold = demo_frames["short_sales"].join(
        demo_bars.select(*KEY, "volume", "shares_listed", "market", "kind", "mcap"), on=KEY
    )
    assert set(sold["kind"]) == {"common", "preferred", "foreign", "reit"}
    assert sold.filter((pl.col("short_vol") > pl.col("volume")) | (pl.col("short_vol") < 0)).is_empty()
    assert sold.filter((pl.col("short_bal") > pl.col("shares_listed")) | (pl.col("short_bal") < 0)).is_empty()
    assert (sold["short_vol"].is_null() == sold["short_bal"].is_null()).all()
    known = pl.col("short_vol").is_not_null()
    days = sold.group_by("session").agg(share=known.mean()).sort("session")
    for first, last in BANS:
        inside = days.filter(pl.col("session").is_between(first, last))
        assert (inside["session"].min(), inside["session"].max()) == (first, last)
        assert inside["share"].max() == 0
    free = days.filter((pl.col("session") < BANS[0][0]) | (pl.col("session") > BANS[1][1]))
    assert free["share"].min() > 0.95  # all but shares still on KONEX
    between = sold.filter(pl.col("session") > BANS[0][1], pl.col("session") < BANS[1][0])
    by_day = between.group_by("session").agg(known.mean().alias("share"))
    assert 0.3 < by_day["share"].min() <= by_day["share"].max() < 0.7
    assert between.filter(known, pl.col("kind") != "common").is_empty()
    size = between.group_by("session", "market").agg(
        large=pl.col("mcap").filter(known).median(), small=pl.col("mcap").filter(~known).median()
    )
    assert size.filter(pl.col("large") <= pl.col("small")).is_empty()


def test_share_structure_is_filed_with_the_reports(demo_frames: Frames, demo_bars: pl.DataFrame) -> None:
    structure, statements = demo_frames["share_structure"], demo_frames["statements"]
    own = statements.filter(pl.col("period_end") == pl.col("period_end").max().over("filing_no"))
    reports = own.select("symbol", "period_end", "filed_on").unique()
    on = {"left_on": ["symbol", "as_of", "filed_on"], "right_on": ["symbol", "period_end", "filed_on"]}
    assert structure.join(reports, how="anti", **on).is_empty()
    assert structure.height == reports.height
    last = demo_bars.select(*KEY, "shares_listed").sort("session")
    counted = structure.sort("as_of").join_asof(
        last, left_on="as_of", right_on="session", by="symbol", check_sortedness=False
    )
    counted = counted.drop_nulls("shares_listed")
    # shares of a bonus issue exist before they list
    bonus = demo_frames["events"].filter(pl.col("kind") == "bonus")["symbol"].implode()
    plain = counted.filter(~pl.col("symbol").is_in(bonus))
    assert plain.height > 9_000
    assert plain.filter(pl.col("shares_float") > pl.col("shares_listed") - pl.col("shares_treasury")).is_empty()
    assert structure["shares_float"].min() > 0
    assert structure["shares_treasury"].min() == 0
    by_issuer = structure.group_by("symbol").agg(own=pl.col("shares_treasury").max())
    assert 0.4 < (by_issuer["own"] > 0).mean() < 0.75
    assert 0.3 < plain.select((pl.col("shares_float") / pl.col("shares_listed")).median()).item() < 0.8


def test_rates_wander_within_reason(demo_frames: Frames) -> None:
    rates = demo_frames["rates"]
    assert rates["session"].equals(demo_frames["prices_raw"]["session"].unique().sort())
    assert set(rates["name"]) == {"CD91"}
    assert 1.0 <= rates["percent"].min() < rates["percent"].max() <= 4.0
    assert rates["percent"].max() - rates["percent"].min() > 0.5
    assert rates["percent"].diff().abs().max() < 0.1


@pytest.fixture(scope="module")
def demo_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("demo"))
    build_demo(store, symbols=150, until=UNTIL)
    return store


def test_every_factor_of_the_catalogue_has_values(demo_store: Store, tmp_path: Path) -> None:
    panel = open_panel(demo_store, basis=PriceBasis.RAW)
    names = list(CATALOGUE)
    assert len(names) == 306
    assert {name: missing_inputs(name, panel) for name in names if missing_inputs(name, panel)} == {}
    assert panel.notes == ()
    listed = panel.fields["listed"][-1]
    empty = []
    for first in range(0, len(names), 34):
        chosen = names[first : first + 34]
        for name, values in zip(chosen, evaluate([Wanted(name, "value") for name in chosen], panel), strict=True):
            if np.isnan(values[-1][listed]).all():
                empty.append(name)
    assert empty == []


def test_quality_report_finds_no_contradiction(demo_store: Store) -> None:
    found = dict(demo_store.current().manifest.quality)
    assert found["statements.unbalanced"] == found["statements.unit_errors"] == 0
    assert found["statements.quarters_against_year"] == found["statements.deadline_dated"] == 0
