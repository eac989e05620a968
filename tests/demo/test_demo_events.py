"""Corporate actions, listings and delistings of the demo market fit together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest

Frames = Mapping[str, pl.DataFrame]


@pytest.fixture(scope="module")
def event_bars(demo_frames: Frames, demo_bars: pl.DataFrame) -> pl.DataFrame:
    """The bar of each event with the share count before it and 40 sessions later."""
    bars = demo_bars.with_columns(
        shares_before=pl.col("shares_listed").shift(1).over("symbol"),
        shares_later=pl.col("shares_listed").shift(-40).over("symbol"),
        volume_before=pl.col("volume").shift(1).over("symbol"),
    )
    return demo_frames["events"].rename({"kind": "event"}).join(bars, on=["symbol", "session"])


def test_every_event_has_a_traded_bar(demo_frames: Frames, event_bars: pl.DataFrame) -> None:
    assert event_bars.height == demo_frames["events"].height
    assert event_bars.filter(pl.col("volume") == 0).is_empty()


@pytest.mark.parametrize("kind", ["split", "consolidation", "reduction"])
def test_share_count_times_price_is_continuous(event_bars: pl.DataFrame, kind: str) -> None:
    rows = event_bars.filter(pl.col("event") == kind)
    assert rows.height >= 5
    assert rows.filter(
        (pl.col("shares_listed") / pl.col("shares_before") / pl.col("ratio") - 1).abs() > 1e-3
    ).is_empty()
    value = pl.col("base") * pl.col("shares_listed") / (pl.col("before") * pl.col("shares_before"))
    assert rows.filter((value - 1).abs() > 0.01).is_empty()
    assert rows.filter(pl.col("volume_before") != 0).is_empty()  # halted before it takes effect


def test_bonus_and_rights_shares_list_weeks_after_the_ex_day(event_bars: pl.DataFrame) -> None:
    rows = event_bars.filter(pl.col("event").is_in(["bonus", "rights"]))
    assert rows.height >= 20
    assert rows.filter(pl.col("shares_listed") != pl.col("shares_before")).is_empty()
    later = rows.filter(pl.col("shares_later").is_not_null())
    assert later.filter(
        (pl.col("shares_later") / pl.col("shares_before") / pl.col("ratio") - 1).abs() > 1e-3
    ).is_empty()


def test_base_price_of_bonus_and_rights(event_bars: pl.DataFrame) -> None:
    """Bonus: P / ratio. Rights at 75 %: (P + issue x new) / (1 + new), to a tick."""
    new = pl.col("ratio") - 1
    fair = pl.when(pl.col("event") == "rights").then(1 + 0.75 * new).otherwise(1) / pl.col("ratio") * pl.col("before")
    rows = event_bars.filter(pl.col("event").is_in(["bonus", "rights"]))
    assert rows.filter((pl.col("base") - fair).abs() > pl.max_horizontal(0.005 * fair, 1.0)).is_empty()


def test_adjusted_bars_follow_the_base_prices(demo_frames: Frames, demo_bars: pl.DataFrame) -> None:
    adjusted = demo_frames["prices_adjusted"]
    assert adjusted.select("symbol", "session").equals(demo_bars.select("symbol", "session"))
    growth = adjusted.select(
        (pl.col("close") / pl.col("close").shift(1).over("symbol")).alias("adjusted"), pl.col("close").alias("level")
    )
    both = pl.concat([growth, demo_bars.select("before", traded=pl.col("close") / pl.col("base"))], how="horizontal")
    both = both.filter(pl.col("before").is_not_null())
    # whole won: an adjusted price may be off by half a won on each day
    assert both.filter((pl.col("adjusted") / pl.col("traded") - 1).abs() > 1.5 / pl.col("level") + 0.02).is_empty()
    calm = both.filter(pl.col("level") > 5_000)
    assert calm.filter((pl.col("adjusted") / pl.col("traded") - 1).abs() > 0.001).is_empty()


def test_adjusted_equals_raw_after_the_last_event(demo_frames: Frames) -> None:
    adjusted, raw = demo_frames["prices_adjusted"], demo_frames["prices_raw"]
    last = demo_frames["events"].group_by("symbol").agg(last=pl.col("session").max())
    both = raw.join(last, on="symbol", how="left", maintain_order="left").with_columns(
        adjusted=adjusted["close"], adjusted_volume=adjusted["volume"]
    )
    after = both.filter(pl.col("last").is_null() | (pl.col("session") >= pl.col("last")))
    assert after.filter(
        (pl.col("close") != pl.col("adjusted")) | (pl.col("volume") != pl.col("adjusted_volume"))
    ).is_empty()
    before = both.filter(pl.col("session") < pl.col("last"), pl.col("volume") > 1_000)
    value = pl.col("adjusted") * pl.col("adjusted_volume") / (pl.col("close") * pl.col("volume"))
    assert before.filter((value - 1).abs() > 0.6 / pl.col("adjusted") + 0.6 / pl.col("adjusted_volume")).is_empty()
    assert adjusted.filter((pl.col("volume") == 0) != pl.Series(raw["volume"] == 0)).is_empty()


def test_bars_run_from_listing_to_the_day_before_delisting(demo_frames: Frames) -> None:
    raw = demo_frames["prices_raw"]
    sessions = raw["session"].unique().sort()
    spans = raw.group_by("symbol").agg(first=pl.col("session").min(), last=pl.col("session").max(), bars=pl.len())
    spans = spans.join(demo_frames["instruments"], on="symbol").join(
        demo_frames["delistings"].select("symbol", "delisted_on"), on="symbol", how="left"
    )
    expected_first = pl.max_horizontal("listed_on", pl.lit(sessions[0]))
    assert spans.filter(pl.col("first") != expected_first).is_empty()
    after_last = sessions.search_sorted(spans["last"]) + 1
    gone = spans["delisted_on"].is_not_null()
    assert after_last.filter(~gone).unique().to_list() == [len(sessions)]
    assert (sessions.gather(after_last.filter(gone)) == spans["delisted_on"].filter(gone)).all()
    held = sessions.search_sorted(spans["last"]) - sessions.search_sorted(spans["first"]) + 1
    assert (held == spans["bars"]).all()  # no holes


def test_clean_up_trading_takes_the_value_away_only_where_reasons_say_so(
    demo_frames: Frames, demo_bars: pl.DataFrame
) -> None:
    cleanup = (
        demo_bars.filter("cleanup")
        .group_by("symbol", "reason")
        .agg(pl.len(), fall=pl.col("close").last() / pl.col("before").first(), traded=(pl.col("volume") > 0).sum())
    )
    assert (cleanup["len"] == 7).all()
    assert (cleanup["traded"] == 7).all()
    paid = demo_frames["delistings"].select("symbol", "pays_last_close")
    cleanup = cleanup.join(paid, on="symbol")
    assert cleanup.filter(~pl.col("pays_last_close"), pl.col("fall") > 0.6).is_empty()
    assert cleanup.filter(pl.col("pays_last_close"), (pl.col("fall") - 1).abs() > 0.15).is_empty()


def test_successors_are_listed_companies(demo_frames: Frames) -> None:
    merged = demo_frames["delistings"].filter(pl.col("reason").str.starts_with("피흡수합병"))
    assert merged["successor"].null_count() == 0
    assert merged["successor"].is_in(demo_frames["instruments"]["symbol"].implode()).all()
    assert not merged["successor"].is_in(demo_frames["delistings"]["symbol"].implode()).any()
    others = demo_frames["delistings"].filter(~pl.col("reason").str.starts_with("피흡수합병"))
    assert others["successor"].null_count() == others.height


def test_every_feature_of_the_market_is_present(demo_frames: Frames, demo_bars: pl.DataFrame) -> None:
    kinds = dict(demo_frames["events"].group_by("kind").len().iter_rows())
    assert set(kinds) == {"split", "consolidation", "bonus", "rights", "reduction"}
    instruments = demo_frames["instruments"].filter(pl.col("kind") != "coin")
    assert instruments.height == 400
    by_kind = dict(instruments.group_by("kind").len().iter_rows())
    assert {"common", "preferred", "spac", "reit", "etf", "foreign"} == set(by_kind)
    assert min(by_kind.values()) >= 4
    assert set(instruments["market"]) == {"KOSPI", "KOSDAQ", "KONEX"}
    assert 12 <= instruments["sector"].n_unique() <= 14
    assert demo_frames["delistings"].height >= 30
    assert demo_frames["delistings"]["reason"].n_unique() >= 7
    start = demo_bars["session"].min()
    assert instruments.filter(pl.col("listed_on") > start).height >= 80
    moved = demo_bars.group_by("symbol").agg(pl.col("market").n_unique()).filter(pl.col("market") > 1)
    assert moved.height >= 2
    quiet = demo_bars.select(
        "symbol", run=pl.when(pl.col("volume") == 0).then(1).otherwise(0).rle_id(), quiet=pl.col("volume") == 0
    )
    runs = quiet.filter("quiet").group_by("symbol", "run").len()["len"]
    assert (runs == 1).sum() > 100
    assert (runs > 20).sum() >= 20
    assert runs.max() > 120
    assert demo_bars.filter(pl.col("dept").str.contains("관리종목")).height > 500


def test_names_and_codes_cannot_be_mistaken(demo_frames: Frames) -> None:
    instruments = demo_frames["instruments"].filter(pl.col("kind") != "coin")
    assert instruments["name"].str.starts_with("데모").all()
    assert instruments["name"].n_unique() == instruments.height
    assert instruments["symbol"].str.contains(r"^D\d{4}[05]$").all()
    assert instruments["symbol"].is_sorted()
    preferred = instruments.filter(pl.col("kind") == "preferred")
    assert preferred["symbol"].str.ends_with("5").all()
    parents = preferred.select(symbol=pl.col("symbol").str.head(5) + "0").join(instruments, on="symbol")
    assert parents.height == preferred.height
    assert (parents["kind"] == "common").all()
    assert instruments["corp_code"].drop_nulls().str.contains(r"^\d{8}$").all()
    assert instruments["corp_code"].drop_nulls().n_unique() == instruments.height - preferred.height


def test_sessions_are_those_of_the_exchange(demo_frames: Frames) -> None:
    days = demo_frames["prices_raw"]["session"].unique().sort()
    by_year = dict(days.dt.year().value_counts().iter_rows())
    assert [by_year[year] for year in range(2017, 2026)] == [243, 244, 246, 248, 248, 246, 245, 244, 242]
    assert str(days[-1]) == "2026-11-20"
    assert np.array_equal(demo_frames["indices"]["session"].unique().sort(), days)
