"""Every list page sends a fixed number of statements, however many rows it shows: those that the benchmark times."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from people import counted

from stocklab.db import Database

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from club.making import Size, make
from club.questions import questions

SMALL = Size(users=60, strategies=200, publications=120, posts=200, comments=200)
ASKED = 8
STATEMENTS = {
    **dict.fromkeys(("my strategies", "my strategies by name", "my strategies, search", "my strategies, folder"), 1),
    **dict.fromkeys(("my strategies, tag", "my strategies, far down", "my strategies to choose from"), 1),
    **dict.fromkeys(
        ("my folders", "my tags", "my runs", "my runs, far down", "my runs to choose from", "my wishes"), 1
    ),
    **dict.fromkeys(("audit log", "audit log of one", "audit log by action", "sessions of mine", "notices"), 1),
    # whether who asks is an admin, and the page
    **dict.fromkeys(("admin: users", "admin: users, far down", "admin: users, search"), 2),
    **dict.fromkeys(("admin: feedback", "admin: feedback, far down"), 2),
    **dict.fromkeys(("my universes", "my jobs", "tokens of mine", "my news filters"), 1),
    "admin: notices": 2,
    "admin: activity": 4,
    # the page, and the factors of all on it; for a search how common each part is and what has all
    **dict.fromkeys(("public strategies", "public strategies, liked", "public strategies, far down"), 2),
    **dict.fromkeys(("public strategies, liked, far down", "my publications"), 2),
    **dict.fromkeys(("public strategies, search", "public strategies, two words", "public strategies by factor"), 4),
    **dict.fromkeys(("public strategies by two", "public strategies by three"), 4),
    "public strategies by factor and word": 4,
    # nothing is found, so that there are no factors
    **dict.fromkeys(("public strategies, three words", "public strategies, rare search"), 3),
    "one publication": 4,
    "family tree": 4,  # ancestors, and a generation each of children, grandchildren and none
    **dict.fromkeys(("board: top 20", "board: place of one", "board: filtered"), 1),
    "board: mine": 2,
    # the page, tags, the reader's likes and live cards
    **dict.fromkeys(("posts: newest", "posts: far down", "posts: of a kind", "posts: of a tag", "posts: mine"), 4),
    **dict.fromkeys(("posts: most liked of the day", "posts: most liked of the week"), 4),
    **dict.fromkeys(("posts: most liked of the month", "posts: of a tag, far down", "one post"), 4),
    **dict.fromkeys(("posts: search, one word", "posts: search, three", "posts: search, a phrase"), 6),
    **dict.fromkeys(("posts: search, a rare phrase", "posts: search, none"), 1),
    "comments: a short thread": 2,
    "comments: the longest, two pages": 4,
    **dict.fromkeys(("watch list", "recently viewed", "disclosures", "disclosures of a kind"), 1),
    **dict.fromkeys(("news", "news, far down"), 2),
    "news of watched": 3,
    "moderation queue": 4,
    **dict.fromkeys(("my guards", "my guards, far down", "my guards of an account", "my guards of a symbol"), 1),
    "my positions": 5,  # accounts, their entries, last prices, closes, names of strategies
    "my strategies at work": 1,  # nobody has one here; tests/ui/test_trading_page.py counts those of many
    "my decisions": 1,
    **dict.fromkeys(("sold by hand", "sold by hand, far down"), 1),
}
ON_POSTGRESQL = {"posts: search, a rare phrase": 2, "posts: search, none": 2}  # the newest first, then the index


def test_lists_send_a_fixed_number_of_statements(database: Database) -> None:
    make(database, SMALL)
    with database.read("nobody"):  # whether PostgreSQL has the role of users is looked for once
        pass
    found = {}
    for question in questions(database, SMALL):
        rng = random.Random(7)
        sent = []
        for _ in range(ASKED):
            with counted(database) as statements:
                question.ask(rng)
            sent.append(len(statements))
        found[question.name] = max(sent)
    assert found == STATEMENTS | (ON_POSTGRESQL if database.backend == "postgresql" else {})
