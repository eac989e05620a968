"""Keeping order: reports of users, what moderators hide, and who may not write for a while."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from stocklab.community.markdown import plain_text
from stocklab.community.refusals import Refusal, RefusalCode
from stocklab.community.standing import LIMITS, Limits, pay, require_admin, require_welcome
from stocklab.community.texts import COMMENT_LENGTH
from stocklab.db import CommentRow, Database, PostRow, PublicationRow, ReportRow, UserRow
from stocklab.db.columns import utc_now
from stocklab.operations.audit import AuditLog
from stocklab.operations.inserting import storable
from stocklab.sharing import Follower, set_hidden

__all__ = ["Moderation", "Reason", "ReportedPage", "ReportedSubject", "SubjectKind"]

PAGE: Final = 20
_TABLES: Final[dict[str, Any]] = {"post": PostRow, "comment": CommentRow, "publication": PublicationRow}


class SubjectKind(StrEnum):
    """What can be reported."""

    POST = "post"
    COMMENT = "comment"
    PUBLICATION = "publication"


class Reason(StrEnum):
    """Why."""

    SPAM = "spam"
    ABUSE = "abuse"
    FRAUD = "fraud"
    PRIVACY = "privacy"
    COPYRIGHT = "copyright"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedSubject:
    """Something reported, as an admin sees it; a writer without a name stays without one for admins as well.

    ``reasons`` and ``notes`` are of the open reports, the oldest first; ``notes`` are words of strangers.
    """

    kind: SubjectKind
    id: str
    title: str
    post_id: str | None
    reports: int
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    first_at: datetime
    is_hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPage:
    """Subjects with open reports, the oldest report first; ``after`` asks for the next page, None at the end."""

    subjects: tuple[ReportedSubject, ...]
    after: tuple[datetime, str] | None


class Moderation:
    """Reports and what is done about them. Whoever is no admin may report and nothing else.

    ``followers`` are told of publications that are hidden or shown again, in the same transaction.
    """

    def __init__(self, database: Database, followers: Sequence[Follower] = (), limits: Limits = LIMITS) -> None:
        self._database = database
        self._limits = limits
        self._followers = tuple(followers)
        self._audit = AuditLog(database)

    def report(
        self,
        owner_id: str,
        kind: SubjectKind,
        subject_id: str,
        reason: Reason,
        *,
        note: str = "",
        now: datetime | None = None,
    ) -> bool:
        """Tell the admins about something; False where this user did already.

        Raises
        ------
        Refusal
            NOT_FOUND, TOO_LONG, TOO_FAST, BANNED.
        """
        moment = now or utc_now()
        kept = storable(note).strip()
        if len(kept) > COMMENT_LENGTH:
            raise Refusal(
                RefusalCode.TOO_LONG,
                f"At most {COMMENT_LENGTH:,} characters, found {len(kept):,}.",
                most=COMMENT_LENGTH,
            )
        pay(self._database, self._limits["report"], "report", owner_id, moment)
        with self._database.write(owner_id) as session:
            require_welcome(session, owner_id, moment)
            if not _is_there(session, SubjectKind(kind), subject_id):
                raise Refusal(RefusalCode.NOT_FOUND, "What you report is not there any more.")
            known = select(ReportRow.id).where(
                ReportRow.owner_id == owner_id, ReportRow.subject_kind == kind, ReportRow.subject_id == subject_id
            )
            if session.scalar(known) is not None:
                return False
            session.add(
                ReportRow(
                    id=uuid.uuid4().hex,
                    owner_id=owner_id,
                    subject_kind=SubjectKind(kind).value,
                    subject_id=subject_id,
                    reason=Reason(reason).value,
                    body=kept,
                    created_at=moment,
                )
            )
        return True

    def queue(self, admin_id: str, *, after: tuple[datetime, str] | None = None, limit: int = PAGE) -> ReportedPage:
        """What has open reports, that which waits longest first.

        Raises
        ------
        Refusal
            ADMINS_ONLY.
        """
        require_admin(self._database, admin_id)
        report = ReportRow
        first = func.min(report.created_at)
        statement = (
            select(report.subject_kind, report.subject_id, func.count().label("reports"), first.label("first_at"))
            .where(report.state == "open")
            .group_by(report.subject_kind, report.subject_id)
            .order_by(first, report.subject_id)
            .limit(limit + 1)
        )
        if after is not None:
            moment, subject_id = after
            statement = statement.having(or_(first > moment, and_(first == moment, report.subject_id > subject_id)))
        with self._database.read() as session:
            rows = session.execute(statement).all()
            subjects = tuple(_subjects(session, rows[:limit]))
        last = subjects[-1] if len(rows) > limit else None
        return ReportedPage(subjects=subjects, after=None if last is None else (last.first_at, last.id))

    def hide(self, admin_id: str, kind: SubjectKind, subject_id: str, *, now: datetime | None = None) -> None:
        """Take something out of sight and close its reports as right.

        Raises
        ------
        Refusal
            ADMINS_ONLY, NOT_FOUND.
        """
        self._decide(admin_id, "hide", SubjectKind(kind), subject_id, now or utc_now())

    def unhide(self, admin_id: str, kind: SubjectKind, subject_id: str, *, now: datetime | None = None) -> None:
        """Show something again.

        Raises
        ------
        Refusal
            ADMINS_ONLY, NOT_FOUND.
        """
        self._decide(admin_id, "unhide", SubjectKind(kind), subject_id, now or utc_now())

    def dismiss(self, admin_id: str, kind: SubjectKind, subject_id: str, *, now: datetime | None = None) -> None:
        """Close the reports of something and leave it as it is.

        Raises
        ------
        Refusal
            ADMINS_ONLY, NOT_FOUND.
        """
        self._decide(admin_id, "dismiss", SubjectKind(kind), subject_id, now or utc_now())

    def ban_author(self, admin_id: str, kind: SubjectKind, subject_id: str, until: datetime | None) -> None:
        """Let the writer of something write nothing until then; None lifts a ban. An unnamed writer stays unnamed.

        Raises
        ------
        Refusal
            ADMINS_ONLY; NOT_FOUND: it is gone, or its writer has no account, or is an admin.
        """
        table = _TABLES[SubjectKind(kind)]
        with self._database.read() as session:
            writer = session.scalar(select(table.owner_id).where(table.id == subject_id))
        self.ban(admin_id, writer or "", until, subject=f"{kind}:{subject_id}")

    def ban(self, admin_id: str, user_id: str, until: datetime | None, *, subject: str = "") -> None:
        """Let a user write nothing until then; None lifts a ban.

        Raises
        ------
        Refusal
            ADMINS_ONLY; NOT_FOUND: there is no such user, or it is an admin.
        """
        require_admin(self._database, admin_id)
        with self._database.write() as session:
            found = session.scalar(
                update(UserRow)
                .where(UserRow.id == user_id, UserRow.role != "admin")
                .values(banned_until=until)
                .returning(UserRow.id)
            )
            if found is None:
                raise Refusal(RefusalCode.NOT_FOUND, "There is no such user, or it is an admin.")
            details = {"until": None if until is None else until.isoformat(timespec="seconds")}
            # the log is read by admins: of one banned for what they wrote it names that, not them
            self._audit.write(
                "community.ban", actor_id=admin_id, subject=subject or user_id, details=details, session=session
            )

    def _decide(self, admin_id: str, what: str, kind: SubjectKind, subject_id: str, now: datetime) -> None:
        require_admin(self._database, admin_id)
        table = _TABLES[kind]
        with self._database.write() as session:
            if what != "dismiss":
                row = session.scalar(select(table).where(table.id == subject_id).with_for_update())
                if row is None:
                    raise Refusal(RefusalCode.NOT_FOUND, "It is not there any more.")
                self._show(session, row, now if what == "hide" else None)
            session.execute(
                update(ReportRow)
                .where(
                    ReportRow.subject_kind == kind.value, ReportRow.subject_id == subject_id, ReportRow.state == "open"
                )
                .values(state="upheld" if what == "hide" else "dismissed", decided_at=now)
            )
            self._audit.write(f"community.{what}", actor_id=admin_id, subject=f"{kind}:{subject_id}", session=session)

    def _show(self, session: Session, row: PostRow | CommentRow | PublicationRow, hidden_at: datetime | None) -> None:
        if isinstance(row, PublicationRow):
            set_hidden(session, row, hidden_at, self._followers)
        else:
            row.hidden_at = hidden_at


def _is_there(session: Session, kind: SubjectKind, subject_id: str) -> bool:
    table = _TABLES[kind]
    gone = table.withdrawn_at if kind is SubjectKind.PUBLICATION else table.deleted_at
    there = select(table.id).where(table.id == subject_id, gone.is_(None), table.hidden_at.is_(None))
    return session.scalar(there) is not None


def _subjects(session: Session, rows: Any) -> list[ReportedSubject]:
    """Rows of the queue with what they are about and why: one statement a kind, one for the reports."""
    texts: dict[tuple[str, str], Any] = {}
    for kind, words, post_id in (
        ("post", PostRow.title, PostRow.id),
        ("comment", CommentRow.body, CommentRow.post_id),
        ("publication", PublicationRow.name, PublicationRow.id),
    ):
        ids = [row.subject_id for row in rows if row.subject_kind == kind]
        table = _TABLES[kind]
        found = select(table.id, words.label("words"), post_id.label("post_id"), table.hidden_at)
        for one in session.execute(found.where(table.id.in_(ids))) if ids else ():
            texts[kind, one.id] = one
    reports: dict[tuple[str, str], list[tuple[str, str]]] = {}
    told = select(ReportRow.subject_kind, ReportRow.subject_id, ReportRow.reason, ReportRow.body)
    told = told.where(ReportRow.state == "open", ReportRow.subject_id.in_([row.subject_id for row in rows]))
    for report_row in session.execute(told.order_by(ReportRow.created_at)):
        reports.setdefault(report_row[:2], []).append((report_row.reason, report_row.body))
    return [_subject(row, texts.get((row.subject_kind, row.subject_id)), reports) for row in rows]


def _subject(row: Any, found: Any, reports: dict[tuple[str, str], list[tuple[str, str]]]) -> ReportedSubject:
    told = reports.get((row.subject_kind, row.subject_id), [])
    return ReportedSubject(
        kind=SubjectKind(row.subject_kind),
        id=row.subject_id,
        title="" if found is None else plain_text(found.words),
        post_id=None if found is None or row.subject_kind == "publication" else found.post_id,
        reports=row.reports,
        reasons=tuple(sorted({reason for reason, _note in told})),
        notes=tuple(note for _reason, note in told if note)[:5],
        first_at=row.first_at,
        is_hidden=found is not None and found.hidden_at is not None,
    )
