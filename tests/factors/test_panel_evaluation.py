"""evaluate on a panel: no look-ahead, the same bits however it is cut, masks, missing inputs, market index, calendar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from stocklab.errors import FormulaError, InputError
from stocklab.factors import (
    CATALOGUE,
    DirectSource,
    Wanted,
    check,
    evaluate,
    evaluate_series,
    missing_inputs,
)
from stocklab.factors.inputs import calendar_series
from stocklab.market import calendar
from stocklab.market.panel import Panel

COMPUTED = [name for name in CATALOGUE if not check(name).items]
EXTRA = [  # functions no computed factor uses
    "tmean(close,9,minobs=3)",
    "tstd(close,9,1,minobs=3)",
    "tmax(close,9,minobs=3)-tmin(close,9,minobs=2)",
    "tsum(close,400)",
    "tpctrank(close,60)",
    "tolsres_ir(ret1,60,40,5,mret1,smb,hml)",
    "xz(xwinsor(ret1,0.05,0.95))",
    "xmedian_by(ret1,sector)",
    "navg(close,open,high)*coalesce(lag(close,2),close)",
    "cagr(close,lag(close,9),2)",
    "lag(xrank(close),3)",
]


def altered(panel: Panel, cut: int, seed: int = 7) -> Panel:
    """Everything after ``cut`` replaced: prices, listing, indices, rates."""
    rng = np.random.default_rng(seed)
    fields = {}
    for name, values in panel.fields.items():
        changed = values.copy()
        if name == "listed":
            changed[cut + 1 :] = rng.random(changed[cut + 1 :].shape) < 0.7
        elif name == "market":
            changed[cut + 1 :] = rng.integers(0, 4, changed[cut + 1 :].shape)
        else:
            changed[cut + 1 :] = changed[cut + 1 :] * rng.uniform(0.2, 3.0, changed[cut + 1 :].shape)
        fields[name] = changed
    indices = {}
    for name, values in panel.indices.items():
        indices[name] = values.copy()
        indices[name][cut + 1 :] *= 1.7
    rf = panel.rf.copy()
    rf[cut + 1 :] = 0.5
    return replace(panel, fields=fields, indices=indices, rf=rf)


def shortened(panel: Panel, n_sessions: int) -> Panel:
    return replace(
        panel,
        sessions=panel.sessions[:n_sessions],
        fields={name: np.ascontiguousarray(values[:n_sessions]) for name, values in panel.fields.items()},
        indices={name: values[:n_sessions] for name, values in panel.indices.items()},
        rf=panel.rf[:n_sessions],
    )


@pytest.fixture(scope="module")
def computed(market_panel: Panel) -> dict[str, np.ndarray]:
    formulas = COMPUTED + EXTRA
    return dict(zip(formulas, evaluate([Wanted(f, "value") for f in formulas], market_panel), strict=True))


@pytest.mark.parametrize("cut", [300, 379, 418])
def test_nothing_after_t_changes_a_value_up_to_t(
    cut: int, market_panel: Panel, computed: dict[str, np.ndarray]
) -> None:
    later = evaluate([Wanted(formula, "value") for formula in computed], altered(market_panel, cut))
    shorter = evaluate([Wanted(formula, "value") for formula in computed], shortened(market_panel, cut + 1))
    for formula, changed, short in zip(computed, later, shorter, strict=True):
        before = computed[formula][: cut + 1]
        assert before.tobytes() == changed[: cut + 1].tobytes(), formula
        assert before.tobytes() == short.tobytes(), formula


@pytest.mark.parametrize(
    ("threads", "tile_symbols", "tile_sessions"), [(1, 1, 1), (2, 3, 7), (3, 1000, 1000), (1, 5, 400)]
)
def test_same_bits_for_any_tile_and_thread(
    threads: int, tile_symbols: int, tile_sessions: int, market_panel: Panel, computed: dict[str, np.ndarray]
) -> None:
    cut = {"threads": threads, "tile_symbols": tile_symbols, "tile_sessions": tile_sessions}
    for formula, values in zip(
        computed, evaluate([Wanted(f, "value") for f in computed], market_panel, **cut), strict=True
    ):
        assert values.tobytes() == computed[formula].tobytes(), formula


def test_alone_or_together_gives_the_same_bits(market_panel: Panel, computed: dict[str, np.ndarray]) -> None:
    for formula, together in computed.items():
        assert evaluate([Wanted(formula, "value")], market_panel)[0].tobytes() == together.tobytes(), formula


def test_a_symbol_alone_is_its_series(market_panel: Panel, computed: dict[str, np.ndarray]) -> None:
    """A late listing starts its recursive averages at its own first bar."""
    column = 5
    first = int(np.argmax(market_panel.fields["listed"][:, column]))
    columns = {
        name: market_panel.fields[name][first:, column].astype(np.float64) for name in ("open", "high", "low", "close")
    }
    for formula in ("rsi_14", "macd", "atr_14", "adx_14", "volatility_60d", "psar_gap"):
        np.testing.assert_array_equal(computed[formula][first:, column], evaluate_series(formula, columns))
        assert np.isnan(computed[formula][:first, column]).all()


def test_never_a_value_where_not_listed(market_panel: Panel) -> None:
    listed = market_panel.fields["listed"]
    values, ones, flags = evaluate(
        [Wanted("nz(lag(close,500))", "value"), Wanted("1", "value"), Wanted("nz(close)>=0", "condition")], market_panel
    )
    for result in (values, ones):
        assert np.isnan(result[~listed]).all()
        assert np.isfinite(result[listed]).all()
    assert (values[listed] == 0).all()
    assert flags.dtype == np.uint8
    np.testing.assert_array_equal(flags, listed)


def test_conditions_are_the_values_as_bytes(market_panel: Panel) -> None:
    formulas = [f"close>sma(close,{n})" for n in range(2, 14)] + ["close-1", "pos(close-15000)", "rsi_14"]
    values = evaluate([Wanted(formula, "value") for formula in formulas], market_panel)
    conditions = evaluate([Wanted(formula, "condition") for formula in formulas], market_panel)
    for value, condition in zip(values, conditions, strict=True):
        np.testing.assert_array_equal(condition, ~np.isnan(value) & (value != 0))
    twice = evaluate([Wanted("close", "value"), Wanted("close", "value"), Wanted("close", "condition")], market_panel)
    assert twice[0] is not twice[1]
    assert twice[0].tobytes() == twice[1].tobytes()


def test_inputs_are_not_changed_and_source_agrees(market_panel: Panel, computed: dict[str, np.ndarray]) -> None:
    before = {name: values.copy() for name, values in market_panel.fields.items()}
    (found,) = DirectSource(market_panel, threads=1).compute([Wanted("ultosc", "value")])
    assert found.tobytes() == computed["ultosc"].tobytes()
    for name, values in market_panel.fields.items():
        assert values.tobytes() == before[name].tobytes()
    assert evaluate([], market_panel) == ()


def test_missing_inputs_are_named_and_null(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel({"close": np.full((30, 3), 5.0)})
    assert missing_inputs("turnover_20d", panel) == ("shares_listed", "volume_raw")
    assert missing_inputs("idio_vol_ff3_21d", panel) == ("hml", "mkt_close", "smb")
    assert missing_inputs("xmedian_by(close,sector)", panel) == ("sector",)
    assert missing_inputs("per", panel) == ("mcap", "mcap_pref", "net_income_parent")
    assert missing_inputs("close>cal_month*rf", panel) == ()
    wanted = [
        Wanted("nz(mcap)", "value"),
        Wanted("close*mkt_close", "value"),
        Wanted("xmedian_by(close,sector)", "value"),
    ]
    zero, index, median = evaluate(wanted, panel)
    assert (zero == 0).all()
    assert np.isnan(index).all()
    assert np.isnan(median).all()


def test_statements_a_panel_lacks_are_null_and_named(market_panel: Panel) -> None:
    (values,) = evaluate([Wanted("close>3*roe", "value")], market_panel)
    assert np.isnan(values).all()
    assert missing_inputs("close>3*roe", market_panel) == ("equity_parent", "net_income_parent")


def test_market_index_follows_the_market_of_the_day(make_panel: Callable[..., Panel]) -> None:
    kospi, kosdaq = np.array([2000.0, 2020, 2010, 2040, 2000]), np.array([700.0, 707, 700, 721, 735])
    market = np.array(
        [[1, 2, 3, 2, 0], [1, 2, 3, 2, 0], [1, 2, 3, 1, 0], [1, 2, 3, 1, 0], [1, 2, 3, 1, 2]], dtype=np.uint8
    )
    panel = make_panel({"close": np.ones((5, 5))}, market=market, indices={"KOSPI": kospi, "KOSDAQ": kosdaq})
    level, move = evaluate([Wanted("mkt_close", "value"), Wanted("mret1", "value")], panel)
    np.testing.assert_array_equal(level[:, 0], kospi)
    np.testing.assert_array_equal(level[:, 1], kosdaq)
    np.testing.assert_array_equal(level[:, 2], kosdaq)
    np.testing.assert_allclose(
        move[1:, 3], [707 / 700 - 1, 2010 / 2020 - 1, 2040 / 2010 - 1, 2000 / 2040 - 1], rtol=1e-12
    )
    assert np.isnan(level[:4, 4]).all()
    assert level[4, 4] == 735


def test_calendar_fields_know_the_exchange_calendar() -> None:
    """2025: January opens on the 2nd and ends on the 31st after the Seollal holidays; May 1 and 5 are closed."""
    sessions = calendar.sessions_between(date(2025, 1, 10), date(2025, 5, 9))
    series = calendar_series(sessions)
    place = {str(day): i for i, day in enumerate(sessions)}
    assert series["cal_month"][place["2025-01-10"]] == 1
    assert series["cal_tdom"][place["2025-01-10"]] == 7
    assert (series["cal_tdleft"][place["2025-01-31"]], series["cal_tdom"][place["2025-02-03"]]) == (0, 1)
    assert series["cal_tdom"][place["2025-05-02"]] == 1
    # trading days after 2025-05-09: 12-16, 19-23, 26-30
    assert series["cal_tdleft"][place["2025-05-09"]] == 15


def test_calendar_fields_outside_the_calendar_are_counted_or_null() -> None:
    far = np.arange("2150-01-11", "2150-03-20", dtype="datetime64[D]")
    series = calendar_series(far)
    january, february, march = (
        far < np.datetime64("2150-02-01"),
        far.astype("datetime64[M]") == np.datetime64("2150-02"),
        far >= np.datetime64("2150-03-01"),
    )
    assert np.isnan(series["cal_tdom"][january]).all()
    np.testing.assert_array_equal(series["cal_tdleft"][january], np.arange(20, -1, -1))
    np.testing.assert_array_equal(series["cal_tdom"][february], np.arange(1, 29))
    assert np.isnan(series["cal_tdleft"][march]).all()
    np.testing.assert_array_equal(series["cal_tdom"][march], np.arange(1, 20))
    assert calendar_series(far[:0])["cal_month"].size == 0


def test_seasons(make_panel: Callable[..., Panel]) -> None:
    sessions = calendar.sessions_between(date(2024, 3, 25), date(2024, 5, 31))
    panel = make_panel({"close": np.ones((len(sessions), 2))}, sessions=sessions)
    winter, turn = evaluate([Wanted("halloween_season", "value"), Wanted("turn_of_month", "condition")], panel)
    days = [str(day) for day in sessions]
    assert winter[days.index("2024-04-30"), 0] == 1
    assert winter[days.index("2024-05-02"), 0] == 0
    # last session of March is the 29th; April 1, 2, 3 are the first three
    assert [day for day, flag in zip(days, turn[:, 1], strict=True) if flag][:4] == [
        "2024-03-29",
        "2024-04-01",
        "2024-04-02",
        "2024-04-03",
    ]


def test_series_refuses_what_one_series_cannot_give() -> None:
    columns = {"close": np.arange(1.0, 30.0)}
    for formula, code in (
        ("xrank(close)", "cross_section"),
        ("close>sma(volume,3)", "missing_input"),
        ("roe", "missing_input"),
    ):
        with pytest.raises(FormulaError) as caught:
            evaluate_series(formula, columns)
        assert caught.value.code == code
    with pytest.raises(InputError, match="one length"):
        evaluate_series("close>open", {"close": np.ones(3), "open": np.ones(4)})
    with pytest.raises(InputError, match="at least 1"):
        evaluate([Wanted("close", "value")], None, threads=0)  # type: ignore[arg-type]
    assert evaluate_series("sma(close,3)", {"close": np.array([])}).size == 0


def test_an_empty_panel_gives_empty_results(make_panel: Callable[..., Panel]) -> None:
    for shape in ((0, 4), (5, 0), (0, 0)):
        panel = make_panel(
            {"close": np.ones(shape)}, sessions=np.arange("2024-01-01", "2024-01-06", dtype="datetime64[D]")[: shape[0]]
        )
        results = evaluate([Wanted("sma(close,3)", "value"), Wanted("xrank(close)>1", "condition")], panel)
        assert [result.shape for result in results] == [shape, shape]
