"""Figures and number formats, without a page."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import date, timedelta

import numpy as np
import plotly.graph_objects as go
import plotly.io
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stocklab.ui import charts
from stocklab.ui import format as fmt
from stocklab.ui.result import frames
from stocklab.ui.text import speaking


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=400), st.integers(4, 60))
def test_thinning_keeps_the_ends_and_the_extremes(values: list[float], limit: int):
    series = np.array(values)
    kept = charts.thin(series, limit)
    assert len(kept) <= max(limit, 1) or len(series) <= limit
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0
    assert kept[-1] == len(series) - 1
    assert series[kept].min() == series.min()
    assert series[kept].max() == series.max()


def daily(n: int = 3000) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    equity = (1e8 * np.cumprod(1 + rng.normal(0.0003, 0.01, n))).astype(np.int64)
    return pl.DataFrame(
        {
            "session": [date(2014, 1, 2) + timedelta(days=day) for day in range(n)],
            "equity_krw": equity,
            "benchmark": [None, *(2000 + np.arange(n - 1.0))],
        }
    )


def test_the_equity_figure_shows_percent_drawdown_and_few_points():
    table = daily()
    figure = charts.equity(table, benchmark="KOSPI")
    benchmark, strategy, drawdown = figure.data
    assert [trace.name for trace in (benchmark, strategy)] == ["KOSPI", "전략"]
    assert len(strategy.x) <= charts.POINT_LIMIT
    equity = table["equity_krw"].to_numpy()
    assert strategy.y[-1] == pytest.approx(100 * (equity[-1] / equity[0] - 1), abs=0.01)
    assert drawdown.y.min() == pytest.approx(100 * (equity / np.maximum.accumulate(equity) - 1).min(), abs=0.01)
    assert max(drawdown.y) <= 0
    assert np.isnan(benchmark.y[0])
    assert figure.layout.yaxis.type == "linear"
    assert charts.equity(table, benchmark="KOSPI", log=True).layout.yaxis.type == "log"


def test_a_ready_figure_is_the_figure_it_was_made_of():
    figure = charts.equity(daily(300), benchmark="KOSPI")
    ready = charts.ReadyFigure(figure)
    sent = json.loads(plotly.io.to_json(ready.to_dict(), validate=False, engine="orjson"))
    again = json.loads(plotly.io.to_json(ready.to_dict(), validate=False, engine="orjson"))
    expected = json.loads(plotly.io.to_json(figure, validate=False, engine="orjson"))
    for trace in expected["data"]:
        trace.pop("uid", None)
    assert sent == again == expected
    assert isinstance(ready, go.Figure)
    assert ready.to_dict()["layout"]["height"] == figure.layout.height


def test_the_heatmap_leaves_unknown_months_blank():
    figure = charts.monthly_heatmap({(2020, 1): 0.05, (2020, 3): -0.1}, {2020: -0.055})
    assert list(figure.data[0].z[0][:4]) == [5.0, None, -10.0, None]
    assert figure.data[0].text[0][:3] == ["5.0", "", "-10.0"]
    assert figure.data[0].z[0][12] == -5.5


def test_years_are_red_when_up_and_blue_when_down():
    figure = charts.yearly_bars({2019: 0.1, 2020: -0.2}, {2019: 0.05}, benchmark="KOSPI")
    up, down, benchmark = figure.data
    assert (up.marker.color, list(up.y)) == (charts.UP, [10.0, None])
    assert (down.marker.color, list(down.y)) == (charts.DOWN, [None, -20.0])
    assert list(benchmark.y) == [5.0, None]


def test_marks_of_a_stock_point_up_for_buys_and_down_for_sells():
    days = [date(2020, 1, 1), date(2020, 1, 2), date(2020, 1, 3)]
    figure = charts.stock(days, np.array([100.0, np.nan, 900.0]), [(days[0], 100.0)], [(days[2], 900.0)])
    _price, buys, sells = figure.data
    assert (buys.marker.symbol, buys.marker.color) == ("triangle-up", charts.UP)
    assert (sells.marker.symbol, sells.marker.color) == ("triangle-down", charts.DOWN)
    assert figure.layout.yaxis.type == "log", "nine-fold: drawn on a log scale"
    assert charts.stock(days, np.full(3, np.nan), [], []).layout.yaxis.type == "linear"


def test_reasons_add_up():
    figure = charts.reasons([("손절", 1, "-1원"), ("익절", 3, "+2원")])
    assert list(figure.data[0].y) == ["손절", "익절"]
    assert sum(figure.data[0].x) == 100


@pytest.mark.parametrize(
    ("value", "korean", "english"),
    [
        (0, "0원", "₩0"),
        (999_900, "999,900원", "₩999,900"),
        (1_000_000, "100만 원", "₩1.00M"),
        (99_996_000, "1억 원", "₩100.0M"),
        (123_456_789, "1억 2,346만 원", "₩123.5M"),
        (-45_678_900_000, "-456억 7,890만 원", "-₩45.7B"),
        (999_999_999_999, "1조 원", "₩1.00T"),
        (None, "–", "–"),
        (float("nan"), "–", "–"),
    ],
)
def test_won_is_rounded_to_what_a_reader_needs(value, korean: str, english: str):
    assert (fmt.krw(value, "ko"), fmt.krw(value, "en")) == (korean, english)


@given(st.integers(-(10**15), 10**15))
def test_won_never_loses_its_sign_or_size(value: int):
    text = fmt.krw(value, "ko")
    assert text.startswith("-") is (value < 0)
    digits = text.lstrip("-").removesuffix(" 원").removesuffix("원").replace(",", "")
    total = 0
    for name, size in (("조", 10**12), ("억", 10**8), ("만", 10**4)):
        if name in digits:
            head, digits = digits.split(name)
            total += int(head) * size
    total += int(digits.strip() or 0)
    assert abs(total - abs(value)) <= max(1, abs(value) * 0.01)


def test_a_percent_that_rounds_to_zero_has_no_sign():
    assert fmt.percent(-0.000001, signed=True) == "0.00%"
    assert fmt.percent(0.5, signed=True) == "+50.00%"
    assert fmt.moment(None) == fmt.day(None) == fmt.decimal(float("inf")) == fmt.count(None) == "–"


def test_the_curve_of_a_running_test_is_drawn_to_scale():
    drawn = charts.curve_so_far((0, 5, 10), np.array([100.0, 120.0, 90.0]), 100.0)
    picture = b64decode(drawn.split("base64,")[1].split('"')[0]).decode()
    assert 'points="0.0,130.0 500.0,10.0 1000.0,190.0"' in picture
    assert "-10.0%" in drawn
    assert "+20.0%" in drawn


@pytest.mark.parametrize(
    ("rule", "ko", "en"),
    [
        ("monthly", "매월", "Monthly"),
        ("20 sessions", "20거래일", "20 sessions"),
        ("30 calendar_days", "달력 30일", "30 calendar days"),
        ("A and B", "A and B", "A and B"),
        ("-10%", "-10%", "-10%"),
    ],
)
def test_what_caused_a_trade_is_in_the_readers_language(rule: str, ko: str, en: str):
    with speaking("ko"):
        assert frames.rule_name(rule) == ko
    with speaking("en"):
        assert frames.rule_name(rule) == en


@given(st.lists(st.floats(1e-6, 1e13), min_size=1, max_size=5), st.sampled_from(["ko", "en"]))
def test_an_axis_of_counts_has_two_or_three_round_ticks_within_it(values: list[float], language) -> None:
    ticks = charts.count_ticks(np.array([*values, np.nan]), language)
    places = ticks["tickvals"]
    assert places[0] == 0
    assert 2 <= len(places) <= 3
    assert places[-1] <= max(values) * (1 + 1e-9)
    assert max(values) < places[-1] + places[1] * (1 + 1e-9)
    assert len(set(ticks["ticktext"])) == len(places)
    if language == "ko":
        assert not any(letter in "".join(ticks["ticktext"]) for letter in "KMBT")


def test_volumes_are_counted_in_the_units_of_the_language() -> None:
    volumes = np.array([12_000_000.0, 23_000_000.0])
    assert charts.count_ticks(volumes, "ko")["ticktext"] == ["0", "1,000만", "2,000만"]
    assert charts.count_ticks(volumes, "en")["ticktext"] == ["0", "10M", "20M"]
    assert charts.count_ticks(np.array([np.nan]), "ko") == {"nticks": 3}
