"""The place of one is what counting all of them gives: random moves, ties, graves, many writers."""

from __future__ import annotations

import math
import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from stocklab.db import BoardBucketRow, BoardEntryRow, Database, OwnerRow, PublicationRow
from stocklab.errors import InputError
from stocklab.ranking.places import Entry, bucket_of, bury, place_of, put, rebuild

FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = (0.0, -0.0, 0.1, 0.1, 0.10000001, 0.5, 0.5, -0.3, 1e-12, -1e-12, 3.0, 900.0, 1.7e308, -1.7e308, 5e-324)


@given(FINITE, FINITE)
def test_a_larger_value_never_has_a_smaller_band(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert bucket_of(low) <= bucket_of(high)
    assert abs(bucket_of(one)) < 2**31


def test_bands_are_narrow_and_only_finite_values_have_one() -> None:
    assert bucket_of(1.0) < bucket_of(1.004)
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(InputError, match="finite"):
            bucket_of(value)


@pytest.fixture
def forty(database: Database) -> Database:
    """Forty publications to move about."""
    with database.write() as session:
        session.add(OwnerRow(id="ada", name="Ada"))
        session.flush()
        session.add_all(
            PublicationRow(
                id=f"p{number:02d}", owner_id="ada", version=1, name="x", visibility="public", metrics={}, curve={}
            )
            for number in range(40)
        )
    return database


def entry(number: int, value: float, board: str = "b") -> Entry:
    return Entry(board=board, publication_id=f"p{number:02d}", value=value, sessions=100, trials=1)


def check_against_naive(database: Database, board: str = "b") -> None:
    with database.read() as session:
        rows = session.execute(
            select(BoardEntryRow.publication_id, BoardEntryRow.value, BoardEntryRow.is_grave).where(
                BoardEntryRow.board == board
            )
        ).all()
        living = [row.value for row in rows if not row.is_grave]
        for row in rows:
            naive = None if row.is_grave else 1 + sum(value > row.value for value in living)
            assert place_of(session, board, row.publication_id) == naive, row
        counted = dict(
            session.execute(
                select(BoardBucketRow.bucket, BoardBucketRow.entries).where(
                    BoardBucketRow.board == board, BoardBucketRow.entries != 0
                )
            ).all()
        )
        expected: dict[int, int] = {}
        for value in living:
            expected[bucket_of(value)] = expected.get(bucket_of(value), 0) + 1
        assert counted == expected


@pytest.mark.parametrize("seed", range(3))
def test_places_after_random_moves_are_the_naive_ones(forty: Database, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(25):
        chosen = draw.sample(range(40), draw.randint(1, 6))
        with forty.write() as session:
            if draw.random() < 0.75:
                put(session, [entry(number, draw.choice(VALUES)) for number in chosen])
            else:
                bury(session, f"p{chosen[0]:02d}", remove=draw.random() < 0.3)
        check_against_naive(forty)
    with forty.write() as session:
        rebuild(session, "b")
    check_against_naive(forty)


def test_places_are_the_naive_ones_after_many_wrote_at_once(forty: Database) -> None:
    failed: list[BaseException] = []
    begin = threading.Barrier(8)

    def act(seed: int) -> None:
        draw = random.Random(seed)
        begin.wait()
        try:
            for _ in range(12):
                with forty.write() as session:
                    if draw.random() < 0.8:
                        number = draw.randrange(10)  # few, so that they meet
                        put(session, [entry(number, draw.choice(VALUES), board) for board in ("c", "b", "a")])
                    else:
                        bury(session, f"p{draw.randrange(10):02d}")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=act, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for board in ("a", "b", "c"):
        check_against_naive(forty, board)


def test_a_board_without_an_entry_has_no_place(forty: Database) -> None:
    with forty.write() as session:
        put(session, [entry(1, 0.5)])
        assert (place_of(session, "b", "p01"), place_of(session, "b", "p02"), place_of(session, "a", "p01")) == (
            1,
            None,
            None,
        )
        assert session.scalar(select(func.count()).select_from(BoardBucketRow)) == 1
