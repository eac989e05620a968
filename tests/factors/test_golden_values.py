"""Golden numbers of docs/factors.md: section 9 (all factors computed from prices) and section 8.6."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stocklab.factors import Wanted, evaluate, evaluate_series
from stocklab.market.panel import Panel

with (Path(__file__).parent / "golden.csv").open(encoding="utf-8") as lines:
    GOLDEN = [(row["factor"], float(row["bar_270"]), float(row["bar_299"])) for row in csv.DictReader(lines)]


def test_series_has_the_published_check_sums(golden_columns: dict[str, np.ndarray]) -> None:
    sums = [golden_columns[name].sum() for name in ("close", "open", "high", "low", "volume")]
    assert sums == [6_601_030, 6_596_470, 6_688_540, 6_509_130, 45_469_736]
    assert (golden_columns["close"][1], golden_columns["close"][299]) == (20130, 24550)


@pytest.mark.parametrize(("factor", "bar_270", "bar_299"), GOLDEN, ids=[row[0] for row in GOLDEN])
def test_golden_value(factor: str, bar_270: float, bar_299: float, golden_columns: dict[str, np.ndarray]) -> None:
    values = evaluate_series(factor, golden_columns)
    np.testing.assert_allclose(values[[270, 299]], [bar_270, bar_299], rtol=1e-9, atol=0)


def test_golden_values_together_on_a_panel(
    golden_columns: dict[str, np.ndarray], make_panel: Callable[..., Panel]
) -> None:
    fields = {name: values.reshape(-1, 1) for name, values in golden_columns.items() if name not in ("mkt_close", "rf")}
    panel = make_panel(fields, indices={"KOSPI": golden_columns["mkt_close"]}, rf=golden_columns["rf"])
    results = evaluate([Wanted(row[0], "value") for row in GOLDEN], panel)
    found = np.array([result[[270, 299], 0] for result in results])
    np.testing.assert_allclose(found, [row[1:] for row in GOLDEN], rtol=1e-9, atol=0)


def test_idiosyncratic_volatility_of_section_8_6() -> None:
    columns = {
        "close": np.array([0.012, -0.008, 0.021, -0.015, 0.004, 0.009, -0.011, 0.018]),
        "open": np.array([0.006, -0.004, 0.010, -0.009, 0.003, 0.002, -0.007, 0.008]),
        "smb": np.array([0.001, -0.002, 0.003, 0.000, -0.001, 0.002, -0.001, 0.002]),
        "hml": np.array([-0.002, 0.001, 0.000, 0.002, 0.001, -0.001, 0.003, -0.002]),
    }
    daily = evaluate_series("tolsstd(close,8,1,open,smb,hml)", columns)
    assert daily[-1] == pytest.approx(0.000966408, abs=5e-10)
    annual = evaluate_series("100*sqrt(252)*tolsstd(close,8,1,open,smb,hml)", columns)
    assert annual[-1] == pytest.approx(1.534125, abs=5e-7)
    own_divisor = evaluate_series("100*sqrt(252)*tolsstd(close,8,4,open,smb,hml)", columns)
    assert own_divisor[-1] == pytest.approx(2.029456, abs=5e-7)
    assert np.isnan(daily[:-1]).all()
