"""A strategy that looks back further than the data go says so before it runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from stocklab.market.calendar import sessions_between
from stocklab.portfolios import shared_lab
from stocklab.ui import cached

Open = Callable[..., AppTest]
SESSIONS = 64


@pytest.fixture
def short(empty_pages: Open) -> Open:
    """Three months of two stocks."""
    days = sessions_between(date(2026, 1, 2), date(2026, 11, 20))[-SESSIONS:].astype(object)
    bar = dict.fromkeys(("open", "high", "low", "close"), 1_000) | {"volume": 10, "tv": 10_000, "change": 0}
    rest = {"market": "KOSPI", "mcap": 10**9, "shares_listed": 10**6, "dept": None, "source": "test"}
    rows = [{"session": day, "symbol": symbol, **bar, **rest} for day in days for symbol in ("000020", "000040")]
    frame = pl.DataFrame(rows, schema_overrides={"dept": pl.String})
    shared_lab().store.write({"prices_raw": frame}, sources={"prices_raw": "test"})
    return empty_pages


def said(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(part.value for part in (*page.markdown, *page.warning))


def test_the_card_and_the_builder_name_what_is_needed_and_what_is_there(short: Open) -> None:
    page = short("home", lang="en")
    page.text_input(key="preset_search").input("momentum").run()
    assert f"sessions, {SESSIONS} are loaded" in said(page)
    page.button(key="open_momentum_12_1").click().run()
    warned = [one.value for one in short("builder", lang="en").warning] + [one.value for one in page.warning]
    assert any(f"sessions, {SESSIONS} are loaded" in one and "Without more history" in one for one in warned)


def test_a_long_history_has_no_note_and_no_panel_is_opened_for_it(pages: Open) -> None:
    assert cached.held_sessions() > 2_000
    page = pages("home", lang="en")
    assert "are loaded" not in said(page)
