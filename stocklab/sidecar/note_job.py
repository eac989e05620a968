"""The daily notes: of accounts that trade on quotes soon after the close, of paper accounts once the bars are there."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import structlog

from stocklab.alerts import DailyNotes, compose
from stocklab.data.store import Store
from stocklab.db import LOCAL_OWNER_ID
from stocklab.errors import StockLabError
from stocklab.live.instruments import Instruments
from stocklab.live.reporting import Reports, owners_with_accounts
from stocklab.market.calendar import previous_session, sessions_between
from stocklab.sidecar.work import JobContext, NothingToDo

__all__ = ["evening_notes_work", "notes_work"]

log = structlog.get_logger(__name__)

_NOBODY: Final = "Nobody has an account that trades."


def notes_work(context: JobContext) -> str:
    """Notes of owners without a paper account."""
    return _notes(context, paper=False)


def evening_notes_work(context: JobContext) -> str:
    """Notes of owners with one, and of whoever was left out at the close."""
    return _notes(context, paper=True)


def _notes(context: JobContext, *, paper: bool) -> str:
    owners = owners_with_accounts(context.database, paper=paper)
    if paper:
        owners = tuple(dict.fromkeys((*owners, *owners_with_accounts(context.database, paper=False))))
    if not owners:
        raise NothingToDo(_NOBODY)
    day = date.fromisoformat(context.key)
    instruments = Instruments(Store(Path(context.settings.home)))
    last = instruments.last_session()
    wanted = previous_session(day, expected=True)
    late = 0 if last is None or last >= wanted else len(sessions_between(last, wanted, expected=True)) - 1
    names = instruments.name_of
    kept = failed = 0
    for owner_id in owners:
        reports = Reports(database=context.database, names=names, data_last=last, late=late)
        try:
            note = compose(reports.facts(owner_id, day))
            kept += DailyNotes(context.database).keep(
                owner_id, note, language=context.settings.language, now=context.clock()
            )
        except StockLabError as error:
            log.warning("note_fails", owner=owner_id if owner_id == LOCAL_OWNER_ID else "", message=str(error))
            failed += 1
    if failed:
        return f"{kept} notes written, {failed} could not be."
    return f"{kept} notes written."
