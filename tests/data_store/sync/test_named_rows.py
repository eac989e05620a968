"""The newest list names a share, in whatever order the lists were asked for."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import polars as pl
import pytest

from stocklab.data import Store
from stocklab.data.layouts.master import instrument_rows
from stocklab.data.sources.feed import Answer, AnswerState
from stocklab.data.sync.absorb import absorb
from stocklab.data.sync.inbox import Inbox

FUNDS, LIST, CODES = "krx_openapi.etfs", "krx_openapi.instruments", "opendart.corp_codes"


def keep(inbox: Inbox, feed: str, key: str, **row: object) -> None:
    rows = instrument_rows(pl.DataFrame([{"kind": "common", **row}]))
    inbox.keep(feed, feed.split(".", maxsplit=1)[0], key, Answer(state=AnswerState.FINAL, frames={"instruments": rows}))


def fund(inbox: Inbox, key: str, name: str) -> None:
    keep(inbox, FUNDS, key, symbol="069500", name=name, market="KOSPI", kind="etf")


def share(inbox: Inbox, key: str, name: str, market: str) -> None:
    keep(inbox, LIST, key, symbol="247540", name=name, market=market, listed_on=date(2016, 5, 3))


def stored(store: Store) -> dict[str, list[str | None]]:
    snapshot = store.current()
    assert snapshot is not None
    rows = snapshot.scan("instruments").select("symbol", "name", "market", "corp_code").collect().rows()
    return {symbol: rest for symbol, *rest in rows}


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("at_once", [True, False])
def test_the_newest_name_stands(store: Store, order: tuple[int, ...], at_once: bool) -> None:
    inbox = Inbox(store.home)
    lists = [("2018-06-29", "옛 이름", "KONEX"), ("2020-06-30", "이름", "KOSDAQ"), ("2024-06-28", "새 이름", "KOSDAQ")]
    for place in order:
        key, name, market = lists[place]
        share(inbox, key, name, market)
        fund(inbox, key, f"펀드 {place}")
        if not at_once:
            absorb(store, inbox, order=(LIST, FUNDS))
    absorb(store, inbox, order=(LIST, FUNDS))
    assert stored(store) == {"247540": ["새 이름", "KOSDAQ", None], "069500": ["펀드 2", "KOSPI", None]}


def test_a_list_without_listing_days_fills_only_what_is_not_known(store: Store) -> None:
    inbox = Inbox(store.home)
    share(inbox, "2024-06-28", "이름", "KOSDAQ")
    absorb(store, inbox, order=(LIST,))
    keep(inbox, CODES, "2024-W27", symbol="247540", name="다른 이름", market="", corp_code="00126380")
    absorb(store, inbox, order=(LIST,))
    assert stored(store) == {"247540": ["이름", "KOSDAQ", "00126380"]}
