"""The head of the data page: the state of the data in words, what to do next, and how old they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import streamlit as st

from stocklab.data.datasets import BAR_DATASETS
from stocklab.data.snapshot import Snapshot
from stocklab.operations import DataWord
from stocklab.ui import blocks, cached, identity
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.data.lookups import Desk
from stocklab.ui.data.names import source_name, stock_count
from stocklab.ui.reasons import reason_now
from stocklab.ui.text import _, language

__all__ = ["age_words", "head", "state_words"]

_LONGEST: Final = 400


def head(desk: Desk, state: Mapping[str, Any]) -> None:
    """State, then figures."""
    headline, hint = state_words(desk)
    show, icon = _LOOKS[desk.word]
    show(f"**{headline}** {hint}".strip(), icon=icon)
    if desk.snapshot is None:
        return
    with st.grid(5, min_column_width=150, gap="xsmall"):
        _figure(_("First session"), fmt.day(cached.first_session()), _held(desk.snapshot))
        _figure(
            _("Last session"),
            fmt.day(cached.last_session()),
            _("{days} ago").format(days=fmt.days(cached.age_days(), language(), digits=0)),
        )
        _figure(
            _("Age of the data"),
            age_words(desk),
            _newest(desk),
            help_text=_(
                "Sessions of the exchange that have ended since the last one stored. A session's data come out at "
                "08:00 of the next day at the earliest."
            ),
        )
        _synced(desk)
        _figure(
            _("Stocks"),
            fmt.count(stock_count(state)),
            _("Datasets: {count}").format(count=fmt.count(len(state["datasets"]))),
        )
    blocks.badges(
        [
            blocks.badge(_("Snapshot {id}").format(id=state["snapshot"]), "inventory_2"),
            blocks.badge(_("Created {when}").format(when=fmt.moment(str(state["created"]))), "schedule"),
        ]
    )


def _figure(label: str, value: str, note: str, *, help_text: str | None = None) -> None:
    """A figure with a note; all have one, so that the boxes are of one height."""
    st.metric(label, value, delta=note, delta_color="off", delta_arrow="off", border=True, help=help_text)


def _held(snapshot: Snapshot) -> str:
    most = max(len(snapshot.sessions(name)) for name in BAR_DATASETS)
    return _("{count} sessions").format(count=fmt.count(most))


def _newest(desk: Desk) -> str:
    newest = None if desk.fresh is None else desk.fresh.newest
    return _("newest: {day}").format(day=fmt.day(newest))


def _synced(desk: Desk) -> None:
    answer = desk.answer
    _figure(
        _("Last synced"),
        _("Never") if answer is None else fmt.moment(answer.at)[5:],
        _("no answer yet") if answer is None else source_name(answer.source),
        help_text=_("When a source answered last, and which; Korean time."),
    )


def age_words(desk: Desk) -> str:
    """How many sessions the data are behind."""
    fresh = desk.fresh
    if fresh is None:
        return fmt.DASH
    if fresh.behind == 0:
        return _("Newest")
    if fresh.coins:
        return fmt.days(fresh.behind, language(), digits=0)
    one = _("1 session")
    return one if fresh.behind == 1 else _("{count} sessions").format(count=fmt.count(fresh.behind))


def state_words(desk: Desk) -> tuple[str, str]:
    """The state in a few words, and what to do next."""
    headline, hint = _WORDS[desk.word](desk)
    if not identity.is_admin() and desk.word in _FOR_ADMINS:
        hint = _("Admins enter keys, sync and import; backtests run on the data that are there.")
    return headline, hint


def _empty(desk: Desk) -> tuple[str, str]:
    if desk.keyed:
        hint = _("Press Sync now: after about a minute the last months are there, and the rest follows backwards.")
    else:
        hint = _("Enter the key of a source below and sync, import your own files, or make the demo market.")
    return _("There is no market data yet."), hint


def _demo(desk: Desk) -> tuple[str, str]:
    if desk.keyed:
        hint = _("Sync now begins a market of real data, which then takes the place of this one.")
    else:
        hint = _("To work with real data enter the key of a source below and sync, or import your own files.")
    return _("This market is invented (demo data)."), hint


def _off(_desk: Desk) -> tuple[str, str]:
    return (
        _("Automatic sync is off: no source has a key."),
        _("Enter the key of a source below, or go on importing files. Nothing is wrong with the data that are there."),
    )


def _never(_desk: Desk) -> tuple[str, str]:
    return (
        _("Never synced: what is here was imported."),
        _("Press Sync now to fetch what is missing; afterwards it happens by itself every evening and morning."),
    )


def _waiting(desk: Desk) -> tuple[str, str]:
    if not desk.scheduler.alive:
        return _("A sync waits to begin."), _("It begins as soon as the background process runs.")
    if desk.scheduler.quiet_until is not None:
        return (
            _("A sync waits to begin."),
            _("None begins while the exchange is open; this one does after {moment}.").format(
                moment=fmt.moment(desk.scheduler.quiet_until)
            ),
        )
    return _("A sync waits to begin."), _("It begins in a few seconds, or when the work before it is done.")


def _syncing(_desk: Desk) -> tuple[str, str]:
    return (
        _("Syncing."),
        _("Go on working: pages and backtests use the data as they are until the next snapshot is whole."),
    )


def _fresh(desk: Desk) -> tuple[str, str]:
    fresh = desk.fresh
    if fresh is not None and fresh.next_release is not None:
        hint = _("The next session is asked for from {moment}.").format(moment=fmt.moment(fresh.next_release))
    else:
        hint = _("Every session that has ended is stored.")
    unasked = [
        source_name(line.source.name)
        for line in desk.sources
        if line.on and line.source.datasets and line.last_ok_at is None
    ]
    if unasked:
        hint += " " + _("Not asked yet: {sources}. Press Sync now.").format(sources=", ".join(unasked))
    return _("Prices are up to date.") if unasked else _("Up to date."), hint


def _stale(desk: Desk) -> tuple[str, str]:
    due = 0 if desk.fresh is None else desk.fresh.due
    title = _("1 session is missing.") if due == 1 else _("{count} sessions are missing.").format(count=fmt.count(due))
    if desk.fresh is not None and desk.fresh.coins:
        title = _("1 day is missing.") if due == 1 else _("{count} days are missing.").format(count=fmt.count(due))
    return title, _("Press Sync now to fetch what has come out since {day}.").format(day=fmt.day(cached.last_session()))


def _failed(desk: Desk) -> tuple[str, str]:
    event = next(one for one in desk.events if one.state == "failed")
    message = escape(reason_now(event.message, event.at, desk.sources)[:_LONGEST])
    return (
        _("The last sync failed ({moment}).").format(moment=fmt.moment(event.at)),
        f"{message}\n\n"
        + _("What was answered before is stored. See below which source has trouble, then sync again."),
    )


def _cancelled(desk: Desk) -> tuple[str, str]:
    event = next(one for one in desk.events if one.state == "cancelled")
    return (
        _("The last sync was cancelled ({moment}).").format(moment=fmt.moment(event.at)),
        _("What was answered until then is stored; the next sync goes on from there."),
    )


_FOR_ADMINS: Final = frozenset(
    {DataWord.EMPTY, DataWord.DEMO, DataWord.OFF, DataWord.NEVER, DataWord.STALE, DataWord.FAILED, DataWord.CANCELLED}
)
"""States about which only an admin can do something."""
_WORDS: Final[Mapping[DataWord, Callable[[Desk], tuple[str, str]]]] = {
    DataWord.EMPTY: _empty,
    DataWord.DEMO: _demo,
    DataWord.OFF: _off,
    DataWord.NEVER: _never,
    DataWord.WAITING: _waiting,
    DataWord.SYNCING: _syncing,
    DataWord.FRESH: _fresh,
    DataWord.STALE: _stale,
    DataWord.FAILED: _failed,
    DataWord.CANCELLED: _cancelled,
}
_LOOKS: Final[Mapping[DataWord, tuple[Callable[..., object], str]]] = {
    DataWord.EMPTY: (st.info, ":material/database:"),
    DataWord.DEMO: (st.info, ":material/science:"),
    DataWord.OFF: (st.info, ":material/key_off:"),
    DataWord.NEVER: (st.info, ":material/cloud_download:"),
    DataWord.WAITING: (st.info, ":material/hourglass_top:"),
    DataWord.SYNCING: (st.info, ":material/sync:"),
    DataWord.FRESH: (st.success, ":material/verified:"),
    DataWord.STALE: (st.warning, ":material/update:"),
    DataWord.FAILED: (st.error, ":material/sync_problem:"),
    DataWord.CANCELLED: (st.warning, ":material/cancel:"),
}
