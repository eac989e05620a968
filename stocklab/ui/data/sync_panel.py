"""Sync now, how far a sync is, and a way to stop it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.data.sync.progress_words import read_progress
from stocklab.operations import SyncEvent, sync_events
from stocklab.operations.sync_state import SYNC_INTENT
from stocklab.ui import blocks, cached, identity
from stocklab.ui import format as fmt
from stocklab.ui.background import nobody_works
from stocklab.ui.builder.fields import escape
from stocklab.ui.data.lookups import Desk
from stocklab.ui.data.names import feed_name
from stocklab.ui.reasons import reason_now
from stocklab.ui.text import _

__all__ = ["progress_sentence", "sync_panel"]

_TICK_SECONDS: Final = 1.0
_LONGEST: Final = 600
_MINUTE: Final = 60
_HOUR: Final = 3600


def sync_panel(desk: Desk) -> None:
    """The button, or what runs; and a warning where nobody would carry it out."""
    live = [event for event in desk.events if event.live]
    if live:
        _ticking(live)
    elif desk.syncable and identity.is_admin():
        _offer(desk)
    if not desk.scheduler.alive and (live or desk.keyed):
        nobody_works(desk.scheduler)


def _offer(desk: Desk) -> None:
    quiet = desk.scheduler.quiet_until
    if quiet is not None:
        st.info(
            _(
                "The exchange is open: no sync begins now, so that nothing disturbs live trading. One that you ask for "
                "begins after {moment}."
            ).format(moment=fmt.moment(quiet)),
            icon=":material/schedule:",
        )
        label = _("Sync after {time}").format(time=fmt.moment(quiet)[-5:])
    else:
        label = _("Sync now") if desk.keyed else _("Sync coins now")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pressed = st.button(
            label, key="sync_now", icon=":material/sync:", type="primary" if desk.keyed else "secondary"
        )
        st.caption(
            _("Asks every source that is on for what is missing, the newest first, within its budget of the day.")
            if desk.keyed
            else _("Without a key only coins can be fetched, from Upbit.")
        )
    ended = next((event for event in desk.events if event.state == "done" and event.message), None)
    if ended is not None:
        said = escape(reason_now(ended.message, ended.at, desk.sources)[:_LONGEST])
        st.caption(_("Last sync, {moment}: {message}").format(moment=fmt.moment(ended.at), message=said))
    if pressed:
        with blocks.guarded():
            lab = cached.lab()
            lab.intents.ask(identity.owner_id(), SYNC_INTENT)
            st.rerun()


def _ticking(live: list[SyncEvent]) -> None:
    """Draw what runs now and every second while it lives; a change of its state runs the whole page once."""
    before = [(event.job, event.key, event.state) for event in live]

    @st.fragment(run_every=_TICK_SECONDS)
    def tick() -> None:
        now = [event for event in sync_events(cached.lab().database) if event.live]
        if [(event.job, event.key, event.state) for event in now] != before:
            st.rerun()
        for event in now:
            _live(event)

    tick()


def _live(event: SyncEvent) -> None:
    progress = event.progress or {}
    done = progress.get("done")
    share = min(1.0, max(0.0, float(done))) if isinstance(done, int | float) else 0.0
    with st.container(border=True, key=f"sync_{event.job}_{event.key}"):
        if event.state == "waiting":
            words = _("Waiting since {moment}").format(moment=fmt.moment(event.at))
        else:
            words = progress_sentence(str(progress.get("text", "")))
        st.progress(share, text=f"{words} · {fmt.percent(share, digits=0)}" if share else words)
        if event.cancel_requested:
            st.caption(_("Stopping…"))
        elif (identity.is_admin() if event.owner_id is None else event.owner_id == identity.owner_id()) and st.button(
            _("Cancel"), key=f"cancel_{event.job}_{event.key}", icon=":material/stop_circle:"
        ):
            _cancel(event)


def _cancel(event: SyncEvent) -> None:
    lab = cached.lab()
    with blocks.guarded():
        if event.job == SYNC_INTENT:
            lab.intents.cancel(identity.owner_id(), event.key)
        else:
            lab.ledger.request_cancel(event.job, event.key)
        st.rerun()


def progress_sentence(text: str) -> str:
    """What the background process says about a sync, in the user's language; its own words where they are others."""
    found = read_progress(text)
    if found is None:
        return escape(text) if text else _("Preparing the questions")
    first = _("Storing what was answered") if found.storing else feed_name(found.feed)
    if not found.wanted:  # answers that an interrupted sync left are stored before anything is asked
        return first
    parts = [
        first,
        _("{asked} of {wanted} questions").format(asked=fmt.count(found.asked), wanted=fmt.count(found.wanted)),
        _("{count} rows").format(count=fmt.count(found.rows)),
    ]
    if found.seconds_left is not None:
        parts.append(_time_left(found.seconds_left))
    return " · ".join(parts)


def _time_left(seconds: float) -> str:
    if seconds < _MINUTE:
        return _("less than a minute left")
    if seconds < _HOUR:
        minutes = round(seconds / _MINUTE)
        return _("about 1 minute left") if minutes == 1 else _("about {count} minutes left").format(count=minutes)
    return _("about {count} hours left").format(count=fmt.decimal(seconds / _HOUR, digits=1))
