"""What a panel lacks makes a formula null for good, or only in part (docs/factors.md, section 2.2)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from stocklab.factors import CATALOGUE, FUNCTIONS, Wanted, evaluate, missing_inputs, never_known
from stocklab.factors.functions import Role
from stocklab.market.panel import Panel

# by hand from section 2.2; the panel has close and no mcap
ANSWERS = {
    "close>1": False,
    "mcap>1": True,
    "~(mcap>1)": True,
    "(close>1)|(mcap>1)": True,  # strict, not Kleene
    "0*mcap+close": True,
    "nz(mcap)": False,
    "nz(mcap)+mcap": True,
    "coalesce(mcap,close)": False,
    "coalesce(mcap,per)": True,
    "navg(mcap,close)": False,
    "navg(mcap,mcap_pref,close)": True,
    "where(mcap>1,1,2)": True,
    "where(close>1000,mcap,2)": False,
    "where(close>1,mcap,per)": True,
    "tcount(mcap>1,5)": True,
    "xpct(mcap)": True,
    "roe": True,
    "cal_month==1": False,
}


@pytest.fixture(scope="module")
def priced(make_panel: Callable[..., Panel]) -> Panel:
    """Two hundred bars of four stocks and nothing but their closes."""
    rng = np.random.default_rng(3)
    return make_panel({"close": 1000 * np.exp(np.cumsum(rng.normal(0, 0.01, (200, 4)), axis=0))})


@pytest.mark.parametrize("formula", ANSWERS)
def test_the_null_algebra_decides(formula: str, priced: Panel) -> None:
    assert never_known(formula, priced) is ANSWERS[formula]
    (values,) = evaluate([Wanted(formula, "value")], priced)
    assert np.isnan(values).all() == ANSWERS[formula]


NOTHING = {
    Role.VALUE: "mcap",
    Role.DAILY: "mcap",
    Role.QUARTERLY: "mrq(total_assets)",
    Role.GROUP: "sector",
    Role.FLOW: "revenue",
    Role.STOCK: "total_assets",
}
NUMBERS = {
    "tolsres_ir": ("9", "5", "1"),
    "tstd": ("5", "1"),
    "tolsstd": ("9", "1"),
    "ttopmean": ("5", "2"),
    "tquantile": ("5", "0.5"),
    "ttailmean": ("5", "0.5"),
    "psar": ("0.02", "0.2"),
    "xwinsor": ("0.1", "0.9"),
    "wsum": ("5",),
}


def _on_nothing(name: str) -> str:
    """A call of the function on fields that are missing; 5 where it wants a number."""
    numbers = iter(NUMBERS.get(name, ()))
    required = [argument for argument in FUNCTIONS[name].arguments if argument.default is None]
    given = [NOTHING[a.role] if a.role in NOTHING else next(numbers, "5") for a in required]
    return f"{name}({','.join(given)})"


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "nz"])
def test_every_function_of_nothing_is_nothing(name: str, priced: Panel) -> None:
    formula = _on_nothing(name)
    assert never_known(formula, priced)
    (values,) = evaluate([Wanted(formula, "value")], priced)
    assert np.isnan(values).all()


def test_what_is_never_known_has_no_value_in_the_whole_catalogue(priced: Panel) -> None:
    never = [name for name in CATALOGUE if never_known(name, priced)]
    assert 150 < len(never) < len(CATALOGUE)
    assert {"per", "roe", "f_score", "turnover_20d"} <= set(never)
    assert all(missing_inputs(name, priced) for name in never)
    for name, values in zip(never, evaluate([Wanted(name, "value") for name in never], priced), strict=True):
        assert np.isnan(values).all(), name
