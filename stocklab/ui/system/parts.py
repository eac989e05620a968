"""The parts of the program with their states, and on which days they were alive."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

import streamlit as st

from stocklab.data.sources.calls import KST
from stocklab.operations import Component, ComponentDay, ComponentKind, ComponentState, uptime_days, uptime_share
from stocklab.operations.components import WATCHED
from stocklab.ui import blocks, cached, navigation
from stocklab.ui import format as fmt
from stocklab.ui.background_words import told
from stocklab.ui.system import words
from stocklab.ui.text import _

__all__ = ["components_table", "summary", "uptime"]

DAYS: Final = 30


def summary(found: Sequence[Component]) -> None:
    """One sentence: whether somebody must do something."""
    bad = [_(words.COMPONENTS.get(one.name, one.name)) for one in found if one.state not in words.WELL]
    if bad:
        st.warning(_("Needs a look: {names}").format(names=", ".join(bad)), icon=":material/warning:")
    else:
        st.success(_("All parts are well."), icon=":material/check_circle:")
    for one in found:
        if one.name == "scheduler":
            _scheduler_sentence(one)


def _scheduler_sentence(scheduler: Component) -> None:
    """What a state of the scheduler means, and what to do about it."""
    match scheduler.state:
        case ComponentState.OFF:
            st.caption(_("The scheduler is switched off (STOCKLAB_SCHEDULER=off): nothing is fetched by itself."))
        case ComponentState.ABSENT:
            st.caption(_("No scheduler runs: start the program with `stocklab up`, or `stocklab scheduler` beside it."))
        case ComponentState.STANDBY:
            st.caption(_("A scheduler waits to take over; the one that worked has just gone."))
        case ComponentState.FAILED:
            st.caption(_("The scheduler runs, but a job failed or was missed in the last three days: see below."))


def components_table(found: Sequence[Component], now: datetime) -> None:
    """Every part: state, when it last did well, and what is wrong."""
    st.subheader(_("Parts"), anchor=False)
    heads = (_("Component"), _("State"), _("Last success"), _("Today"), _("Details"))
    rows = []
    for one in found:
        state = (
            f'<span class="lab-state {words.STATE_CLASSES[one.state]}">{html.escape(_(words.STATES[one.state]))}</span>'
        )
        alive = "" if one.uptime_today_seconds is None else words.span(one.uptime_today_seconds)
        name = _(words.COMPONENTS.get(one.name, one.name))
        cells = (
            html.escape(name),
            state,
            html.escape(words.ago(one.last_success_at, now)),
            alive,
            html.escape(_detail(one)),
        )
        labelled = zip(map(html.escape, heads), cells, strict=True)
        rows.append("<tr>" + "".join(f'<td data-label="{head}">{cell}</td>' for head, cell in labelled) + "</tr>")
    head = "".join(f"<th>{html.escape(text)}</th>" for text in heads)
    st.html(f'<table class="lab-table lab-stack"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>')


def _detail(one: Component) -> str:
    if one.kind is ComponentKind.SOURCE and one.state is ComponentState.OFF:
        return _("no key") if one.detail == "no key" else one.detail
    if one.kind is ComponentKind.DISK and one.free_bytes is not None:
        return _("{size} free").format(size=words.size(one.free_bytes))
    return told(one.detail) if one.kind is ComponentKind.SOURCE else one.detail


def uptime(now: datetime) -> None:
    """Thirty days of each part whose uptime is kept, a box a day."""
    st.subheader(_("Uptime of the last 30 days"), anchor=False)
    database = cached.lab().database
    today = now.astimezone(KST).date()
    rows = []
    for name in WATCHED:
        days = uptime_days(database, name, today, DAYS)
        share = uptime_share(days, now)
        label = _(words.COMPONENTS[name])
        shown = fmt.DASH if share is None else fmt.percent(share, digits=1)
        boxes = "".join(_box(day, found, days, now) for day, found in days.items())
        spoken = html.escape(f"{label}: {shown}")
        rows.append(
            f'<div class="lab-uptime"><span>{html.escape(label)}</span>'
            f'<span class="strip" role="img" aria-label="{spoken}">{boxes}</span><span>{shown}</span></div>'
        )
    st.html("".join(rows))
    st.caption(_("Green: alive all day. Yellow: with gaps. Red: mostly down. Grey: before it was first seen."))


def _box(day: date, found: ComponentDay | None, days: Mapping[date, ComponentDay | None], now: datetime) -> str:
    first = next((known for known, seen in days.items() if seen is not None), None)
    if first is None or day < first:
        return f'<i class="unknown" title="{day}"></i>'
    alive = 0.0 if found is None else found.seconds
    local = now.astimezone(KST)
    whole = 86_400.0 if day < local.date() else local.hour * 3600.0 + local.minute * 60.0 + local.second
    share = min(1.0, alive / max(whole, 1.0))
    level = "up" if share >= 0.99 else "gaps" if share >= 0.5 else "down"
    if day == first:  # when it began on that day is not kept
        level = "up"
    return f'<i class="{level}" title="{day}: {html.escape(words.span(alive))} ({fmt.percent(share, digits=1)})"></i>'


def no_database() -> None:
    """Below the parts when the app database does not answer."""
    blocks.empty(
        _("The app database does not answer, so uptime and jobs are not known."),
        _("It is tried again every 20 seconds."),
        icon=":material/cloud_off:",
    )
    navigation.link("data", _("Data"), icon=":material/database:")
