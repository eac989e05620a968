"""A community made up: users, strategies, publications, posts and comments, in the numbers asked for."""

from __future__ import annotations

import hashlib
import importlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from club.filling import NOW, Filler, Row

from stocklab.data.sources.dart_disclosures import DisclosureKind
from stocklab.db import Database
from stocklab.operations.audit_chain import NO_HASH, chain_hash
from stocklab.portfolios import BacktestOrder
from stocklab.sharing.finding import terms_of
from stocklab.strategy import PRESETS

WORDS: Final = (
    *("가치", "성장", "배당", "모멘텀", "저변동성", "퀄리티", "반도체", "은행", "자동차", "바이오", "조선", "철강"),
    *("화학", "코스피", "코스닥", "소형주", "대형주", "추세", "반등", "돌파", "평균", "이동평균", "손절", "익절"),
    *("분산", "리밸런싱", "백테스트", "수익률", "낙폭", "샤프", "질문", "후기", "분석", "전략", "공유"),
)
FACTORS: Final = ("per", "pbr", "roe", "rsi_14", "momentum_12_1", "volatility_60", "dividend_yield", "market_cap")
KINDS: Final = tuple(DisclosureKind)
BOARDS: Final = ("after_publication", "deflated_sharpe", "risk_adjusted", "backtest")
LONG_THREAD: Final = 5_000
SPREAD: Final = timedelta(days=730)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is made; ``scale`` 1 is a club of a hundred thousand."""

    users: int
    strategies: int
    publications: int
    posts: int
    comments: int

    @classmethod
    def of(cls, scale: float) -> Size:
        """The numbers at a scale."""
        return cls(
            users=round(100_000 * scale),
            strategies=round(300_000 * scale),
            publications=round(100_000 * scale),
            posts=round(200_000 * scale),
            comments=round(800_000 * scale),
        )


def user_id(number: int) -> str:
    """Id of a user; 0 has the most of everything."""
    return _hash("user", number)


def strategy_id(number: int) -> str:
    """Id of a strategy."""
    return _hash("strategy", number)


def publication_id(number: int) -> str:
    """Id of a publication."""
    return _hash("publication", number)


def post_id(number: int, size: Size) -> str:
    """Id of a post, which begins with its moment; the last one is the newest and has the long thread."""
    return _timed("post", number, size.posts)


def make(database: Database, size: Size, *, seed: int = 1) -> int:
    """Fill an empty, migrated database; returns how many rows were written."""
    filler = Filler(database)
    rng = random.Random(seed)
    _people(filler, size, rng)
    _strategies(filler, size, rng)
    _publications(filler, size, rng)
    _posts(filler, size, rng)
    _lists(filler, size, rng)
    _trading(filler, size)
    filler.fill("audit_log", _audit(size))
    filler.finish()
    rebuild = optional("stocklab.community", "rebuild_search")
    if rebuild is not None:
        print(f"  search: {rebuild(database):,} documents", flush=True)
        filler.finish()
    return filler.rows


def optional(module: str, name: str) -> Any:
    """Something of a package that this version may not have; None then."""
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None


def _people(filler: Filler, size: Size, rng: random.Random) -> None:
    count = size.users
    filler.fill(
        "owners",
        (
            {"id": user_id(n), "name": f"{WORDS[n % len(WORDS)]}{n}", "created_at": _when(n, count)}
            for n in range(count)
        ),
    )
    filler.fill("users", (_user(n, count) for n in range(count)))
    filler.fill("user_sessions", (_session(n, size, rng) for n in range(count * 2)))
    filler.fill(
        "active_days",
        (
            {"day": NOW.date() - timedelta(days=back), "user_id": user_id(n)}
            for back in range(30)
            for n in range(back, count, 40)
        ),
    )
    filler.fill(
        "feedback",
        (
            {"id": _hash("feedback", n), "owner_id": _someone(rng, count), "kind": "wish", "page": "start"}
            | {"body": _text(rng, 12), "state": "open" if n % 4 else "closed", "created_at": _when(n, count // 5)}
            for n in range(count // 5)
        ),
    )
    filler.fill("notices", ({"id": f"n{n}", "title": "점검", "body": "오늘 밤", "level": "info"} for n in range(5)))


def _user(n: int, count: int) -> Row:
    nickname = f"{WORDS[n % len(WORDS)]}{n}"
    return {
        "id": user_id(n),
        "email": f"user{n}@example.org",
        "email_key": f"user{n}@example.org",
        "nickname": nickname,
        "nickname_key": nickname,
        "role": "member" if n else "admin",
        "plan": "free",
        "is_active": True,
        "created_at": _when(n, count),
        "last_seen_at": _when((n * 7919) % count, count),
    }


def _session(n: int, size: Size, rng: random.Random) -> Row:
    return {
        "id": _hash("session", n),
        "user_id": _someone(rng, size.users),
        "token_hash": hashlib.sha256(f"token {n}".encode()).hexdigest(),
        "address": "127.0.0.1",
        "agent": "Firefox",
        "created_at": NOW - timedelta(minutes=n % 10_000),
        "expires_at": NOW + timedelta(days=7),
    }


def _strategies(filler: Filler, size: Size, rng: random.Random) -> None:
    documents = [json.dumps(preset.strategy.model_dump(mode="json")) for preset in PRESETS.values()]
    owners = [_someone(rng, size.users) for _ in range(size.strategies)]
    names = [_name(rng) for _ in range(size.strategies)]

    def rows() -> Iterator[Row]:
        for n in range(size.strategies):
            yield {
                "id": strategy_id(n),
                "owner_id": owners[n],
                "name": names[n],
                "document": documents[n % len(documents)],
                "fingerprint": _hash("print", n) * 2,
                "version": 1,
                "folder": WORDS[n % 7] if n % 3 else None,
                "tags": [WORDS[n % 5]],
                "created_at": _when(n, size.strategies),
                "updated_at": _when(n, size.strategies),
            }

    filler.fill("strategies", rows())
    filler.fill(
        "strategy_versions",
        (
            {"strategy_id": strategy_id(n), "owner_id": owners[n], "version": 1, "name": names[n]}
            | {"document": documents[n % len(documents)], "created_at": _when(n, size.strategies)}
            for n in range(0, size.strategies, 3)
        ),
    )
    filler.fill("runs", (_run(n, owners[n % len(owners)], names[n % len(names)], size) for n in range(size.strategies)))
    filler.fill("jobs", (_job(n, _someone(rng, size.users), size) for n in range(size.users)))


def _run(n: int, owner: str, name: str, size: Size) -> Row:
    return {
        "id": _hash("run", n),
        "owner_id": owner,
        "run_id": _hash("result", n) * 2,
        "strategy_id": strategy_id(n % size.strategies),
        "name": name,
        "start_on": date(2016, 1, 4),
        "end_on": date(2026, 11, 20),
        "initial_cash_krw": 100_000_000,
        "price_basis": "adjusted",
        "metrics": _metrics(n),
        "is_portfolio": n % 50 == 0,
        "created_at": _when(n, size.strategies),
    }


_ORDER: Final = json.dumps(
    BacktestOrder(
        document={"name": "x"}, start=date(2016, 1, 4), end=date(2025, 12, 30), initial_cash_krw=100_000_000
    ).to_json()
)


def _job(n: int, owner: str, size: Size) -> Row:
    moment = _when(n, size.users)
    return {
        "order_document": _ORDER,
        "id": _hash("job", n),
        "owner_id": owner,
        "kind": "backtest",
        "state": "COMPLETED",
        "worker": "w",
        "heartbeat_at": moment,
        "created_at": moment,
        "finished_at": moment,
    }


def _publications(filler: Filler, size: Size, rng: random.Random) -> None:
    count = size.publications
    _named_publications(filler, size, rng)
    filler.fill(
        "publication_factors",
        (
            {"publication_id": publication_id(n), "factor": factor}
            for n in range(count)
            for factor in {FACTORS[n % len(FACTORS)], FACTORS[(n // 3) % len(FACTORS)], FACTORS[0 if n % 9 else 1]}
        ),
    )
    filler.fill(
        "publication_likes",
        (
            {"publication_id": publication_id(n), "owner_id": user_id(each)}
            for n in range(count)
            for each in rng.sample(range(size.users), n % 5)
        ),
    )
    filler.fill(
        "publication_marks",
        (
            {"publication_id": publication_id(n), "session": NOW.date() - timedelta(days=back), "equity": 1e8 + back}
            for n in range(0, count, 20)
            for back in range(60)
        ),
    )
    bucket_of = optional("stocklab.ranking.places", "bucket_of") or (lambda value: int(value * 1000))
    values = {board: [rng.gauss(0.1, 0.3) for _ in range(count)] for board in BOARDS}
    filler.fill(
        "board_entries", (_entry(board, n, values[board][n], bucket_of) for board in BOARDS for n in range(count))
    )
    filler.fill("board_buckets", _buckets(values, bucket_of))


def _named_publications(filler: Filler, size: Size, rng: random.Random) -> None:
    names = [_name(rng) for _ in range(size.publications)]
    filler.fill("publications", (_publication(n, name, size, rng) for n, name in enumerate(names)))
    filler.fill(
        "publication_terms",
        (
            {"publication_id": publication_id(n), "term": term}
            for n, name in enumerate(names)
            for term in terms_of(name)
        ),
    )


def _publication(n: int, name: str, size: Size, rng: random.Random) -> Row:
    return {
        "id": publication_id(n),
        "owner_id": _someone(rng, size.users),
        "strategy_id": strategy_id(n),
        "version": 1,
        "parent_id": publication_id(n // 3) if n % 3 == 0 and n else None,
        "name": name,
        "description": _text(rng, 20),
        "document": json.dumps({"name": "x"}),
        "fingerprint": _hash("print", n) * 2,
        "visibility": "public" if n % 20 else "unlisted",
        "is_anonymous": n % 6 == 0,
        "hides_rules": n % 11 == 0,
        "run_id": _hash("result", n) * 2,
        "run_start": date(2016, 1, 4),
        "run_end": date(2026, 11, 20),
        "trials": 1 + n % 40,
        "metrics": _metrics(n),
        "likes": n % 5,
        "clones": n % 3,
        "published_at": _when(n, size.publications),
        "withdrawn_at": _when(n, size.publications) if n % 31 == 0 else None,
    }


def _is_grave(n: int) -> bool:
    return n % 31 == 0


def _entry(board: str, n: int, value: float, bucket_of: Any) -> Row:
    return {
        "board": board,
        "publication_id": publication_id(n),
        "value": value,
        "bucket": bucket_of(value),
        "is_grave": _is_grave(n),
        "cost_fraction": (n % 100) / 2000,
        "capacity_krw": 1e8 * (1 + n % 50),
        "max_drawdown": (n % 60) / 100,
        "sessions": 60 + n % 2500,
        "trials": 1 + n % 40,
    }


def _buckets(values: dict[str, list[float]], bucket_of: Any) -> Iterator[Row]:
    for board, found in values.items():
        counts: dict[int, int] = {}
        for n, value in enumerate(found):
            if not _is_grave(n):
                counts[bucket_of(value)] = counts.get(bucket_of(value), 0) + 1
        yield from ({"board": board, "bucket": bucket, "entries": entries} for bucket, entries in counts.items())


def _posts(filler: Filler, size: Size, rng: random.Random) -> None:
    count = size.posts
    ids = [post_id(n, size) for n in range(count)]
    kinds = [("strategy", "free", "qna")[n % 3] for n in range(count)]
    filler.fill("posts", (_post(n, ids, kinds, size, rng) for n in range(count)))
    filler.fill("post_tags", ({"post_id": ids[n], "tag": WORDS[(n * 13) % len(WORDS)]} for n in range(count)))
    filler.fill(
        "post_likes",
        ({"post_id": ids[n], "owner_id": user_id(each)} for n in range(count) for each in rng.sample(range(90), n % 4)),
    )
    filler.fill("popular_posts", _popular(ids, kinds))
    filler.fill("comments", _comments(ids, size, rng))


def _post(n: int, ids: list[str], kinds: list[str], size: Size, rng: random.Random) -> Row:
    return {
        "id": ids[n],
        "owner_id": _someone(rng, size.users),
        "category": kinds[n],
        "title": _text(rng, 5)[:120],
        "body": _text(rng, 30),
        "is_anonymous": n % 7 == 0,
        "publication_id": publication_id(n % size.publications) if n % 3 == 0 else None,
        "likes": n % 4,
        "comments": LONG_THREAD if n == size.posts - 1 else 4,
        "created_at": _when(n, size.posts),
        "hidden_at": NOW if n % 400 == 1 else None,
    }


def _popular(ids: list[str], kinds: list[str]) -> Iterator[Row]:
    period_of, begins_on = optional("stocklab.community", "Period"), optional("stocklab.community", "begins_on")
    if period_of is None or begins_on is None:
        return
    for period, share in zip(period_of, (100, 20, 5), strict=True):
        for n in range(0, len(ids), share):
            place = {"period": period.value, "begins_on": begins_on(period, NOW), "post_id": ids[n]}
            yield {**place, "category": kinds[n], "likes": 1 + (n * 31) % 400}


def _comments(ids: list[str], size: Size, rng: random.Random) -> Iterator[Row]:
    """Four under each post, the second answering the first; the rest under the newest post, five deep."""
    made, last = 0, len(ids) - 1
    long_thread = min(LONG_THREAD, size.comments // 4)
    for n in range(size.comments):
        under = last if n >= size.comments - long_thread else n // 4 % last
        mine = _timed("comment", n, size.comments)
        if made % 4 == 0 or (under == last and made % 5 == 0):
            parent, path, depth = None, mine, 0
        else:
            path, depth = f"{path}{mine}"[:400], depth + 1
        yield {
            "id": mine,
            "post_id": ids[under],
            "parent_id": parent,
            "path": path,
            "depth": depth,
            "owner_id": _someone(rng, size.users),
            "body": _text(rng, 8),
            "is_anonymous": n % 9 == 0,
            "created_at": _when(n, size.comments),
        }
        parent, made = mine, made + 1


def _lists(filler: Filler, size: Size, rng: random.Random) -> None:
    symbols = [f"{n:06}" for n in range(5930, 8500)]
    users = range(size.users)
    filler.fill(
        "watch_list",
        ({"owner_id": user_id(n), "symbol": each} for n in users for each in rng.sample(symbols, 200 if n == 0 else 2)),
    )
    filler.fill(
        "recent_symbols",
        (
            {"owner_id": user_id(n), "symbol": each, "seen_at": NOW - timedelta(minutes=place)}
            for n in users
            for place, each in enumerate(rng.sample(symbols, 3))
        ),
    )
    count = size.users
    filler.fill(
        "news_items",
        (
            {"key": _hash("news", n) * 2, "symbol": rng.choice(symbols), "title": _text(rng, 8), "link": "https://x.y"}
            | {"published_at": _when(n, count), "first_seen_at": _when(n, count)}
            for n in range(count)
        ),
    )
    filler.fill(
        "disclosures",
        (
            {
                "filing_no": f"{n:014}",
                "symbol": rng.choice(symbols),
                "title": _text(rng, 6),
                "kind": KINDS[n % len(KINDS)].value,
            }
            | {"published_on": _when(n, count).date(), "first_seen_at": _when(n, count)}
            for n in range(count)
        ),
    )
    filler.fill(
        "reports",
        (
            {"id": _hash("report", n), "owner_id": user_id(n), "subject_kind": "post", "subject_id": post_id(n, size)}
            | {"reason": "spam", "state": "open" if n % 2 else "dismissed", "created_at": _when(n, count // 20)}
            for n in range(count // 20)
        ),
    )


def account_id(number: int) -> str:
    """Id of a user's account at a broker."""
    return _hash("account", number)


def _trading(filler: Filler, size: Size) -> None:
    """An account of each user, with guards and what was sold by hand; 0 has the most."""
    users = range(size.users)
    filler.fill(
        "broker_accounts",
        (
            {"id": account_id(n), "owner_id": user_id(n), "broker": "paper", "mock": True, "name": "mine"}
            | {"sealed": "x", "active": False, "created_at": NOW, "updated_at": NOW}
            for n in users
        ),
    )
    filler.fill(
        "guards",
        (
            {
                "id": _timed("guard", n * 1000 + k, 1000 * size.users),
                "owner_id": user_id(n),
                "account_id": account_id(n),
            }
            | {"sleeve_id": "outside", "symbol": f"{5930 + k:06}", "kind": "stop", "source": "person", "state": "fired"}
            | {"level_krw": "100", "created_at": _when(k, 500), "updated_at": NOW}
            for n in users
            for k in range(500 if n == 0 else 2)
        ),
    )
    filler.fill(
        "hands_off",
        (
            {"account_id": account_id(n), "owner_id": user_id(n), "symbol": f"{5930 + k:06}", "noticed_at": NOW}
            for n in users
            for k in range(50 if n == 0 else 1)
        ),
    )


def _audit(size: Size) -> Iterator[Row]:
    previous = NO_HASH
    for n in range(1, size.users + 1):
        fields: dict[str, Any] = {
            "number": n,
            "at": _when(n, size.users + 1),
            "actor_id": user_id((n * 7919) % size.users),
            "action": ("login", "logout", "share", "settings")[n % 4],
            "subject": "",
            "details": {"n": n},
            "previous_hash": previous,
        }
        previous = chain_hash(**fields)
        yield {**fields, "hash": previous}


def _hash(kind: str, number: int) -> str:
    return hashlib.md5(f"{kind} {number}".encode(), usedforsecurity=False).hexdigest()


def _timed(kind: str, number: int, count: int) -> str:
    return f"{int(_when(number, count).timestamp() * 1000):012x}{_hash(kind, number)[:20]}"


def _when(number: int, count: int) -> datetime:
    return NOW - SPREAD + SPREAD * ((number + 1) / (count + 1))


def _someone(rng: random.Random, count: int) -> str:
    """A user; few have much and most have little."""
    return user_id(int(count * rng.random() ** 2))


def _name(rng: random.Random) -> str:
    return f"{rng.choice(WORDS)} {rng.choice(WORDS)} {rng.randrange(1000)}"


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words))


def _metrics(n: int) -> dict[str, float]:
    share = (n % 997) / 997
    return {"total_return": share * 3 - 0.5, "cagr": share / 3, "sharpe": share * 2, "max_drawdown": -share / 2}
