"""Which source's rows stand: checked against rules written out one session at a time."""

from __future__ import annotations

from datetime import date

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.data.datasets import DATASETS, PRICES_RAW
from stocklab.data.sync.owned_rows import merge_sessions

DAYS = (date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4))
SYMBOLS = ("000020", "005930", "035720", "247540")
ORDER = ("krx.stocks", "portal.stocks", "krx.funds")
Session = dict[str, int]  # symbol -> close


def frame(feed: str, sessions: dict[date, Session]) -> pl.DataFrame:
    rows = [
        {"session": day, "symbol": symbol, "close": close, "volume": 0, "market": "KOSPI", "source": feed}
        for day, closes in sessions.items()
        for symbol, close in closes.items()
    ]
    schema = dict(DATASETS[PRICES_RAW].schema)
    if not rows:
        return pl.DataFrame(schema=schema)
    empty = [pl.lit(None, dtype=kind).alias(name) for name, kind in schema.items() if name not in rows[0]]
    return pl.DataFrame(rows).with_columns(empty).select(pl.col(name).cast(kind) for name, kind in schema.items())


def by_cell(rows: pl.DataFrame) -> dict[tuple[date, str], tuple[str, int]]:
    cells = {
        (day, symbol): (source, close)
        for day, symbol, source, close in rows.select("session", "symbol", "source", "close").iter_rows()
    }
    assert len(cells) == rows.height, "a cell has two rows"
    return cells


def follow(
    stored: dict[tuple[date, str], tuple[str, int]], answers: list[tuple[str, dict[date, Session]]]
) -> tuple[dict[tuple[date, str], tuple[str, int]], set[tuple[object, ...]]]:
    """The rules, slowly: the most trusted answer first, one session after the other."""
    rank = {name: place for place, name in enumerate(ORDER)}
    cells = dict(stored)
    differences: set[tuple[object, ...]] = set()
    for feed, sessions in sorted(answers, key=lambda one: rank[one[0]]):
        for day, answered in sessions.items():
            closes = dict(answered)
            here = {symbol: value for (when, symbol), value in cells.items() if when == day}
            for symbol, close in closes.items():
                source, other = here.get(symbol, (feed, close))
                if source != feed and other != close:
                    differences.add((day, symbol, feed, str(close), source, str(other)))
            better = [
                symbol
                for symbol, (source, _) in here.items()
                if source != feed and rank.get(source, len(ORDER)) < rank[feed] and symbol in closes
            ]
            if better and len(better) >= len(closes) / 2:
                continue
            for symbol in better:
                del closes[symbol]
            for other_source in {source for source, _ in here.values()}:
                theirs = [symbol for symbol, (source, _) in here.items() if source == other_source]
                shared = [symbol for symbol in theirs if symbol in closes]
                whole = other_source == feed or (shared and len(shared) >= len(theirs) / 2)
                for symbol in theirs if whole else shared:
                    del cells[(day, symbol)]
            cells.update({(day, symbol): (feed, close) for symbol, close in closes.items()})
    return cells, differences


sessions_of_a_feed = st.dictionaries(
    st.sampled_from(DAYS),
    st.dictionaries(st.sampled_from(SYMBOLS), st.integers(100, 102), min_size=1),
    min_size=1,
)
answers_of_feeds = st.dictionaries(st.sampled_from(ORDER), sessions_of_a_feed, min_size=1)


@settings(max_examples=100, deadline=None)
@given(stored=st.dictionaries(st.sampled_from((*ORDER, "a file")), sessions_of_a_feed), answers=answers_of_feeds)
def test_the_rows_that_stand_are_those_the_rules_name(stored, answers):
    taken: dict[tuple[date, str], tuple[str, int]] = {}
    for source, sessions in stored.items():  # the store holds a cell once
        for day, closes in sessions.items():
            for symbol, close in closes.items():
                taken.setdefault((day, symbol), (source, close))
    before = pl.concat(
        [frame(source, {day: {symbol: close}}) for (day, symbol), (source, close) in taken.items()]
        or [frame("a file", {})]
    )
    merged = merge_sessions(
        PRICES_RAW, before, [(name, frame(name, sessions)) for name, sessions in answers.items()], order=ORDER
    )
    expected, differences = follow(taken, list(answers.items()))
    assert by_cell(merged.frame) == expected
    assert merged.changed == (expected != taken)
    columns = ("session", "symbol", "source", "value", "other_source", "other_value")
    assert set(merged.disagreements.select(columns).iter_rows()) == differences
    assert merged.added == len(expected.keys() - taken.keys())
    assert merged.removed == len(taken.keys() - expected.keys())
    assert merged.replaced == sum(taken[cell] != expected[cell] for cell in taken.keys() & expected.keys())


def test_a_correction_replaces_and_a_row_that_is_gone_goes():
    before = frame("krx.stocks", {DAYS[0]: {"000020": 100, "005930": 200}, DAYS[1]: {"000020": 101}})
    merged = merge_sessions(
        PRICES_RAW, before, [("krx.stocks", frame("krx.stocks", {DAYS[0]: {"000020": 99}}))], order=ORDER
    )
    assert by_cell(merged.frame) == {
        (DAYS[0], "000020"): ("krx.stocks", 99),
        (DAYS[1], "000020"): ("krx.stocks", 101),
    }
    assert (merged.added, merged.replaced, merged.removed) == (0, 1, 1)
    again = merge_sessions(
        PRICES_RAW, merged.frame, [("krx.stocks", frame("krx.stocks", {DAYS[0]: {"000020": 99}}))], order=ORDER
    )
    assert not again.changed
