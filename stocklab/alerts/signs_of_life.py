"""Signs of life to the outside: an address of the user is called every few minutes, as healthchecks.io and Uptime Kuma
expect it, so that somebody notices when this machine is gone as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx
from sqlalchemy import delete, select, update

from stocklab import __version__
from stocklab.alerts.addresses import host_of, target_of
from stocklab.db import Database, SignOfLifeRow
from stocklab.db.columns import utc_now
from stocklab.errors import InputError, SettingsError
from stocklab.operations import Sealer
from stocklab.operations.inserting import insert_if_absent
from stocklab.settings import Settings

__all__ = ["SignOfLife", "SignsOfLife", "call_due"]

_SECONDS: Final = 10.0
_LEAST_MINUTES: Final = 1
_MOST_MINUTES: Final = 24 * 60
_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOfLife:
    """How it is set, without its address, and how the last call went."""

    masked: str
    every_minutes: int
    last_ok_at: datetime | None
    last_error: str


class SignsOfLife:
    """One address of an owner."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    def set(self, owner_id: str, url: str, every_minutes: int, *, now: datetime | None = None) -> None:
        """Call this address from now on.

        Raises
        ------
        InputError
            It is no web address, or the pause is not between a minute and a day.
        """
        host = host_of(url)
        if not _LEAST_MINUTES <= every_minutes <= _MOST_MINUTES:
            raise InputError(f"Expected {_LEAST_MINUTES} to {_MOST_MINUTES:,} minutes.")
        moment = utc_now() if now is None else now
        values = {
            "sealed": self._sealer.seal(url),
            "masked": f"{host}/…"[:160],
            "every_minutes": every_minutes,
            "active": True,
            "next_at": moment,
            "last_error": "",
            "updated_at": moment,
        }
        with self._database.write(owner_id) as session:
            if not insert_if_absent(session, SignOfLifeRow, owner_id=owner_id, **values):
                session.execute(update(SignOfLifeRow).where(SignOfLifeRow.owner_id == owner_id).values(**values))

    def get(self, owner_id: str) -> SignOfLife | None:
        """How it is set; None where it is not."""
        with self._database.read(owner_id) as session:
            row = session.scalar(select(SignOfLifeRow).where(SignOfLifeRow.owner_id == owner_id))
        if row is None:
            return None
        return SignOfLife(
            masked=row.masked, every_minutes=row.every_minutes, last_ok_at=row.last_ok_at, last_error=row.last_error
        )

    def remove(self, owner_id: str) -> None:
        """Call it no more."""
        with self._database.write(owner_id) as session:
            session.execute(delete(SignOfLifeRow).where(SignOfLifeRow.owner_id == owner_id))


def call_due(database: Database, sealer: Sealer, settings: Settings, clock: Callable[[], datetime]) -> int:
    """Call every address whose time has come; how many answered well. A failure waits for the next time."""
    with database.read() as session:
        due = session.scalars(
            select(SignOfLifeRow)
            .where(SignOfLifeRow.next_at <= clock(), SignOfLifeRow.active)
            .order_by(SignOfLifeRow.next_at)
            .limit(_AT_ONCE)
        ).all()
    well = 0
    for row in due:
        error = _call(row.sealed or "", sealer, settings)
        well += not error
        now = clock()
        with database.write() as session:
            kept = session.get(SignOfLifeRow, row.owner_id, with_for_update=True)
            if kept is not None:
                kept.next_at = now + timedelta(minutes=kept.every_minutes)
                kept.last_error = error
                kept.last_ok_at = kept.last_ok_at if error else now
    return well


def _call(sealed: str, sealer: Sealer, settings: Settings) -> str:
    """Why it failed; "" when it did not."""
    try:
        target = target_of(sealer.open(sealed), allow_private=settings.alerts_to_private_hosts)
    except SettingsError:
        return "The stored address cannot be read. Enter it again."
    except InputError as error:
        return str(error)
    except OSError:
        return "The name of the host is not known."
    headers = {"Host": target.host_header, "User-Agent": f"StockLab/{__version__}"}
    extensions = {"sni_hostname": target.host} if target.secure else {}
    try:
        with (
            httpx.Client(timeout=_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", target.connect_url, headers=headers, extensions=extensions) as answer,
        ):
            return "" if answer.is_success else f"It answered {answer.status_code}."
    except httpx.HTTPError as error:
        return f"The connection failed ({type(error).__name__})."
