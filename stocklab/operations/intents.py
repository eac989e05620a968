"""Intents: what a person asks of the background process. A row is written, taken once, and shown with its progress."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from stocklab.data.sources.known import KNOWN_SOURCES
from stocklab.db import Database, IntentRow, IntentState, as_system
from stocklab.db.columns import utc_now
from stocklab.errors import InputError, JobError
from stocklab.operations.inserting import storable
from stocklab.operations.run_ledger import UNFENCED, Fence
from stocklab.operations.schedule import STORE

__all__ = ["INTENT_KINDS", "Intent", "IntentKind", "Intents", "upload_path"]

_MOST_ATTEMPTS: Final = 10
_MOST_WAITING: Final = 100
_LONGEST_SYMBOL: Final = 16
_FIELDS: Final = {
    "import": frozenset({"path", "replace"}),
    "news": frozenset({"symbol"}),
    "try_key": frozenset({"source"}),
}
_KEYED: Final = tuple(source.name for source in KNOWN_SOURCES if source.keys)
_ENDED_ALONE: Final = "The program ended while this was being done."


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentKind:
    """What may be asked.

    Attributes
    ----------
    name : str
    repeatable : bool
        Doing it twice does no harm, so one whose worker died is taken again. Otherwise it fails and a person decides.
    quiet : bool
        It does not start in the quiet hours of a session.
    resource : str
        Only one piece of work at a time holds a resource; "" needs none.
    """

    name: str
    repeatable: bool = True
    quiet: bool = False
    resource: str = ""


INTENT_KINDS: Final[Mapping[str, IntentKind]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            IntentKind(name="sync_now", quiet=True, resource=STORE),
            IntentKind(name="import", resource=STORE),
            IntentKind(name="news"),
            IntentKind(name="try_key"),
            IntentKind(name="backup_now", quiet=True, resource=STORE),
            IntentKind(name="collect_garbage", quiet=True, resource=STORE),
        )
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An intent as it is now. ``progress`` has ``done`` (a fraction) and ``text``; ``message`` says how it ended."""

    id: str
    owner_id: str
    kind: str
    document: Mapping[str, Any]
    state: IntentState
    attempts: int
    worker: str | None
    progress: Mapping[str, Any] | None
    message: str
    cancel_requested: bool
    created_at: datetime
    taken_at: datetime | None
    heartbeat_at: datetime | None
    finished_at: datetime | None


class Intents:
    """Asks, takes, watches and cancels intents."""

    def __init__(
        self, database: Database, kinds: Mapping[str, IntentKind] = INTENT_KINDS, *, fence: Fence = UNFENCED
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._fence = fence

    def ask(
        self, owner_id: str, kind: str, document: Mapping[str, Any] | None = None, *, now: datetime | None = None
    ) -> Intent:
        """Write an intent; the same wish that is still waiting is returned instead of a second one.

        Raises
        ------
        InputError
            There is no such kind, or the document does not fit it.
        JobError
            Too many intents wait.
        """
        document = dict(document or {})
        _check(kind, document, self._kinds)
        with self._database.write(owner_id) as session:
            mine = select(IntentRow).where(IntentRow.state == IntentState.WAITING.value, IntentRow.kind == kind)
            for row in session.scalars(mine):
                if row.document == document and not row.cancel_requested:
                    return _view(row)
            with as_system(session):  # the queue is everybody's
                waiting = session.scalar(_waiting()) or 0
            if waiting >= _MOST_WAITING:
                raise JobError(f"{waiting} wishes wait already. Hint: cancel some, or see that the scheduler runs.")
            row = IntentRow(
                id=secrets.token_hex(8),
                owner_id=owner_id,
                kind=kind,
                document=document,
                state=IntentState.WAITING.value,
                attempts=0,
                message="",
                cancel_requested=False,
                created_at=utc_now() if now is None else now,
            )
            session.add(row)
            session.flush()
            return _view(row)

    def take(self, worker: str, now: datetime, kinds: Collection[str]) -> Intent | None:
        """Take the oldest waiting intent of these kinds, in one transaction; None when none waits.

        Only the holder of the sidecar's lock takes: see `recover`; nobody does while the fence says no.
        """
        oldest = (
            select(IntentRow)
            .where(IntentRow.state == IntentState.WAITING.value, IntentRow.kind.in_(kinds))
            .order_by(IntentRow.created_at, IntentRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self._database.write() as session:
            row = session.scalar(oldest)
            if row is None or not self._fence(session):
                return None
            row.state = IntentState.TAKEN.value
            row.worker = worker
            row.attempts += 1
            row.taken_at = row.heartbeat_at = now
            row.message = ""
            return _view(row)

    def recover(self, worker: str, now: datetime) -> int:
        """Settle what dead workers held: repeatable intents wait again, others fail; returns how many there were.

        The holder of the sidecar's lock calls this when it gets the lock, so every other worker is dead.
        """
        with self._database.write() as session:
            held = session.scalars(
                select(IntentRow)
                .where(IntentRow.state == IntentState.TAKEN.value, IntentRow.worker.is_distinct_from(worker))
                .with_for_update()
            ).all()
            for row in held:
                kind = self._kinds.get(row.kind)
                if row.cancel_requested:
                    _end(row, IntentState.CANCELLED, _ENDED_ALONE, now)
                elif kind is not None and kind.repeatable and row.attempts < _MOST_ATTEMPTS:
                    row.state, row.worker = IntentState.WAITING.value, None
                else:
                    _end(row, IntentState.FAILED, f"{_ENDED_ALONE} Check what was done, then ask again.", now)
            return len(held)

    def beat(self, worker: str, now: datetime) -> frozenset[str]:
        """Say that the worker's intents go on; returns ids of those whose cancellation was asked for."""
        mine = (IntentRow.worker == worker, IntentRow.state == IntentState.TAKEN.value)
        with self._database.write() as session:
            session.execute(update(IntentRow).where(*mine).values(heartbeat_at=now))
            return frozenset(session.scalars(select(IntentRow.id).where(*mine, IntentRow.cancel_requested)))

    def save_progress(self, intent_id: str, worker: str, progress: Mapping[str, Any]) -> None:
        """Keep how far it is."""
        with self._database.write() as session:
            row = _held(session, intent_id, worker)
            if row is not None:
                row.progress = dict(progress)

    def finish(self, intent_id: str, worker: str, state: IntentState, *, now: datetime, message: str = "") -> bool:
        """End a taken intent; False, and nothing changes, when this worker does not hold it any more."""
        with self._database.write() as session:
            row = _held(session, intent_id, worker)
            if row is None:
                return False
            _end(row, state, message, now)
            return True

    def release(self, intent_id: str, worker: str) -> None:
        """Give one back because the worker stops; it does not count as an attempt."""
        with self._database.write() as session:
            row = _held(session, intent_id, worker)
            if row is not None:
                row.state, row.worker, row.attempts = IntentState.WAITING.value, None, row.attempts - 1

    def cancel(self, owner_id: str, intent_id: str, *, now: datetime | None = None) -> Intent:
        """Cancel at once while it waits; ask its worker while it is being done; one that ended stays.

        Raises
        ------
        JobError
            This owner has no such intent.
        """
        with self._database.write(owner_id) as session:
            row = session.get(IntentRow, intent_id, with_for_update=True)
            if row is None:
                raise JobError(f"There is no intent {intent_id!r}.")
            if row.state == IntentState.WAITING:
                _end(row, IntentState.CANCELLED, "", utc_now() if now is None else now)
            if IntentState(row.state).live:
                row.cancel_requested = True
            return _view(row)

    def get(self, owner_id: str, intent_id: str) -> Intent:
        """One intent.

        Raises
        ------
        JobError
            This owner has no such intent.
        """
        with self._database.read(owner_id) as session:
            row = session.get(IntentRow, intent_id)
            if row is None:
                raise JobError(f"There is no intent {intent_id!r}.")
            return _view(row)

    def list(self, owner_id: str | None = None, *, live: bool = False, limit: int = 50) -> tuple[Intent, ...]:
        """Newest first, of one owner or of all; with ``live`` those that may still change."""
        statement = select(IntentRow)
        if live:
            statement = statement.where(IntentRow.state.in_([state.value for state in IntentState if state.live]))
        with self._database.read(owner_id) as session:
            rows = session.scalars(statement.order_by(IntentRow.created_at.desc(), IntentRow.id).limit(limit))
            return tuple(_view(row) for row in rows)

    def waiting(self) -> int:
        """How many wait, of all owners."""
        with self._database.read() as session:
            return session.scalar(_waiting()) or 0


def upload_path(home: Path, text: str) -> Path:
    """The file or folder an import intent names, which lies in the home's ``uploads``.

    Raises
    ------
    InputError
        It lies elsewhere, or is not there.
    """
    uploads = (home / "uploads").resolve()
    path = (uploads / text).resolve()
    if not path.is_relative_to(uploads) or path == uploads:
        raise InputError(f"An import names a file in {uploads}, found {text!r}.")
    if not path.exists():
        raise InputError(f"{text!r} is not in {uploads}. Hint: upload it again.")
    return path


def _check(kind: str, document: Mapping[str, Any], kinds: Mapping[str, IntentKind]) -> None:
    if kind not in kinds:
        raise InputError(f"Unknown intent {kind!r}. Expected one of {', '.join(kinds)}.")
    unknown = set(document) - _FIELDS.get(kind, frozenset())
    if kind in INTENT_KINDS and unknown:
        raise InputError(f"{kind}: unknown {', '.join(sorted(unknown))}.")
    if kind == "import" and not isinstance(document.get("path"), str):
        raise InputError("An import needs the path of an uploaded file.")
    symbol = document.get("symbol")
    if kind == "news" and not (isinstance(symbol, str) and 0 < len(symbol) <= _LONGEST_SYMBOL):
        raise InputError("News need the symbol of a company.")
    if kind == "try_key" and document.get("source") not in _KEYED:
        raise InputError(f"A trial needs a source that has keys: one of {', '.join(_KEYED)}.")


def _waiting() -> Select[int]:
    return select(func.count()).select_from(IntentRow).where(IntentRow.state == IntentState.WAITING.value)


def _held(session: Session, intent_id: str, worker: str) -> IntentRow | None:
    row = session.get(IntentRow, intent_id, with_for_update=True)
    return row if row is not None and row.state == IntentState.TAKEN and row.worker == worker else None


def _end(row: IntentRow, state: IntentState, message: str, now: datetime) -> None:
    row.state, row.message, row.finished_at = state.value, storable(message), now


def _view(row: IntentRow) -> Intent:
    values = {name: getattr(row, name) for name in Intent.__slots__}
    return Intent(**{**values, "state": IntentState(row.state)})
