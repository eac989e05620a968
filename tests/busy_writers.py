"""Fifty people who write through the services, at the same things and each at their own; and what must be true after.

As a program it is some of them in a process of their own, ``busy_writers.py URL HOME FIRST LAST``: it says when it is
ready, reads until when to write, and prints what came of it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import func, select

from stocklab.accounts import Accounts, Scope
from stocklab.backtest import RunRequest
from stocklab.backtest.result import TABLE_SCHEMAS, Result
from stocklab.community import Category, Comments, Draft, Likes, Posts, Refusal, RefusalCode, Remark, Views
from stocklab.data.results import ResultStore
from stocklab.db import (
    ApiTokenRow,
    AuditRow,
    BoardBucketRow,
    BoardEntryRow,
    CommentRow,
    Database,
    OwnerRow,
    PoolShape,
    PopularPostRow,
    PostLikeRow,
    PostRow,
    PostViewRow,
    PublicationLikeRow,
    PublicationRow,
    SearchDocumentRow,
    StrategyRow,
    StrategyVersionRow,
    UserRow,
    UserSessionRow,
    open_database,
)
from stocklab.errors import LimitReached
from stocklab.operations import AuditLog, RateLimits
from stocklab.portfolios import Runs, Strategies
from stocklab.ranking import Boards
from stocklab.settings import Settings
from stocklab.sharing import Clones, Publications, Wish
from stocklab.sharing import Likes as PublicationLikes
from stocklab.strategy import Strategy, fingerprint, parse_document

WRITERS = 50
RUN_ID = "5" * 32
TOGETHER = 200
"""So often may everybody together do what is limited, within the day."""
LONG = timedelta(days=3650)
NOON = datetime(2026, 11, 18, 3, 0, tzinfo=UTC)
Work = Callable[[], bool]


def who(number: int) -> str:
    return f"w{number}"


def rules(number: int) -> Strategy:
    """Different rules of one idea by number."""
    rule = {"id": "A", "formula": f"per<{number + 1}"}
    return parse_document({"name": "Value", "entry": {"rules": [rule]}})


def settle(database: Database, home: Path) -> None:
    """Fifty accounts, each with a strategy and a run of it; a post and a publication of the first for everybody."""
    with database.write() as session:
        session.add_all(OwnerRow(id=who(number), name=who(number)) for number in range(WRITERS))
        session.flush()
        for number in range(WRITERS):
            name, email = who(number), f"{who(number)}@e.org"
            session.add(UserRow(id=name, email=email, email_key=email, nickname=name, nickname_key=name))
    ResultStore(home).save(_result())
    request = RunRequest(strategy=rules(0), start=date(2024, 1, 2), end=date(2024, 6, 28), initial_cash_krw=100_000_000)
    for number in range(WRITERS):
        Runs(database).record(who(number), RUN_ID, request, card=_result().card, metrics=_result().metrics)
        Strategies(database).save(who(number), rules(0))
    Posts(database).write(who(0), Draft(category=Category.FREE, title="all", body="all"), now=NOON)
    writer = Writer(database, home, 0)
    assert writer.publish()


def _result() -> Result:
    days = [date(2024, 1, 2) + timedelta(days=number) for number in range(160)]
    equity = [100_000_000 + 1_000 * number for number in range(len(days))]
    daily = {"session": days, "cash_krw": equity, "holdings_krw": [0] * len(days), "equity_krw": equity}
    tables = {name: pl.DataFrame(schema=dict(schema)) for name, schema in TABLE_SCHEMAS.items()}
    tables["daily"] = pl.DataFrame({**daily, "benchmark": [1.0] * len(days)}, schema=dict(TABLE_SCHEMAS["daily"]))
    card = {"strategy": rules(0).model_dump(mode="json"), "initial_cash_krw": 100_000_000, "price_basis": "raw"}
    metrics = {"total_return": 0.002, "cagr": 0.1, "max_drawdown": -0.2, "sharpe": 1.5, "sessions_per_year": 246.0}
    return Result(
        run_id=RUN_ID,
        card={**card, "synthetic": False, "snapshot_id": "s"},
        metrics={**metrics, "cost_per_year": 0.01},
        tables=tables,
    )


class Writer(threading.Thread):
    """Writes as one person until a moment, and counts what the services said was done."""

    def __init__(self, database: Database, home: Path, number: int) -> None:
        super().__init__(daemon=True)
        self.number, self.me, self.until = number, who(number), 0.0
        self.limits, self.audit = RateLimits(database), AuditLog(database)
        record = self.audit.write
        self.accounts = Accounts(database, Settings(home=home, encryption_key="k" * 40), self.limits, record)
        self.strategies, self.clones = Strategies(database), Clones(database)
        self.publications = Publications(database, ResultStore(home), followers=(Boards(database),))
        self.publication_likes, self.likes = PublicationLikes(database), Likes(database)
        self.comments, self.posts, self.views = Comments(database), Posts(database), Views(database)
        with database.read() as session:
            self.post = session.scalar(select(PostRow.id).where(PostRow.title == "all"))
            self.publication = session.scalar(select(PublicationRow.id).order_by(PublicationRow.published_at).limit(1))
            mine = select(StrategyRow.id).where(StrategyRow.origin_id.is_(None))
            self.strategy = session.scalar(mine.where(StrategyRow.owner_id == self.me).limit(1))
            self.shared = session.scalar(mine.where(StrategyRow.owner_id == who(0)).limit(1))
        self.done: Counter[str] = Counter()
        self.tried: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.errors: list[str] = []

    def run(self) -> None:
        """One kind of writing after the other, each writer beginning with another kind."""
        works = (self.save, self.save_shared, self.publish, self.like, self.like_post, self.comment, self.write)
        works += (self.see, self.spend, self.log, self.log_in, self.rename, self.clone, self.make_token)
        turn = self.number
        try:
            while time.time() < self.until:
                self._do(works[turn % len(works)])
                turn += 1
        except BaseException as error:  # whatever reaches a person
            self.errors.append(repr(error))

    def _do(self, work: Work) -> None:
        name = work.__name__
        self.tried[name] += 1
        began = time.perf_counter()
        try:
            did = work()
        except LimitReached:
            did = False
        except Refusal as refusal:
            if refusal.code is not RefusalCode.TOO_FAST:
                raise
            did = False
        self.seconds.append(time.perf_counter() - began)
        self.done[name] += did

    def _now(self, work: str, step: timedelta) -> datetime:
        """A clock of this writer's own, so that limits by the minute leave something to write."""
        return NOON + self.tried[work] * step

    def save(self) -> bool:
        """The next version of one's own strategy."""
        return self._save(self.me, self.strategy, 1 + self.tried["save"])

    def save_shared(self) -> bool:
        """The next version of the first one's strategy, as fifty browsers of one person would."""
        return self._save(who(0), self.shared, 1000 * (self.number + 1) + self.tried["save_shared"])

    def _save(self, owner: str, strategy: str | None, number: int) -> bool:
        wanted = rules(number)
        return self.strategies.save(owner, wanted, strategy_id=strategy).fingerprint == fingerprint(wanted)

    def publish(self) -> bool:
        """Version 1, which has a run."""
        return bool(self.publications.publish(self.me, Wish(strategy_id=str(self.strategy), version=1)))

    def like(self) -> bool:
        """Like the publication, or no longer."""
        wanted = self.tried["like"] % 2
        change = self.publication_likes.like if wanted else self.publication_likes.unlike
        did = change(self.me, str(self.publication))
        self.done["liked"] += did * (1 if wanted else -1)
        return did

    def like_post(self) -> bool:
        """Like the post, or no longer."""
        wanted = bool(self.tried["like_post"] % 2)
        moment = self._now("like_post", timedelta(seconds=1))
        did = self.likes.like_post(self.me, str(self.post), liked=wanted, now=moment)
        self.done["post_liked"] += did * (1 if wanted else -1)
        return did

    def comment(self) -> bool:
        """Comment on the post."""
        remark = Remark(post_id=self.post, body=f"{self.me} {self.tried['comment']}")
        return bool(self.comments.write(self.me, remark, now=self._now("comment", timedelta(seconds=15))))

    def write(self) -> bool:
        """A post of one's own."""
        draft = Draft(category=Category.QNA, title=f"{self.me} {self.tried['write']}", body="b", tags=("kospi",))
        return bool(self.posts.write(self.me, draft, now=self._now("write", timedelta(minutes=5))))

    def see(self) -> bool:
        """See the post, on another day each time."""
        return self.views.see(self.me, str(self.post), now=self._now("see", timedelta(days=1)))

    def spend(self) -> bool:
        """Something that all together may do so often."""
        return self.limits.spend("together", most=TOGETHER, per=LONG).allowed

    def log(self) -> bool:
        """A line of the audit log by itself."""
        return bool(self.audit.write("busy", actor_id=self.me).number)

    def log_in(self) -> bool:
        """A session."""
        return bool(self.accounts.sessions.begin(self.me, address="", agent="", confirmed=False))

    def rename(self) -> bool:
        """Another nickname, which readers see."""
        nickname = f"{self.me}x{self.tried['rename']}"
        email = f"{self.me}@e.org"
        user = self.accounts.users.change_profile(self.me, email=email, nickname=nickname, phone="", language=None)
        return user.nickname == nickname

    def clone(self) -> bool:
        """Copy the publication; one's own copy is not counted."""
        made = self.clones.clone(self.me, str(self.publication))
        self.done["counted_clone"] += self.number != 0
        return bool(made.id)

    def make_token(self) -> bool:
        """A token, and revoke it: there may be twenty."""
        line, _text = self.accounts.tokens.create(self.me, "t", list(Scope), days=1)
        self.accounts.tokens.revoke(self.me, line.id)
        return True

    def report(self) -> dict[str, Any]:
        """What came of it."""
        return {"done": dict(self.done), "tried": dict(self.tried), "seconds": self.seconds, "errors": self.errors}


def write_all(writers: list[Writer], until: float) -> list[dict[str, Any]]:
    """These writers at once, in this process, until a moment."""
    for writer in writers:
        writer.until = until
        writer.start()
    for writer in writers:
        writer.join()
    return [writer.report() for writer in writers]


def check(database: Database, done: Counter[str], before: Counter[str]) -> None:
    """Everything that was said to be done is there once, and every counter is what it counts."""
    with database.read() as session:

        def count(table: Any, *conditions: Any) -> int:
            return int(session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0)

        post = session.scalars(select(PostRow).where(PostRow.title == "all")).one()
        publication = session.scalars(select(PublicationRow).order_by(PublicationRow.published_at).limit(1)).one()
        counters = (post.likes, post.comments, post.views, publication.likes, publication.clones)
        wanted = ("post_liked", "comment", "see", "liked", "counted_clone")
        assert counters == tuple(done[name] for name in wanted)
        rows = (count(PostLikeRow), count(CommentRow), count(PostViewRow), count(PublicationLikeRow))
        assert rows == counters[:4]
        assert session.scalars(select(PopularPostRow.likes).where(PopularPostRow.post_id == post.id)).all() == (
            [post.likes] * 3 if done["like_post"] else []
        )
        assert count(PostRow) == 1 + done["write"]
        assert count(SearchDocumentRow) == 1 + done["write"] + done["comment"]
        saved = done["save"] + done["save_shared"]
        assert count(StrategyRow) == WRITERS + done["clone"]
        assert count(StrategyVersionRow) == WRITERS + done["clone"] + saved
        assert session.scalar(select(func.sum(StrategyRow.version))) == WRITERS + done["clone"] + saved
        assert count(UserSessionRow) == done["log_in"]
        assert count(ApiTokenRow, ApiTokenRow.revoked_at.is_not(None)) == done["make_token"]
        assert count(ApiTokenRow, ApiTokenRow.revoked_at.is_(None)) == 0
        published = count(PublicationRow)
        assert published == 1 + done["publish"]
        entries = dict(session.execute(select(BoardEntryRow.board, func.count()).group_by(BoardEntryRow.board)).all())
        buckets = session.execute(
            select(BoardBucketRow.board, func.sum(BoardBucketRow.entries)).group_by(BoardBucketRow.board)
        )
        assert dict(buckets.all()) == entries
        assert set(entries.values()) == {published}
        lines = dict(session.execute(select(AuditRow.action, func.count()).group_by(AuditRow.action)).all())
    report = AuditLog(database).verify()
    assert report.broken is None
    assert report.rows == sum(lines.values())
    expected = {
        "busy": done["log"],
        "sharing.published": 1 + done["publish"],
        "account.changed": done["rename"],
        "token.created": done["make_token"],
        "token.revoked": done["make_token"],
    }
    assert {name: lines.get(name, 0) for name in expected} == expected
    assert RateLimits(database).used("together", per=LONG) == done["spend"] == min(TOGETHER, before["spend"])


def main() -> None:
    """Some writers in this process."""
    url, home, first, last = sys.argv[1:]
    database = open_database(url, PoolShape(size=5, overflow=5))
    writers = [Writer(database, Path(home), number) for number in range(int(first), int(last))]
    print("ready", flush=True)
    json.dump(write_all(writers, float(sys.stdin.readline())), sys.stdout)
    database.close()


if __name__ == "__main__":
    main()
