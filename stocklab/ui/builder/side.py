"""Beside the form: how many stocks match now, the strategy in words, and the same document as text."""

from __future__ import annotations

from math import isfinite
from typing import Final

import streamlit as st

from stocklab.errors import DocumentError, StockLabError
from stocklab.strategy import describe_strategy, dump, parse_document
from stocklab.ui import cached, text
from stocklab.ui import format as fmt
from stocklab.ui.builder import draft, fields, state
from stocklab.ui.lacks import show_lacks, show_short_history
from stocklab.ui.text import N_, _, fault_text, language

__all__ = ["document_panel", "match_panel"]

_VIEWS: Final = {"words": N_("In words"), "json": N_("As text (JSON)")}
_SHOWN: Final = 300


def match_panel() -> None:
    """How many symbols satisfy the conditions to buy at the last close, with their names."""
    chosen = state.strategy()
    if chosen is None or cached.lab().store.current_id() is None:
        return
    try:
        covered = cached.covered(chosen)
        show_lacks(covered)
        if not covered.can_buy:
            return
        show_short_history(chosen)
        with st.spinner(_("Counting matches…")):
            session, found = cached.matches(chosen)
    except StockLabError as error:
        st.warning(text.for_error(error), icon=":material/rule:")
        return
    label = _("**{count}** stocks match at the close of {session}").format(count=fmt.count(len(found)), session=session)
    with st.expander(label, icon=":material/checklist:", key="matches"):
        if not found:
            st.caption(_("No stock satisfies every condition on that day. That can be right; it is one day only."))
            return
        known = cached.names()
        rows = [
            {"symbol": symbol, "name": known.get(symbol, ""), "score": score if isfinite(score) else None}
            for symbol, score in found[:_SHOWN]
        ]
        st.dataframe(
            rows,
            hide_index=True,
            height="content" if len(rows) <= 10 else 380,
            column_config={
                "symbol": st.column_config.TextColumn(_("Symbol")),
                "name": st.column_config.TextColumn(_("Name")),
                "score": st.column_config.NumberColumn(_("Score"), format="%.3f"),
            },
            column_order=["symbol", "name", "score"] if chosen.ranking.factors else ["symbol", "name"],
        )
        if len(found) > _SHOWN:
            st.caption(_("The best {count} are shown.").format(count=_SHOWN))


def document_panel() -> None:
    """The document in words or as JSON; edits to the JSON flow back into the form."""
    views = {key: _(name) for key, name in _VIEWS.items()}
    view = st.segmented_control(
        _("Document"),
        list(views),
        format_func=views.__getitem__,
        default="words",
        required=True,
        key="document_view",
        label_visibility="collapsed",
        width="stretch",
    )
    if view == "words":
        _words()
    else:
        _json()


def _words() -> None:
    chosen = state.strategy()
    if chosen is None:
        st.error(_("The strategy has settings to correct."), icon=":material/error:")
        st.markdown(
            "\n".join(
                f"- `{fault.path}` {fields.escape(fault_text(fault.code, fault.message))}" for fault in state.faults()
            )
        )
        return
    st.markdown("\n".join(f"- {fields.escape(line)}" for line in describe_strategy(chosen, language())))


def _json() -> None:
    editing, chosen = state.session(), state.strategy()
    pending = editing["pending_text"]
    if pending is not None:
        shown = pending
    elif chosen is not None:
        shown = dump(chosen)
    else:
        shown = draft.text_of(editing["document"])
    key = fields.bind("document_text", shown)
    st.text_area(_("Strategy as JSON"), key=key, height=560, label_visibility="collapsed", on_change=_take_text)
    if pending is None:
        st.caption(_("Edit and leave the field (or press Ctrl+Enter): the form follows."))
        return
    st.error(_("This text was not taken over; the form still shows the last valid strategy."), icon=":material/error:")
    st.markdown(
        "\n".join(
            f"- `{fault.path or '·'}` {fields.escape(fault_text(fault.code, fault.message))}"
            for fault in editing["pending_faults"]
        )
    )
    st.button(_("Discard this text"), key="discard_text", on_click=_discard)


def _take_text() -> None:
    typed = str(st.session_state["document_text"])
    try:
        state.replace(draft.full(parse_document(typed)))
    except DocumentError as error:
        editing = state.session()
        editing["pending_text"] = typed
        editing["pending_faults"] = error.faults


def _discard() -> None:
    state.replace(state.document())
