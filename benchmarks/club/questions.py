"""What pages ask of the app database. A new list page gets a line here and in tests/test_statements_of_lists.py."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from club.filling import NOW
from club.making import FACTORS, KINDS, SPREAD, WORDS, Size, account_id, optional, post_id, publication_id, user_id

from stocklab.db import Database
from stocklab.db.keyset import cursor
from stocklab.operations import AuditLog, Intents
from stocklab.portfolios import JobTable, Runs, Shelf, Strategies, Universes
from stocklab.settings import Settings

PAGE_MS: Final = 50.0
PLACE_MS: Final = 5.0

Ask = Callable[[random.Random], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a page asks, once for every call of ``ask``; its p95 is to stay below ``most_ms``."""

    name: str
    ask: Ask
    most_ms: float = PAGE_MS


def questions(database: Database, size: Size) -> list[Question]:
    """Every question this version can answer."""
    someone = Someone(size)
    found = [
        *_own(database, someone),
        *_accounts(database, someone),
        *_sharing(database, someone),
        *_boards(database, someone),
        *_posts(database, someone),
        *_threads(database, someone),
        *_lists(database, someone),
        *_trading(database, someone),
    ]
    return [Question(name=name, ask=ask, most_ms=rest[0] if rest else PAGE_MS) for name, ask, *rest in found]


def _trading(database: Database, someone: Someone) -> list[tuple[Any, ...]]:
    make = optional("stocklab.live.guards", "Guards")
    if make is None:
        return []
    guards, hands = make(database), optional("stocklab.live.hands_off", "HandsOff")(database)
    books = optional("stocklab.live.owned_book", "OwnedBooks")(database)
    board = optional("stocklab.live.trader_board", "TraderBoard")(database)
    decisions = optional("stocklab.live.decisions", "Decisions")(database)
    return [
        ("my guards", lambda rng: guards.page(someone(rng))),
        ("my guards, far down", lambda rng: guards.page(user_id(0), after=_long_ago(rng))),
        ("my guards of an account", lambda rng: guards.page(user_id(0), account_id=account_id(0))),
        ("my guards of a symbol", lambda rng: guards.over(user_id(0), account_id(0), "005930")),
        ("my positions", lambda rng: books.show(user_id(0), NOW, look_up=lambda _symbol: None)),
        ("my strategies at work", lambda rng: board.page(someone(rng))),
        ("my decisions", lambda rng: decisions.page(someone(rng))),
        ("sold by hand", lambda rng: hands.page(user_id(0), account_id(0))),
        ("sold by hand, far down", lambda rng: hands.page(user_id(0), account_id(0), after=f"{account_id(0)}~005950")),
    ]


def _words(rng: random.Random, count: int) -> str:
    return " ".join(rng.sample(WORDS, count))


def _long_ago(rng: random.Random) -> str:
    """Somewhere in a list that is sorted by time."""
    return cursor((NOW - SPREAD * rng.random()).isoformat(), "")


class Someone:
    """Users to ask for: now the one with the most rows, now anybody."""

    def __init__(self, size: Size) -> None:
        self.size = size

    def __call__(self, rng: random.Random) -> str:
        return user_id(0 if rng.random() < 0.3 else rng.randrange(self.size.users))


def _own(database: Database, someone: Someone) -> list[tuple[Any, ...]]:
    strategies, shelf, runs = Strategies(database), Shelf(database), Runs(database)
    intents, audit = Intents(database), AuditLog(database)
    universes, jobs = Universes(database), JobTable(database)
    return [
        ("my strategies", lambda rng: shelf.page(someone(rng))),
        ("my strategies by name", lambda rng: shelf.page(someone(rng), sort="name")),
        ("my strategies, search", lambda rng: shelf.page(someone(rng), search=rng.choice(WORDS))),
        ("my strategies, folder", lambda rng: shelf.page(someone(rng), folder=WORDS[rng.randrange(7)])),
        ("my strategies, tag", lambda rng: shelf.page(someone(rng), tag=WORDS[rng.randrange(5)])),
        ("my strategies, far down", lambda rng: shelf.page(user_id(0), after=_long_ago(rng))),
        ("my folders", lambda rng: shelf.folders(someone(rng))),
        ("my tags", lambda rng: shelf.tags(someone(rng))),
        ("my universes", lambda rng: universes.list(someone(rng))),
        ("my jobs", lambda rng: jobs.list(someone(rng), limit=50)),
        ("my strategies to choose from", lambda rng: strategies.list(someone(rng))),
        ("my runs", lambda rng: runs.page(someone(rng))),
        ("my runs, far down", lambda rng: runs.page(user_id(0), after=_long_ago(rng))),
        ("my runs to choose from", lambda rng: runs.list(someone(rng))),
        ("my wishes", lambda rng: intents.list(someone(rng), limit=20)),
        ("audit log", lambda rng: audit.page()),
        ("audit log of one", lambda rng: audit.page(actor_id=someone(rng))),
        ("audit log by action", lambda rng: audit.page(action="share", before=rng.randrange(21, someone.size.users))),
    ]


def _accounts(database: Database, someone: Someone) -> list[tuple[Any, ...]]:
    make = optional("stocklab.accounts", "Accounts")
    if make is None:
        return []
    limits = optional("stocklab.operations", "RateLimits")(database)
    accounts = make(database, Settings(home=Path("data")), limits)
    admin = user_id(0)

    def earlier(rng: random.Random) -> tuple[datetime, str]:
        return NOW - SPREAD * rng.random(), ""

    return [
        ("admin: users", lambda rng: accounts.administration.page(admin)),
        ("admin: users, far down", lambda rng: accounts.administration.page(admin, after=earlier(rng))),
        ("admin: users, search", lambda rng: accounts.administration.page(admin, search=f"user{rng.randrange(999)}")),
        ("admin: activity", lambda rng: accounts.administration.activity(admin)),
        ("admin: feedback", lambda rng: accounts.feedback.inbox(admin)),
        ("admin: feedback, far down", lambda rng: accounts.feedback.inbox(admin, after=earlier(rng))),
        ("admin: notices", lambda rng: accounts.notices.all(admin)),
        ("sessions of mine", lambda rng: accounts.sessions.list(someone(rng))),
        ("tokens of mine", lambda rng: accounts.tokens.list(someone(rng))),
        ("notices", lambda rng: accounts.notices.current(someone(rng))),
    ]


def _sharing(database: Database, someone: Someone) -> list[tuple[Any, ...]]:
    make = optional("stocklab.sharing", "Showcase")
    if make is None:
        return []
    showcase = make(database)
    clones = optional("stocklab.sharing", "Clones")(database)
    size = someone.size

    def less(rng: random.Random) -> str:
        return cursor(rng.randrange(5), f"{rng.randrange(16):x}")

    return [
        ("public strategies", lambda rng: showcase.list(someone(rng))),
        ("public strategies, liked", lambda rng: showcase.list(someone(rng), sort="likes")),
        ("public strategies, far down", lambda rng: showcase.list(someone(rng), after=_long_ago(rng))),
        ("public strategies, liked, far down", lambda rng: showcase.list(someone(rng), sort="likes", after=less(rng))),
        ("public strategies, search", lambda rng: showcase.list(someone(rng), search=rng.choice(WORDS))),
        ("public strategies, two words", lambda rng: showcase.list(someone(rng), search=_words(rng, 2))),
        ("public strategies, three words", lambda rng: showcase.list(someone(rng), search=_words(rng, 3))),
        ("public strategies, rare search", lambda rng: showcase.list(someone(rng), search="there is none")),
        ("public strategies by factor", lambda rng: showcase.list(someone(rng), factors=[rng.choice(FACTORS)])),
        ("public strategies by two", lambda rng: showcase.list(someone(rng), factors=rng.sample(FACTORS, 2))),
        ("public strategies by three", lambda rng: showcase.list(someone(rng), factors=rng.sample(FACTORS, 3))),
        (
            "public strategies by factor and word",
            lambda rng: showcase.list(someone(rng), factors=[rng.choice(FACTORS)], search=rng.choice(WORDS)),
        ),
        ("my publications", lambda rng: showcase.mine(someone(rng))),
        ("one publication", lambda rng: showcase.get(someone(rng), publication_id(rng.randrange(size.publications)))),
        ("family tree", lambda rng: clones.family(someone(rng), publication_id(rng.randrange(size.publications)))),
    ]


def _boards(database: Database, someone: Someone) -> list[tuple[Any, ...]]:
    make, board = optional("stocklab.ranking", "Boards"), optional("stocklab.ranking", "Board")
    wanted, place_of = optional("stocklab.ranking", "BoardFilter"), optional("stocklab.ranking.places", "place_of")
    if make is None:
        return []
    boards = make(database)

    def place(rng: random.Random) -> object:
        with database.read() as session:
            return place_of(session, "backtest", publication_id(rng.randrange(someone.size.publications)))

    return [
        ("board: top 20", lambda rng: boards.top(someone(rng), rng.choice(list(board)), synthetic=False), PLACE_MS),
        ("board: place of one", place, PLACE_MS),
        (
            "board: filtered",
            lambda rng: boards.top(
                someone(rng),
                board.BACKTEST,
                synthetic=False,
                chosen=wanted(most_drawdown=0.2, least_sessions=500),
            ),
        ),
        ("board: mine", lambda rng: boards.mine(someone(rng), board.BACKTEST, synthetic=False)),
    ]


def _posts(database: Database, someone: Someone) -> list[tuple[Any, ...]]:
    make = optional("stocklab.community", "PostLists")
    if make is None:
        return []
    lists, posts = make(database), optional("stocklab.community", "Posts")(database)
    category, period = optional("stocklab.community", "Category"), optional("stocklab.community", "Period")
    size = someone.size

    def far(rng: random.Random) -> str:
        return post_id(rng.randrange(size.posts), size)

    return [
        ("posts: newest", lambda rng: lists.newest(someone(rng))),
        ("posts: far down", lambda rng: lists.newest(someone(rng), before=far(rng))),
        ("posts: of a kind", lambda rng: lists.newest(someone(rng), category=rng.choice(list(category)))),
        ("posts: of a tag", lambda rng: lists.newest(someone(rng), tag=rng.choice(WORDS))),
        ("posts: of a tag, far down", lambda rng: lists.newest(someone(rng), tag=rng.choice(WORDS), before=far(rng))),
        ("posts: mine", lambda rng: lists.newest(someone(rng), mine=True)),
        *(
            (
                f"posts: most liked of the {each.value}",
                lambda rng, each=each: lists.popular(someone(rng), each, now=NOW),
            )
            for each in period
        ),
        ("posts: search, one word", lambda rng: lists.search(someone(rng), rng.choice(WORDS))),
        ("posts: search, three", lambda rng: lists.search(someone(rng), _words(rng, 3))),
        ("posts: search, a phrase", lambda rng: lists.search(someone(rng), f'"{_words(rng, 2)}"')),
        ("posts: search, a rare phrase", lambda rng: lists.search(someone(rng), f'"{_words(rng, 4)}"')),
        ("posts: search, none", lambda rng: lists.search(someone(rng), "없는말")),
        ("one post", lambda rng: posts.get(someone(rng), far(rng))),
    ]


def _threads(database: Database, someone: Someone) -> list[tuple[Any, ...]]:
    make = optional("stocklab.community", "Threads")
    if make is None:
        return []
    threads, size = make(database), someone.size
    longest = post_id(size.posts - 1, size)

    def second(rng: random.Random) -> object:
        first = threads.page(someone(rng), post_id=longest)
        return threads.page(someone(rng), post_id=longest, after=first.after)

    return [
        ("comments: a short thread", lambda rng: threads.page(someone(rng), post_id=post_id(rng.randrange(99), size))),
        ("comments: the longest, two pages", second),
    ]


def _lists(database: Database, someone: Someone) -> list[tuple[Any, ...]]:
    make = optional("stocklab.community", "WatchList")
    if make is None:
        return []
    watched, recent = make(database), optional("stocklab.community", "RecentSymbols")(database)
    news = optional("stocklab.community", "NewsLists")(database)
    filters = optional("stocklab.community", "NewsFilters")(database)
    moderation = optional("stocklab.community", "Moderation")(database)
    return [
        ("watch list", lambda rng: watched.list(someone(rng))),
        ("my news filters", lambda rng: filters.list(someone(rng))),
        ("recently viewed", lambda rng: recent.list(someone(rng))),
        ("news", lambda rng: news.news()),
        ("news, far down", lambda rng: news.news(before=(NOW - SPREAD * rng.random(), ""))),
        ("news of watched", lambda rng: news.news(symbols=sorted(watched.symbols(someone(rng))))),
        ("disclosures", lambda rng: news.disclosures()),
        ("disclosures of a kind", lambda rng: news.disclosures(kinds=[rng.choice(KINDS)])),
        ("moderation queue", lambda rng: moderation.queue(user_id(0))),
    ]
