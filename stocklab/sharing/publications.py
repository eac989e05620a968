"""Publishing a strategy, taking it back, and opening the seal over hidden rules."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from stocklab.backtest.result import Result
from stocklab.data.results import ResultStore
from stocklab.db import (
    Database,
    PublicationFactorRow,
    PublicationRow,
    PublicationTermRow,
    RunRow,
    SealedRulesRow,
    StrategyRow,
    StrategyVersionRow,
)
from stocklab.db.columns import utc_now
from stocklab.errors import InputError, ResultNotFound
from stocklab.operations.audit import AuditLog
from stocklab.portfolios import Ideas, StrategyNotFound
from stocklab.sharing.admission import SHARING_LIMITS, SharingLimits, admit
from stocklab.sharing.errors import NothingToShow, PublicationNotFound
from stocklab.sharing.evidence import Evidence, evidence_of
from stocklab.sharing.finding import terms_of
from stocklab.sharing.following import Change, Follower, set_hidden, tell
from stocklab.sharing.publication_views import Visibility
from stocklab.sharing.seal import new_salt, seal
from stocklab.sharing.used_factors import factors_of
from stocklab.strategy import Strategy, fingerprint, parse_document

__all__ = ["LONGEST_DESCRIPTION", "Publications", "Wish"]

LONGEST_DESCRIPTION: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be published, and how. ``version`` None is the newest."""

    strategy_id: str
    version: int | None = None
    visibility: Visibility = "public"
    is_anonymous: bool = False
    hides_rules: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a wish finds: the version, its rules and its newest run."""

    version: int
    origin_id: str | None
    strategy: Strategy
    run: RunRow


class Publications:
    """Changes publications, for their owners; ``followers`` are told within the same transaction.

    ``capacity`` says how much capital a run could carry, where the market data at hand tell.
    """

    def __init__(
        self,
        database: Database,
        results: ResultStore,
        *,
        followers: Sequence[Follower] = (),
        capacity: Callable[[Result], float | None] = lambda _result: None,
        limits: SharingLimits = SHARING_LIMITS,
    ) -> None:
        self._limits = limits
        self._capacity = capacity
        self._database = database
        self._results = results
        self._ideas = Ideas(database)
        self._followers = tuple(followers)
        self._audit = AuditLog(database)

    def publish(self, owner_id: str, wish: Wish, *, now: datetime | None = None) -> str:
        """Publish a version of a saved strategy with its newest finished run; returns the id of the publication.

        Each call makes another publication, which never changes; its clock starts now.

        Raises
        ------
        StrategyNotFound
            The owner has no such strategy or version.
        NothingToShow
            These rules have no finished run, or its result is not stored any more.
        InputError
            The description is too long.
        AccountFault, LimitReached
            As `admit`.
        """
        if len(wish.description) > LONGEST_DESCRIPTION:
            raise InputError(
                f"A description has at most {LONGEST_DESCRIPTION:,} characters, found {len(wish.description):,}."
            )
        found = self._find(owner_id, wish)
        admit(self._database, "publish", owner_id, self._limits)
        try:
            result = self._results.load(found.run.run_id)
        except ResultNotFound as error:
            raise NothingToShow(found.strategy.name, found.version) from error
        evidence = evidence_of(result, capacity_krw=self._capacity(result))
        tried = max(1, self._ideas.count(owner_id, found.strategy))
        with self._database.write(owner_id) as session:
            parent = None if found.origin_id is None else session.get(PublicationRow, found.origin_id)
            row = _row_of(owner_id, wish, found, evidence, now or utc_now())
            row.parent_id = None if parent is None else parent.id
            row.trials = tried + (0 if parent is None else parent.trials)
            session.add(row)
            session.flush()
            session.add_all(PublicationTermRow(publication_id=row.id, term=term) for term in terms_of(row.name))
            _add_rules(session, row, found)
            self._tell("appeared", session, row)
            details = {"visibility": wish.visibility, "hides_rules": wish.hides_rules}
            self._audit.write("sharing.published", actor_id=owner_id, subject=row.id, details=details, session=session)
            return row.id

    def withdraw(self, owner_id: str, publication_id: str) -> None:
        """Take a publication back: rules, description and curve go for good, its name stays as a grave.

        Raises
        ------
        PublicationNotFound
            The owner has no such publication.
        """
        with self._database.write(owner_id) as session:
            row = _own(session, owner_id, publication_id)
            if row.withdrawn_at is None:
                self._bury(session, row)
                self._audit.write("sharing.withdrawn", actor_id=owner_id, subject=row.id, session=session)

    def withdraw_all(self, owner_id: str) -> int:
        """Take back everything an owner published, as when a person leaves; returns how many there were.

        One transaction each: counts of boards are locked in one order within each.
        """
        with self._database.read(owner_id) as session:
            alive = select(PublicationRow.id).where(
                PublicationRow.owner_id == owner_id, PublicationRow.withdrawn_at.is_(None)
            )
            ids = session.scalars(alive).all()
        for publication_id in ids:
            self.withdraw(owner_id, publication_id)
        return len(ids)

    def reveal(self, owner_id: str, publication_id: str) -> None:
        """Open the seal: rules and salt are shown, so that everybody can compute the hash that was published.

        Raises
        ------
        PublicationNotFound
            The owner has no such publication, or its rules are not hidden.
        """
        with self._database.write(owner_id) as session:
            row = _own(session, owner_id, publication_id)
            sealed = session.get(SealedRulesRow, publication_id)
            if sealed is None or row.withdrawn_at is not None:
                raise PublicationNotFound(publication_id)
            row.document, row.salt = sealed.document, sealed.salt
            row.fingerprint, row.run_id = sealed.fingerprint, sealed.run_id
            row.revealed_at = utc_now()
            _add_factors(session, row.id, parse_document(sealed.document))
            session.delete(sealed)
            self._audit.write("sharing.revealed", actor_id=owner_id, subject=row.id, session=session)

    def hide(self, publication_id: str, hidden: bool) -> None:
        """What moderators do: hide a publication from everybody but its author, or show it again.

        Raises
        ------
        PublicationNotFound
            There is none of that id.
        """
        with self._database.write() as session:
            row = session.get(PublicationRow, publication_id, with_for_update=True)
            if row is None:
                raise PublicationNotFound(publication_id)
            set_hidden(session, row, utc_now() if hidden else None, self._followers)

    def _find(self, owner_id: str, wish: Wish) -> _Found:
        with self._database.read(owner_id) as session:
            saved = session.scalar(
                select(StrategyRow).where(StrategyRow.id == wish.strategy_id, StrategyRow.owner_id == owner_id)
            )
            if saved is None:
                raise StrategyNotFound(f"There is no strategy {wish.strategy_id!r}. Hint: save it first.")
            number = saved.version if wish.version is None else wish.version
            version = session.get(StrategyVersionRow, (saved.id, number))
            if version is None:
                raise StrategyNotFound(f"Strategy {saved.name!r} has no version {number}; it is at {saved.version}.")
            newest = (
                select(RunRow)
                .where(RunRow.owner_id == owner_id, RunRow.fingerprint == version.fingerprint)
                .order_by(RunRow.created_at.desc())
                .limit(1)
            )
            run = session.scalar(newest)
            if run is None:
                raise NothingToShow(version.name, number)
            strategy = parse_document(version.document)
            return _Found(version=number, origin_id=saved.origin_id, strategy=strategy, run=run)

    def _bury(self, session: Session, row: PublicationRow) -> None:
        row.withdrawn_at = utc_now()
        row.document, row.fingerprint, row.run_id, row.salt = None, None, None, None
        row.description, row.curve = "", {}
        session.execute(delete(SealedRulesRow).where(SealedRulesRow.publication_id == row.id))
        session.execute(delete(PublicationFactorRow).where(PublicationFactorRow.publication_id == row.id))
        session.execute(delete(PublicationTermRow).where(PublicationTermRow.publication_id == row.id))
        session.flush()
        self._tell("vanished", session, row)

    def _tell(self, what: Change, session: Session, row: PublicationRow) -> None:
        tell(self._followers, what, session, row)


def _row_of(owner_id: str, wish: Wish, found: _Found, evidence: Evidence, now: datetime) -> PublicationRow:
    """The row without what depends on whether the rules are shown."""
    counters: dict[str, Any] = dict.fromkeys(("likes", "comments", "clones", "views"), 0)
    return PublicationRow(
        id=uuid.uuid4().hex,
        owner_id=owner_id,
        strategy_id=wish.strategy_id,
        version=found.version,
        name=found.strategy.name,
        description=wish.description.strip(),
        visibility=wish.visibility,
        is_anonymous=wish.is_anonymous,
        hides_rules=wish.hides_rules,
        synthetic=found.run.synthetic,
        run_start=found.run.start_on,
        run_end=found.run.end_on,
        metrics=dict(evidence.metrics),
        curve=dict(evidence.curve),
        published_at=now,
        **counters,
    )


def _add_rules(session: Session, row: PublicationRow, found: _Found) -> None:
    """The rules beside a new publication, or under a seal."""
    document = found.strategy.model_dump(mode="json")
    rules = fingerprint(found.strategy)
    if not row.hides_rules:
        row.document, row.fingerprint, row.run_id = document, rules, found.run.run_id
        _add_factors(session, row.id, found.strategy)
        return
    salt = new_salt()
    row.sealed_hash = seal(document, salt)
    session.add(
        SealedRulesRow(
            publication_id=row.id,
            owner_id=row.owner_id,
            document=document,
            salt=salt,
            fingerprint=rules,
            run_id=found.run.run_id,
        )
    )


def _add_factors(session: Session, publication_id: str, strategy: Strategy) -> None:
    session.add_all(
        PublicationFactorRow(publication_id=publication_id, factor=factor) for factor in sorted(factors_of(strategy))
    )
    session.flush()


def _own(session: Session, owner_id: str, publication_id: str) -> PublicationRow:
    wanted = select(PublicationRow).where(PublicationRow.id == publication_id, PublicationRow.owner_id == owner_id)
    row = session.scalar(wanted.with_for_update())
    if row is None:
        raise PublicationNotFound(publication_id)
    return row
