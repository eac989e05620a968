"""A result run again: identical, or what changed and how the figures moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from stocklab.backtest import METRICS
from stocklab.backtest.result import Result
from stocklab.research.rerun import Change, FigureMove, Rerun
from stocklab.research.survivorship import FIGURES
from stocklab.ui import blocks, navigation
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.data.names import DATASETS
from stocklab.ui.result import trusted
from stocklab.ui.result.headline import metric_value
from stocklab.ui.text import N_, _, language, pick

__all__ = ["rerun_section"]

_KINDS: Final = {"data": N_("Data"), "rules": N_("Rules"), "code": N_("Code")}
_WHAT: Final = {
    "snapshot_id": N_("Data snapshot"),
    "snapshot_removed": N_("The earlier snapshot is no longer stored"),
    "panel_key": N_("Form of the stored data"),
    "market": N_("Market"),
    "engine_version": N_("Version of the rules"),
    "version": N_("Version"),
    "code_sha256": N_("Fingerprint of the code"),
}
_SHARED: Final = {
    "rows": N_("{value} rows"),
    "last_session": N_("to {value}"),
    "checksum": N_("checksum {value}"),
}
_FACTS: Final = {
    "added": N_("rows added"),
    "removed": N_("rows removed"),
    "corrected": N_("rows corrected"),
    "first_corrected": N_("first correction"),
}
_TABLES: Final = {
    "daily": N_("Daily book"),
    "positions": N_("Holdings"),
    "trades": N_("Trades"),
    "orders": N_("Order decisions"),
    "ledger": N_("Cash ledger"),
}


def rerun_section(result: Result) -> None:
    """The button, and what running it again said last."""
    st.caption(
        _(
            "The same request on the data, the rules and the code of today. If all three are unchanged it is computed "
            "anew past every cache and compared byte for byte; else what changed is listed, and how the figures moved."
        )
    )
    found = trusted.known_rerun(result.run_id)
    place = st.empty()
    if place.button(_("Run again and compare"), key="run_again", icon=":material/replay:"):
        with blocks.guarded(), place, st.spinner(_("Running it again..."), show_time=True):
            found = trusted.run_again(result)
    if found is not None:
        _verdict(found)


def _verdict(found: Rerun) -> None:
    if found.identical:
        if found.same_bytes:
            words = _("Identical: computed anew, every figure and every table is the same, byte for byte.")
        else:
            words = _("Identical: computed anew, every figure and every row is the same.")
        st.success(words, icon=":material/verified:")
        return
    if found.now_id is None:
        st.error(_("It cannot be run today."), icon=":material/error:")
        st.caption(escape(found.refused))
    elif not found.changes:
        st.error(_("Different, although data, rules and code are the same."), icon=":material/warning:")
    elif found.same_outcome:
        st.info(_("What it was made from changed; the figures and tables are the same."), icon=":material/info:")
    else:
        st.warning(_("Changed: see what changed and how the figures moved."), icon=":material/difference:")
    _moves(found)
    if found.now_id is not None and found.now_id != found.run_id:
        with st.container(horizontal=True):
            navigation.link("results", _("Open the run of today"), icon=":material/open_in_new:", run=found.now_id)
            both = f"{found.run_id},{found.now_id}"
            navigation.link("results", _("Compare both results"), icon=":material/compare_arrows:", compare=both)


def _moves(found: Rerun) -> None:
    """The figures that moved, the main ones first; inputs by kind; tables. What has no rows is left out."""
    moved = [move for move in found.figures if move.figure in METRICS]
    main = [move for move in moved if move.figure in FIGURES]
    if main:
        _figure_moves(main)
    for kind, name in _KINDS.items():
        rows = _change_rows([each for each in found.changes if each.kind == kind])
        if rows:
            st.markdown(f"**{_(name)}**")
            blocks.table([_("What"), _("Before"), _("Today")], rows)
    if len(moved) > len(main):
        with st.expander(_("All figures that moved"), icon=":material/functions:"):
            _figure_moves(moved)
    tables = [
        [
            _(_TABLES.get(move.table, move.table)),
            fmt.count(move.rows_before),
            fmt.count(move.rows_now),
            move.first or fmt.DASH,
        ]
        for move in found.tables
    ]
    if tables:
        with st.expander(_("Tables that differ"), icon=":material/table:"):
            blocks.table([_("Table"), _("Rows before"), _("Rows today"), _("First difference")], tables)


def _figure_moves(moves: Sequence[FigureMove]) -> None:
    rows = [
        [
            pick(METRICS[move.figure].name_ko, METRICS[move.figure].name_en),
            *(metric_value(METRICS[move.figure].unit, value, language()) for value in (move.before, move.now)),
        ]
        for move in moves
    ]
    blocks.table([_("Figure"), _("Before"), _("Today")], rows)


def _change_rows(changes: Sequence[Change]) -> list[list[str]]:
    """One row for each input; rows, last session and checksum of a dataset share one."""
    rows: list[list[str]] = []
    facts: dict[str, tuple[list[str], list[str]]] = {}
    for each in changes:
        name, _dot, fact = each.what.partition(".")
        if name in DATASETS and fact in _SHARED:
            before, now = facts.setdefault(name, ([], []))
            for words, value in ((before, each.before), (now, each.now)):
                if value:
                    words.append(_(_SHARED[fact]).format(value=value))
        else:
            rows.append([_what(each), each.before or fmt.DASH, each.now or fmt.DASH])
    shared = [[_(DATASETS[name]), *(" · ".join(words) or fmt.DASH for words in pair)] for name, pair in facts.items()]
    return [*rows[:1], *shared, *rows[1:]] if shared else rows


def _what(change: Change) -> str:
    """The name of an input: of a dataset and a fact of it, of the program, or a field of the document."""
    known: Mapping[str, str] = _WHAT
    if change.what in known:
        return _(known[change.what])
    name, _dot, fact = change.what.partition(".")
    if name in DATASETS:
        what, _blank, place = fact.partition(" ")
        words = f"{_(DATASETS[name])}: {_(_FACTS.get(what, what))}"
        return f"{words} ({place})" if place else words
    return change.what
