"""Above the screen: open one, choose the day, save it, take the table along, test it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from stocklab.data.csv_text import csv_of
from stocklab.data.screening import ScreenResult
from stocklab.errors import StockLabError
from stocklab.factors import missing_inputs
from stocklab.strategy import PRESETS, dump
from stocklab.strategy.screen import Screen
from stocklab.strategy.words import label
from stocklab.ui import cached, identity, navigation, text
from stocklab.ui.builder import state
from stocklab.ui.builder.fields import bind, escape
from stocklab.ui.screener import desk
from stocklab.ui.screener.examples import EXAMPLES
from stocklab.ui.text import _, language

__all__ = ["example_cards", "message", "toolbar"]

MESSAGE: Final = "screener_message"
_DAY: Final = "screener_day"


def toolbar(chosen: Screen | None, result: ScreenResult | None) -> None:
    """Everything that works on the whole screen."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="screener_toolbar"):
        _day_input()
        with st.popover(_("Open"), icon=":material/folder_open:", key="screener_open"):
            _open_picker()
        with st.popover(_("Save"), icon=":material/save:", key="screener_save"):
            _save_form(chosen)
        _csv(result)
        if st.button(
            _("Backtest this"),
            key="screener_backtest",
            type="primary",
            icon=":material/science:",
            disabled=chosen is None,
            help=_("Opens the builder with these conditions as rules to buy."),
        ):
            _to_builder(chosen)
    _told()


def message(words: str, *, ok: bool = True) -> None:
    """Say something at the top of the next drawing of the page."""
    st.session_state[MESSAGE] = ("ok" if ok else "error", words)


def _told() -> None:
    told = st.session_state.pop(MESSAGE, None)
    if told is not None:
        (st.success if told[0] == "ok" else st.error)(told[1])


def _day_input() -> None:
    span = cached.span()
    if span is not None:
        st.date_input(
            _("Date"),
            min_value=span[0],
            max_value=span[1],
            key=bind(_DAY, desk.day() or span[1]),
            format="YYYY-MM-DD",
            on_change=_take_day,
            width=150,
        )


def _take_day() -> None:
    desk.choose_day(st.session_state[_DAY])


def _open_picker() -> None:
    presets = {key: preset.name(language()) for key, preset in PRESETS.items()}
    _pick(_("What a preset would buy"), "preset", presets, desk.open_preset)
    lab = cached.lab()
    saved = {one.id: one.name for one in lab.strategies.list(identity.owner_id())}
    if saved:
        _pick(_("What a saved strategy would buy"), "saved", saved, desk.open_saved)
    _pick(_("Example"), "example", {key: _(one.name) for key, one in EXAMPLES.items()}, desk.open_example)
    st.file_uploader(_("From a JSON file"), type="json", key="screener_file", on_change=_from_file, max_upload_size=1)
    st.button(_("New, empty screen"), key="screener_new", icon=":material/note_add:", on_click=desk.blank)


def _pick(label: str, key: str, names: dict[str, str], act: Callable[[str], None]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        found = st.selectbox(
            label, list(names), format_func=lambda one: names.get(one, one), key=f"screener_{key}_choice"
        )
        st.button(_("Show"), key=f"screener_{key}_show", on_click=_guarded, args=(act, found))


def _guarded(act: Callable[[str], None], given: str) -> None:
    """Callback: do it; an error is told at the top."""
    try:
        act(given)
    except StockLabError as error:
        message(text.for_error(error), ok=False)


def _from_file() -> None:
    given = st.session_state.get("screener_file")
    if given is None:
        return
    try:
        words = given.getvalue().decode("utf-8")
    except UnicodeDecodeError:
        message(_("The file is not UTF-8 text."), ok=False)
        return
    _guarded(desk.open_text, words)


def _save_form(chosen: Screen | None) -> None:
    if chosen is None:
        st.caption(_("Correct the marked settings first."))
        return
    # Given as the default: what a closed popover holds is not there yet to be told a value.
    name = st.text_input(
        _("Name"), chosen.name or _("New screen"), key=f"screener_name_{state.session()['opened']}", max_chars=120
    )
    st.button(
        _("Save as a strategy"),
        key="screener_save_strategy",
        type="primary",
        disabled=not (name or "").strip(),
        on_click=_save,
        args=(chosen, (name or "").strip()),
    )
    st.caption(_("It is kept under My strategies; its hits can be shown here any day."))
    st.download_button(
        _("Download the screen (JSON)"),
        data=dump(chosen).encode(),
        file_name="screen.json",
        mime="application/json",
        key="screener_json",
        icon=":material/download:",
        on_click="ignore",
    )


def _save(chosen: Screen, name: str) -> None:
    lab = cached.lab()
    try:
        saved = lab.strategies.save(identity.owner_id(), desk.as_strategy(chosen, name))
    except StockLabError as error:
        message(text.for_error(error), ok=False)
        return
    message(_("Saved under My strategies as {name}.").format(name=escape(saved.name)))


def _csv(result: ScreenResult | None) -> None:
    if result is not None and result.rows.height:
        rows = result.rows
        st.download_button(
            _("CSV"),
            data=lambda: csv_of(rows),
            file_name=f"screen-{result.session}.csv",
            mime="text/csv",
            icon=":material/download:",
            key="screener_csv",
            help=_("All rows, unrounded; opens in Excel."),
            on_click="ignore",
        )


def _to_builder(chosen: Screen | None) -> None:
    if chosen is not None:
        name = chosen.name or _("New screen")
        state.load(desk.as_strategy(chosen, name))
        navigation.go("builder")


def example_cards() -> None:
    """The state of a screen without conditions: three to start from."""
    st.markdown(f"#### {_('Start from an example, or add a condition above')}")
    panel = cached.lab().panel()
    columns = st.columns(len(EXAMPLES))
    for column, (key, example) in zip(columns, EXAMPLES.items(), strict=True):
        with column, st.container(border=True, height="stretch", key=f"screener_example_{key}"):
            st.markdown(f"**{_(example.name)}**")
            st.markdown(_(example.what))
            rules = example.document["conditions"]["rules"]
            lacking = sorted({name for rule in rules for name in missing_inputs(rule["formula"], panel)})
            if lacking:
                names = ", ".join(label(name, language()) for name in lacking)
                st.caption(_("This data lacks {inputs}.").format(inputs=names))
            with st.container(height="stretch", vertical_alignment="bottom"):
                st.button(_("Show"), key=f"screener_start_{key}", on_click=desk.open_example, args=(key,))
