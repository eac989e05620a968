"""What stands on which board, in which order, under which filter; graves, one's own place, demo results apart."""

from __future__ import annotations

import importlib.util
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stocklab.db import Database, PublicationMarkRow, PublicationRow, as_system
from stocklab.db.columns import utc_now
from stocklab.errors import InputError
from stocklab.ranking import Board, BoardFilter, BoardLine, Boards
from stocklab.ranking.standing import deepest_fall

_spec = importlib.util.spec_from_file_location("ranking_rows", Path(__file__).with_name("conftest.py"))
assert _spec is not None
assert _spec.loader is not None
_rows = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_rows)
publication: Any = _rows.publication


def show(database: Database, *rows: PublicationRow) -> Boards:
    """Store publications and tell the boards, as `Publications` does."""
    boards = Boards(database)
    for row in rows:
        with database.write(row.owner_id) as session:
            session.add(row)
            session.flush()
            with as_system(session):
                boards.appeared(session, row)
    return boards


def vanish(boards: Boards, database: Database, identity: str, *, hidden: bool = False) -> None:
    with database.write() as session:
        row = session.get_one(PublicationRow, identity)
        row.withdrawn_at = None if hidden else utc_now()
        row.hidden_at = utc_now() if hidden else None
        boards.vanished(session, row)


def places(lines: tuple[BoardLine, ...]) -> list[tuple[str, int | None]]:
    return [(line.publication_id, line.place) for line in lines]


def test_the_backtest_board_orders_by_total_return_and_ties_share_a_place(people: Database) -> None:
    returns = {"a": 0.1, "b": 0.5, "c": 0.5, "d": -0.2, "e": 0.3}
    boards = show(people, *(publication(key, metrics={"total_return": value}) for key, value in returns.items()))
    page = boards.top("ben", Board.BACKTEST, synthetic=False)
    assert places(page.items) == [("c", 1), ("b", 1), ("e", 3), ("a", 4), ("d", 5)]
    assert [line.value for line in page.items] == [0.5, 0.5, 0.3, 0.1, -0.2]
    assert [boards.place(Board.BACKTEST, key, synthetic=False) for key in "abcde"] == [4, 1, 1, 5, 3]
    first = page.items[0]
    assert (first.name, first.author, first.cagr, first.sessions, first.is_mine) == (
        "C",
        "Ada Lovelace",
        0.2,
        500,
        False,
    )


def test_more_trials_for_the_same_sharpe_ratio_stand_lower(people: Database) -> None:
    boards = show(
        people,
        publication("many", trials=1000),
        publication("once", trials=1),
        publication("few", trials=10),
        publication("lesser", trials=1, metrics={"sharpe": 0.2}),
    )
    page = boards.top(None, Board.DEFLATED_SHARPE, synthetic=False)
    # By hand, ten trials without skill: their best is expected at 0.0706 a session, so "few" is 0.13 standard errors
    # above it, while 0.2 / sqrt(246) of "lesser" is 0.28 above zero.
    assert [line.publication_id for line in page.items] == ["once", "lesser", "few", "many"]
    # By hand: SR 1.2 / sqrt(246) = 0.0765092; 499 returns: 0.0765092 sqrt(498) / sqrt(1 + 0.0765092^2 / 2) = 1.70485;
    # the normal distribution at 1.70485 is 0.95589.
    assert page.items[0].value == pytest.approx(0.95589, abs=2e-5)
    assert all(0 < line.value < 1 for line in page.items)
    assert [line.value for line in boards.top(None, Board.RISK_ADJUSTED, synthetic=False).items] == [1.2, 1.2, 1.2, 0.2]


def test_sharpe_ratios_of_free_trading_or_short_runs_are_not_compared(people: Database) -> None:
    boards = show(
        people,
        publication("free", metrics={"after_costs": 0.0}),
        publication("short", metrics={"sessions": 119.0}),
        publication("flat", metrics={"sharpe": None, "skewness": None}),
        publication("fair"),
    )
    for board in (Board.RISK_ADJUSTED, Board.DEFLATED_SHARPE):
        assert places(boards.top(None, board, synthetic=False).items) == [("fair", 1)]
    assert len(boards.top(None, Board.BACKTEST, synthetic=False).items) == 4


def test_a_grave_stays_visible_and_holds_no_place(people: Database) -> None:
    boards = show(people, *(publication(key, metrics={"total_return": n / 10}) for n, key in enumerate("abc")))
    vanish(boards, people, "b")
    lines = boards.top("ada", Board.BACKTEST, synthetic=False).items
    assert places(lines) == [("c", 1), ("b", None), ("a", 2)]
    assert [line.is_grave for line in lines] == [False, True, False]
    assert [boards.place(Board.BACKTEST, key, synthetic=False) for key in "abc"] == [2, None, 1]
    assert places(boards.mine("ada", Board.BACKTEST, synthetic=False)) == [("c", 1), ("a", 2)]
    vanish(boards, people, "c", hidden=True)
    assert places(boards.top("ada", Board.BACKTEST, synthetic=False).items) == [("b", None), ("a", 1)]


def test_results_on_the_invented_market_stand_apart(people: Database) -> None:
    boards = show(people, publication("real"), publication("demo", synthetic=True, metrics={"total_return": 9.0}))
    for board in (Board.BACKTEST, Board.RISK_ADJUSTED, Board.DEFLATED_SHARPE):
        assert places(boards.top(None, board, synthetic=False).items) == [("real", 1)]
        assert places(boards.top(None, board, synthetic=True).items) == [("demo", 1)]


def test_what_is_not_listed_stands_on_no_board(people: Database) -> None:
    boards = show(people, publication("a", visibility="unlisted"))
    assert all(boards.top("ada", board, synthetic=False).items == () for board in Board)


def test_filters_leave_out_what_is_not_known_and_number_what_they_show(people: Database) -> None:
    boards = show(
        people,
        publication("a", metrics={"total_return": 0.9, "cost_per_year": 0.2}),
        publication("b", metrics={"total_return": 0.8, "capacity_krw": None}),
        publication("c", metrics={"total_return": 0.7, "max_drawdown": -0.6}),
        publication("d", metrics={"total_return": 0.6, "sessions": 100.0}),
        publication("e", metrics={"total_return": 0.5}),
    )

    def shown(**how: Any) -> list[tuple[str, int | None]]:
        return places(boards.top(None, Board.BACKTEST, synthetic=False, chosen=BoardFilter(**how)).items)

    assert shown(most_cost=0.01) == [("b", 1), ("c", 2), ("d", 3), ("e", 4)]
    assert shown(least_capacity_krw=1e9) == [("a", 1), ("c", 2), ("d", 3), ("e", 4)]
    assert shown(most_drawdown=0.2, least_sessions=500) == [("a", 1), ("b", 2), ("e", 3)]
    assert shown(most_cost=0.01, least_capacity_krw=1.0, most_drawdown=0.5, least_sessions=101) == [("e", 1)]
    with pytest.raises(InputError, match="at least 0"):
        BoardFilter(most_cost=-1.0)
    with pytest.raises(InputError):
        BoardFilter(most_drawdown=float("nan"))


def test_pages_go_on_counting_over_ties_and_graves(people: Database) -> None:
    rows = [publication(f"p{n:03d}", metrics={"total_return": (n // 7) / 100}) for n in range(63)]
    boards = show(people, *rows)
    for number in (62, 40, 41, 42, 43, 20):
        vanish(boards, people, f"p{number:03d}")
    seen: list[tuple[str, int | None]] = []
    after = None
    while True:
        page = boards.top(None, Board.BACKTEST, synthetic=False, after=after)
        seen += places(page.items)
        after = page.after
        if after is None:
            break
    assert [one for one, _ in seen] == [row.id for row in reversed(rows)]
    assert all(boards.place(Board.BACKTEST, one, synthetic=False) == place for one, place in seen)
    with pytest.raises(InputError, match="a place in this list"):
        boards.top(None, Board.BACKTEST, synthetic=False, after="x~y")


def test_an_anonymous_entry_names_nobody(people: Database) -> None:
    boards = show(people, publication("a", is_anonymous=True))
    assert "Ada" not in repr(boards.top("ben", Board.BACKTEST, synthetic=False))
    assert boards.mine("ada", Board.BACKTEST, synthetic=False)[0].is_mine
    assert boards.mine("ben", Board.BACKTEST, synthetic=False) == ()


def test_one_that_is_shown_again_takes_its_marks_along(people: Database) -> None:
    boards = show(people, publication("a"))
    with people.write() as session:
        for day, equity in ((2, 100e6), (3, 120e6), (4, 90e6)):
            session.add(PublicationMarkRow(publication_id="a", session=date(2026, 11, day), equity=equity))
    vanish(boards, people, "a", hidden=True)
    with people.write() as session:
        row = session.get_one(PublicationRow, "a")
        row.hidden_at = None
        boards.appeared(session, row)
    line = boards.top(None, Board.AFTER_PUBLICATION, synthetic=False).items[0]
    assert (line.value, line.max_drawdown, line.sessions) == (pytest.approx(-0.1), -0.25, 2)
    boards.rebuild()
    assert boards.place(Board.BACKTEST, "a", synthetic=False) == 1


def test_the_deepest_fall_counts_from_the_start() -> None:
    assert deepest_fall([90_000_000, 95_000_000]) == pytest.approx(-0.1)
    assert deepest_fall([100_000_000, 110_000_000]) == 0.0
