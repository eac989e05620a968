"""The sources: which are on and why, how they fare, whose prices stand, and where two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from stocklab.data.coverage_map import StandingSource
from stocklab.data.snapshot import Snapshot
from stocklab.data.sources.known import PRICE_ORDER
from stocklab.operations import SourceLine
from stocklab.ui import blocks, cached, identity
from stocklab.ui import format as fmt
from stocklab.ui.background_words import told
from stocklab.ui.builder.fields import escape
from stocklab.ui.data import lookups
from stocklab.ui.data.key_trial_panel import trial_badge, trial_panel, watch_trials
from stocklab.ui.data.keys_form import keys_form, said
from stocklab.ui.data.lookups import Desk
from stocklab.ui.data.names import COLUMNS, DATASETS, GIVES, feed_name, source_name, symbol_cell, symbol_column
from stocklab.ui.text import N_, _

__all__ = ["sources_section"]

_VALUES: Final = {
    "open": N_("Opening price"),
    "volume": N_("Volume"),
    "tv": N_("Traded value"),
    "change": N_("Change"),
    "mcap": N_("Market cap"),
    "shares_listed": N_("Listed shares"),
    "market": N_("Market"),
}


def sources_section(desk: Desk) -> None:
    """One row a source, then the order of prices and the differences."""
    said()
    watch_trials(desk)
    st.caption(
        _(
            "Each source is asked with your own key, at its pace and within its budget of the day. One without a key "
            "is off, which is not an error."
        )
    )
    for line in desk.sources:
        _source(line, desk)
    _order(desk)
    if desk.snapshot is not None:
        _differences(desk.snapshot)


def _source(line: SourceLine, desk: Desk) -> None:
    name = line.source.name
    with st.container(border=True, key=f"source_{name}", gap="xsmall"):
        left, right = st.columns([1.05, 1], gap="medium")
        with left:
            st.markdown(f"**{source_name(name)}** {' '.join(_labels(line, desk))}")
            st.markdown(_(GIVES[name]))
            feeds = ", ".join(feed_name(feed, alone=True) for feed in line.source.feeds)
            if feeds:
                st.caption(_("Asked for: {feeds}").format(feeds=feeds))
        with right:
            blocks.facts(_health(line))
        if (
            line.blocked_until is not None
            and identity.is_admin()
            and st.button(_("Ask it again all the same"), key=f"unblock_{name}", icon=":material/lock_open:")
        ):
            with blocks.guarded():
                cached.lab().calls.unblock(name)
                st.rerun()
        if line.source.keys:
            with st.expander(_keys_label(line), icon=":material/key:", key=f"keys_of_{name}"):
                keys_form(line, alive=desk.scheduler.alive)
                if line.on:
                    trial_panel(line, desk)
        if line.last_error_at is not None and not line.failing:
            earlier = escape(told(line.last_error))
            st.caption(
                _("Earlier error, {moment}, over since: {message}").format(
                    moment=fmt.moment(line.last_error_at), message=earlier
                )
            )


def _labels(line: SourceLine, desk: Desk) -> list[str]:
    if not line.switched_on:
        words = _("Off: STOCKLAB_{name} is not true").format(name=line.source.switch.upper())
        return [blocks.badge(words, "toggle_off")]
    if not line.on:
        return [blocks.badge(_("Off: no key"), "key_off")]
    labels = [blocks.badge(_("On"), "check_circle", "green")]
    trial = desk.trials.get(line.source.name)
    if trial is not None:
        labels.append(trial_badge(trial))
    if line.blocked_until is not None:
        labels.append(
            blocks.badge(
                _("Left alone until {moment}").format(moment=fmt.moment(line.blocked_until)), "block", "orange"
            )
        )
    elif line.failing:
        labels.append(blocks.badge(_("Last question failed"), "error", "orange"))
    if line.left_today == 0:
        labels.append(blocks.badge(_("Budget of today spent"), "hourglass_bottom", "orange"))
    return labels


def _keys_label(line: SourceLine) -> str:
    held = {key.held for key in line.keys}
    if held == {"environment"}:
        return _("Keys: set in the environment")
    if "missing" in held:
        return _("Keys: not set")
    return _("Keys: set")


def _health(line: SourceLine) -> Mapping[str, str]:
    if line.source.budget is None:
        today = _("{count} questions, no limit").format(count=fmt.count(line.calls_today))
    else:
        today = _("{count} of {budget} questions").format(
            count=fmt.count(line.calls_today), budget=fmt.count(line.source.budget)
        )
    facts = {_("Today"): today, _("Last answer"): fmt.moment(line.last_ok_at)}
    if line.blocked_until is not None:
        facts[_("Left alone because")] = told(line.blocked_reason)
    if line.failing:
        facts[_("Last error")] = f"{fmt.moment(line.last_error_at)} {told(line.last_error)}"
    return facts


def _order(desk: Desk) -> None:
    """Which source's raw bars stand, and which only check them."""
    st.subheader(_("Whose prices stand"), anchor=False)
    st.caption(
        _(
            "For each session the rows of one source stand, the first of this list that has them; sources are never "
            "mixed within a session. The next one fills sessions the first lacks, and is asked for the newest one as a "
            "check."
        )
    )
    standing = {one.source: one for one in lookups.standing(desk.snapshot)} if desk.snapshot is not None else {}
    on = {line.source.name for line in desk.sources if line.on}
    rows = []
    for place, feed in enumerate(PRICE_ORDER, start=1):
        role = _("Stands") if place == 1 else _("Fills and checks")
        if feed.partition(".")[0] not in on:
            role = _("Off: no key")
        rows.append([f"{place}. {feed_name(feed)}", role, *_held(standing.pop(feed, None))])
    for source, one in standing.items():
        etf = source == "krx_openapi.etfs"
        role = _("Stands (funds)") if etf else _("Stands where no source above answered")
        name = feed_name(source)
        rows.append([name if etf else f"{len(PRICE_ORDER) + 1}. {name}", role, *_held(one)])
    blocks.table([_("Source"), _("Role"), _("Sessions"), _("Range")], rows, stacked=True)


def _held(one: StandingSource | None) -> list[str]:
    if one is None:
        return ["0", fmt.DASH]
    return [fmt.count(one.sessions), f"{fmt.day(one.first)} – {fmt.day(one.last)}"]


def _differences(snapshot: Snapshot) -> None:
    st.subheader(_("Where sources differ"), anchor=False)
    counts, newest = lookups.differences(snapshot)
    if counts.is_empty():
        st.caption(_("No value is known on which two sources differ."))
        return
    st.caption(_("The value of the source that stands is used; the other one is kept here for comparison."))
    st.dataframe(
        [
            {
                "dataset": _(DATASETS.get(row["dataset"], row["dataset"])),
                "column": _value_name(row["column"]),
                "source": feed_name(row["source"]),
                "other_source": feed_name(row["other_source"]),
                "count": row["count"],
                "last": row["last"],
            }
            for row in counts.iter_rows(named=True)
        ],
        key="difference_counts",
        hide_index=True,
        height="content",
        column_config={
            "dataset": st.column_config.TextColumn(_("Dataset")),
            "column": st.column_config.TextColumn(_("Item")),
            "source": st.column_config.TextColumn(_("Source")),
            "other_source": st.column_config.TextColumn(_("Other source")),
            "count": st.column_config.NumberColumn(_("Differing values"), format="localized"),
            "last": st.column_config.DateColumn(_("Newest session")),
        },
    )
    st.markdown(f"**{_('The newest')}**")
    names = lookups.names(snapshot)
    st.dataframe(
        [
            {
                "symbol": symbol_cell(row["symbol"]),
                "column": _value_name(row["column"]),
                "value": row["value"],
                "other_value": row["other_value"],
                "session": row["session"],
                "name": names.get(row["symbol"], ""),
                "source": feed_name(row["source"]),
                "other_source": feed_name(row["other_source"]),
            }
            for row in newest.iter_rows(named=True)
        ],
        key="differences",
        hide_index=True,
        height="content" if newest.height <= 15 else 460,
        column_config={
            "session": st.column_config.DateColumn(_("Session")),
            "symbol": symbol_column(),
            "name": st.column_config.TextColumn(_("Name")),
            "column": st.column_config.TextColumn(_("Item")),
            "value": st.column_config.TextColumn(_("This says")),
            "source": st.column_config.TextColumn(_("Source")),
            "other_value": st.column_config.TextColumn(_("The other says")),
            "other_source": st.column_config.TextColumn(_("Other source")),
        },
    )


def _value_name(column: str) -> str:
    return _(_VALUES.get(column, COLUMNS.get(column, column)))
