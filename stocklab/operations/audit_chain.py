"""The chain of the audit log: what is hashed, how secrets are kept out, and where a chain is broken."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from stocklab.errors import BrokenInput, InputError
from stocklab.operations.inserting import storable

__all__ = ["NO_HASH", "AuditEntry", "ChainBreak", "ChainReport", "chain_hash", "plain", "read_export", "verify_chain"]

NO_HASH: Final = "0" * 64
"""What the first row says of the row before it."""

_SECRET: Final = re.compile(
    r"(?i)password|passwd|secret|token|authorization|cookie|otp|recovery|sealed|credential|_key$"
)
_MASK: Final = "***"
_DEEPEST: Final = 4
_LONGEST: Final = 500
_MOST: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One row of the log."""

    number: int
    at: datetime
    actor_id: str | None
    action: str
    subject: str
    details: Mapping[str, Any]
    previous_hash: str
    hash: str

    def to_line(self) -> str:
        """The row as one line of JSON."""
        return _canonical({**asdict(self), "at": _moment(self.at)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainBreak:
    """The first row that is not as it was written: ``number`` is where it should stand."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """What a look at the chain found. ``head`` is the hash of the last sound row: note it, and rows that are cut off at
    the end show as well.
    """

    rows: int
    head: str
    broken: ChainBreak | None


def plain(details: Mapping[str, Any]) -> dict[str, Any]:
    """Details as both databases give them back, without secrets: what is named like one is masked.

    Numbers with a fraction become text, since a database may write them another way; long texts are cut.

    >>> plain({"name": "opendart_key", "new_password": "hunter2", "share": 0.5})
    {'name': 'opendart_key', 'new_password': '***', 'share': '0.5'}
    """
    return {
        storable(str(name))[:80]: _MASK if _SECRET.search(str(name)) else _plain_value(value, 1)
        for name, value in list(details.items())[:_MOST]
    }


def chain_hash(
    *,
    number: int,
    at: datetime,
    actor_id: str | None,
    action: str,
    subject: str,
    details: Mapping[str, Any],
    previous_hash: str,
) -> str:
    """SHA-256 of a row in canonical JSON (sorted names, no spaces, UTF-8, the moment in UTC with microseconds)."""
    row = {
        "number": number,
        "at": _moment(at),
        "actor_id": actor_id,
        "action": action,
        "subject": subject,
        "details": details,
        "previous_hash": previous_hash,
    }
    return hashlib.sha256(_canonical(row).encode()).hexdigest()


def verify_chain(entries: Iterable[AuditEntry], *, expected: tuple[int, str] | None = None) -> ChainReport:
    """Follow the chain from its first row to the first that does not fit.

    ``expected`` is number and hash of a row that an earlier look ended with: it must be there, or the log was cut off
    or written anew.
    """
    rows, head = 0, NO_HASH
    for entry in entries:
        reason = _fault(entry, rows + 1, head)
        if not reason and expected is not None and entry.number == expected[0] and entry.hash != expected[1]:
            reason = "it is another row than an earlier look saw"
        if reason:
            return ChainReport(rows=rows, head=head, broken=ChainBreak(number=rows + 1, reason=reason))
        rows, head = rows + 1, entry.hash
    if expected is not None and rows < expected[0]:
        reason = f"the log ends before row {expected[0]}, which an earlier look saw"
        return ChainReport(rows=rows, head=head, broken=ChainBreak(number=rows + 1, reason=reason))
    return ChainReport(rows=rows, head=head, broken=None)


def read_export(file: Path) -> Iterator[AuditEntry]:
    """Rows of an export.

    Raises
    ------
    InputError
        There is no such file.
    BrokenInput
        A line is no row of an export.
    """
    if not file.is_file():
        raise InputError(f"{file} is no file.")
    with file.open(encoding="utf-8") as stream:
        for row, line in enumerate(stream, start=1):
            try:
                found = json.loads(line)
                yield AuditEntry(**{**found, "at": datetime.fromisoformat(found["at"])})
            except (ValueError, TypeError, KeyError) as error:
                raise BrokenInput("the line is no row of an audit export.", file=str(file), row=row) from error


def _fault(entry: AuditEntry, number: int, head: str) -> str:
    if entry.number != number:
        return f"expected row {number}, found row {entry.number}: rows are missing"
    if entry.previous_hash != head:
        return "it does not follow from the row before"
    fields = {name: getattr(entry, name) for name in AuditEntry.__slots__ if name != "hash"}
    return "" if chain_hash(**fields) == entry.hash else "its content was changed"


def _canonical(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _plain_value(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return {
            storable(str(name))[:80]: _MASK if _SECRET.search(str(name)) else _plain_value(each, depth + 1)
            for name, each in list(value.items())[:_MOST]
        }
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes) and depth < _DEEPEST:
        listed = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [_plain_value(each, depth + 1) for each in list(listed)[:_MOST]]
    return storable(str(value))[:_LONGEST]  # a SecretStr says ``**********`` of itself
