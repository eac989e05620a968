"""Cross-sectional operators against slow twins, over universes and groups; one date at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stocklab.errors import Cancelled, InputError
from stocklab.factors import FUNCTIONS, Wanted, evaluate
from stocklab.factors.functions import Family
from stocklab.market.panel import Panel

GROUPS = ("A", "B", "", "C")


def ranks(values: np.ndarray) -> np.ndarray:
    return stats.rankdata(values, method="average")


def zscore(values: np.ndarray) -> np.ndarray:
    if len(set(values)) == 1:
        return np.full(len(values), np.nan)
    return (values - values.mean()) / values.std()


SIMPLE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "xrank(close)": ranks,
    "xrank(close,0)": ranks,
    "xrank(close,1)": lambda v: len(v) + 1 - ranks(v),
    "xpct(close)": lambda v: (ranks(v) - 1) / (len(v) - 1),
    "xz(close)": zscore,
    "xzr(close)": lambda v: zscore(ranks(v)),
    "xwinsor(close,0.1,0.8)": lambda v: np.clip(v, np.quantile(v, 0.1), np.quantile(v, 0.8)),
}


def by_date(x: np.ndarray, universe: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    out = np.full(x.shape, np.nan)
    for t in range(len(x)):
        members = universe[t] & ~np.isnan(x[t])
        if members.sum() >= 2:
            out[t, members] = function(x[t, members])
    return out


def grouped(x: np.ndarray, weight: np.ndarray | None, universe: np.ndarray, sectors: np.ndarray) -> np.ndarray:
    """Median without a weight, else weighted mean."""
    out = np.full(x.shape, np.nan)
    for t in range(len(x)):
        for sector in set(sectors) - {""}:
            members = universe[t] & ~np.isnan(x[t]) & (sectors == sector)
            if weight is not None:
                members &= ~np.isnan(weight[t])
            if members.sum() < 5:
                continue
            if weight is None:
                out[t, members] = np.median(x[t, members])
            elif weight[t, members].sum() != 0:
                out[t, members] = (x[t, members] * weight[t, members]).sum() / weight[t, members].sum()
    return out


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    step=st.sampled_from([0.0, 0.5]),
    gap=st.sampled_from([0.0, 0.2, 0.97]),
    scale=st.sampled_from([1e-12, 1.0, 1e9]),
    offset=st.sampled_from([0.0, 1e9]),
)
def test_operators(
    seed: int, step: float, gap: float, scale: float, offset: float, make_panel: Callable[..., Panel]
) -> None:
    rng = np.random.default_rng(seed)
    shape = (9, 37)
    x = rng.normal(0, 1, shape)
    x = (np.round(x / step) * step if step else x) * scale + offset
    x[rng.random(shape) < gap] = np.nan
    x[3] = 7.0
    weight = rng.random(shape)
    weight[rng.random(shape) < 0.1] = np.nan
    universe = rng.random(shape) < 0.8
    listed = rng.random(shape) < 0.9
    sectors = tuple(GROUPS[i % 4] for i in range(shape[1]))
    panel = make_panel({"close": x, "mcap": weight}, listed=listed, sectors=sectors)
    formulas = [*SIMPLE, "xmedian_by(close,sector)", "xwmean_by(close,mcap,sector)"]
    found = evaluate([Wanted(formula, "value") for formula in formulas], panel, universe=universe)
    members = universe & listed
    expected = [by_date(x, members, function) for function in SIMPLE.values()]
    expected.append(grouped(x, None, members, np.array(sectors)))
    expected.append(grouped(x, weight, members, np.array(sectors)))
    for formula, got, want in zip(formulas, found, expected, strict=True):
        noise = 1e-6 if offset and formula.startswith("xz(") else 1e-9
        size = np.nanmax(np.abs(want), initial=0.0, where=~np.isnan(want))
        np.testing.assert_allclose(got, want, rtol=noise, atol=noise * size, err_msg=formula)


def test_every_cross_sectional_function_has_a_twin() -> None:
    named = {formula.partition("(")[0] for formula in SIMPLE} | {"xmedian_by", "xwmean_by"}
    assert named == {name for name, function in FUNCTIONS.items() if function.family is Family.CROSS}


def test_values_that_differ_in_the_last_bit_are_ranked_apart(make_panel: Callable[..., Panel]) -> None:
    row = 1.0 + np.arange(2000)[::-1] * 2.0**-52
    mixed = np.array([[0.0, -0.0, -1.5, 2.0**60, 3.0] * 400])
    panel = make_panel({"close": np.vstack([row, mixed[0]])})
    (found,) = evaluate([Wanted("xrank(close)", "value")], panel)
    np.testing.assert_array_equal(found[0], np.arange(2000, 0, -1))
    np.testing.assert_array_equal(found[1], ranks(mixed[0]))


def test_flat_date_has_no_score(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel({"close": np.full((3, 40), 0.1)})
    for formula in ("xz(close)", "xzr(close)"):
        assert np.isnan(evaluate([Wanted(formula, "value")], panel)[0]).all()
    assert (evaluate([Wanted("xpct(close)", "value")], panel)[0] == 0.5).all()


def test_ranks_of_ranks_and_windows_over_ranks(market_panel: Panel) -> None:
    listed = market_panel.fields["listed"]
    close = market_panel.fields["close"].astype(np.float64)
    pct = by_date(close, listed, SIMPLE["xpct(close)"])
    best = np.full(pct.shape, np.nan)
    for t in range(4, len(pct)):
        best[t] = pct[t - 4 : t + 1].max(axis=0)
    expected = by_date(best, listed, ranks)
    expected[~listed] = np.nan
    found, condition = evaluate(
        [
            Wanted("xrank(tmax(xpct(close),5))", "value"),
            Wanted("(xrank(tmax(xpct(close),5))<=3)&(close>lag(close,1))", "condition"),
        ],
        market_panel,
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    before = np.vstack([np.full((1, close.shape[1]), np.nan), close[:-1]])
    np.testing.assert_array_equal(condition, (expected <= 3) & (close > before))


def test_universe_of_another_shape_is_refused(market_panel: Panel) -> None:
    with pytest.raises(InputError, match="universe has shape"):
        evaluate([Wanted("xpct(close)", "value")], market_panel, universe=np.ones((2, 2), dtype=np.bool_))


def test_cancel_stops_between_parts(market_panel: Panel) -> None:
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(Cancelled):
        evaluate([Wanted("momentum_score", "value")], market_panel, should_cancel=stop, tile_symbols=2)
    assert len(asked) == 3
