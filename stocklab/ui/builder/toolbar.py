"""Above the form: presets, saved strategies, files, the name, Save and Run."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.backtest import coverage
from stocklab.errors import StockLabError
from stocklab.portfolios import BacktestOrder, StrategyConflict
from stocklab.sharing import Relative
from stocklab.strategy import PRESETS, Preset, dump, parse_document
from stocklab.ui import cached, identity, navigation, text
from stocklab.ui.author import author_name
from stocklab.ui.builder import draft, fields, state
from stocklab.ui.builder.period import chosen_range
from stocklab.ui.lacks import show_lacks, show_short_history
from stocklab.ui.shared.services import clones
from stocklab.ui.text import N_, _, language

__all__ = [
    "HORIZONS",
    "RISKS",
    "cloned_from",
    "explain_preset",
    "load_preset",
    "open_saved",
    "origin_line",
    "preset_tags",
    "run_button",
    "start_run",
    "toolbar",
]

MESSAGE: Final = "builder_message"
HORIZONS: Final = {"short": N_("Short term"), "medium": N_("Medium term"), "long": N_("Long term")}
RISKS: Final = {"low": N_("Low risk"), "medium": N_("Medium risk"), "high": N_("High risk")}


def preset_tags(preset: Preset) -> list[str]:
    """Horizon and risk of a preset in words."""
    tags = preset.strategy.tags
    found = [_(HORIZONS[tags.horizon])] if tags.horizon else []
    return found + ([_(RISKS[tags.risk])] if tags.risk else [])


def toolbar() -> None:
    """Everything that works on the whole document."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="builder_toolbar"):
        fields.text("name", _("Strategy name"), limit=120)
        with st.popover(_("Presets"), icon=":material/auto_awesome:", key="preset_popover"):
            _preset_picker()
        with st.popover(_("Open"), icon=":material/folder_open:", key="open_popover"):
            _open_picker()
        with st.popover(_("Save"), icon=":material/save:", key="save_popover"):
            _save_form()
        run_button()
        navigation.link("sweeps", _("Vary its numbers"), icon=":material/grid_on:")
    _message()
    origin_line()


def _message() -> None:
    told = st.session_state.pop(MESSAGE, None)
    if told is not None:
        kind, words = told
        (st.success if kind == "ok" else st.error)(words)


def _tell(words: str, *, ok: bool = True) -> None:
    st.session_state[MESSAGE] = ("ok" if ok else "error", words)


def origin_line() -> None:
    """Where the document came from."""
    editing = state.session()
    if editing["preset"] in PRESETS:
        preset = PRESETS[editing["preset"]]
        with st.expander(_("Preset: {name}").format(name=preset.name(language())), icon=":material/auto_awesome:"):
            explain_preset(preset)
    elif editing["saved_name"]:
        st.caption(_("Saved as {name}").format(name=fields.escape(editing["saved_name"])))
        if editing["origin"] is not None:
            cloned_from(editing["origin"])


def cloned_from(origin: Relative) -> None:
    """Whose work a clone began with."""
    if origin.id is None or origin.name is None:
        st.caption(_("Cloned from a strategy that is not listed"))
        return
    author = fields.escape(author_name(origin.author))
    words = _("Cloned from {name} by {author}").format(name=fields.escape(origin.name), author=author)
    navigation.link("shared", words, icon=":material/content_copy:", publication=origin.id)


def explain_preset(preset: Preset) -> None:
    """What it does, why it may work, when it fails, how it differs from its source, and the source."""
    words = preset.words(language())
    parts = (
        (_("What it does"), words.what),
        (_("Why it may work"), words.why),
        (_("When it fails"), words.fails),
        (_("How it differs from its source"), words.differs),
    )
    st.markdown("\n\n".join(f"**{name}**  \n{fields.escape(said)}" for name, said in parts if said))
    st.caption(_("Source: {source}").format(source=fields.escape(preset.source)))


def _preset_picker() -> None:
    names = {key: preset.name(language()) for key, preset in PRESETS.items()}
    chosen = st.selectbox(_("Preset"), list(names), format_func=names.__getitem__, key="preset_choice")
    preset = PRESETS[chosen]
    st.caption(" · ".join(preset_tags(preset)))
    found = cached.preset_coverage().get(chosen)
    if found is not None:
        show_lacks(found)
    show_short_history(preset.strategy)
    explain_preset(preset)
    st.button(_("Start from this preset"), key="load_preset", type="primary", on_click=load_preset, args=(chosen,))


def load_preset(preset_id: str) -> None:
    """Start editing a copy of a preset, named in the user's language."""
    preset = PRESETS[preset_id]
    named = preset.strategy.model_copy(update={"name": preset.name(language())})
    state.load(named, preset=preset_id)


def open_saved(strategy_id: str) -> None:
    """Start editing a saved strategy."""
    lab = cached.lab()
    try:
        saved = lab.strategies.get(identity.owner_id(), strategy_id)
        origin = saved.origin_id and clones().origin(identity.owner_id(), saved.origin_id)
        stored = {"saved_id": saved.id, "saved_name": saved.name, "saved_version": saved.version}
        state.load(saved.strategy(), **stored, origin=origin, origin_id=saved.origin_id)
    except StockLabError as error:
        _tell(text.for_error(error), ok=False)


def _open_picker() -> None:
    lab = cached.lab()
    found = {saved.id: saved.name for saved in lab.strategies.list(identity.owner_id())}
    if found:
        chosen = st.selectbox(_("My strategies"), list(found), format_func=found.__getitem__, key="open_choice")
        st.button(_("Open in the builder"), key="open_saved", on_click=open_saved, args=(chosen,))
    st.file_uploader(_("From a JSON file"), type="json", key="import_file", on_change=_import, max_upload_size=1)
    st.button(_("New, empty strategy"), key="new_strategy", icon=":material/note_add:", on_click=_new)


def _new() -> None:
    state.load_document(draft.blank_document(_("New strategy")))


def _import() -> None:
    given = st.session_state.get("import_file")
    if given is None:
        return
    try:
        state.load(parse_document(given.getvalue().decode("utf-8")))
    except UnicodeDecodeError:
        _tell(_("The file is not UTF-8 text."), ok=False)
    except StockLabError as error:
        _tell(text.for_error(error), ok=False)


def _save_form() -> None:
    chosen, editing = state.strategy(), state.session()
    if chosen is None:
        st.caption(_("Correct the marked settings first."))
        return
    if editing["saved_id"]:
        st.button(
            _("Save as the next version"),
            key="save_version",
            type="primary",
            on_click=_save,
            args=(editing["saved_id"],),
        )
    st.button(
        _("Save as a new strategy"),
        key="save_new",
        type="secondary" if editing["saved_id"] else "primary",
        on_click=_save,
        args=(None,),
    )
    st.download_button(
        _("Download JSON"),
        data=dump(chosen).encode(),
        file_name="strategy.json",
        mime="application/json",
        key="export_file",
        icon=":material/download:",
        on_click="ignore",
    )


def _save(strategy_id: str | None) -> None:
    lab, chosen, editing = cached.lab(), state.strategy(), state.session()
    if chosen is None:
        return
    try:
        saved = lab.strategies.save(
            identity.owner_id(),
            chosen,
            strategy_id=strategy_id,
            expected_version=None if strategy_id is None else editing["saved_version"],
            origin_id=editing["origin_id"],
        )
    except StrategyConflict as conflict:
        _tell(_saved_elsewhere(conflict), ok=False)
        return
    except StockLabError as error:
        _tell(text.for_error(error), ok=False)
        return
    editing.update(saved_id=saved.id, saved_name=saved.name, saved_version=saved.version)
    _tell(_("Saved as version {version}.").format(version=saved.version))


def _saved_elsewhere(conflict: StrategyConflict) -> str:
    words = _(
        "This strategy was saved elsewhere, as in another tab: yours comes from version {expected}, and it is at "
        "version {found} now. Nothing was overwritten. Save yours as a new strategy, or open it again."
    )
    return words.format(expected=conflict.expected, found=conflict.found)


def run_button() -> None:
    """Start the backtest and open its progress."""
    chosen, span = state.strategy(), chosen_range()
    if st.button(
        _("Run"),
        key="run_backtest",
        type="primary",
        icon=":material/play_arrow:",
        disabled=chosen is None or span is None,
        help=None if span is not None else _("Load market data first."),
    ):
        start_run()


def start_run() -> None:
    """Submit what is being edited; opens the result page on the job, or says why it cannot run."""
    lab, chosen, span = cached.lab(), state.strategy(), chosen_range()
    if chosen is None or span is None:
        return
    try:
        covered = coverage(chosen, lab.panel(None, *span))
    except StockLabError as error:
        st.error(text.for_error(error))
        return
    if not covered.can_buy:
        show_lacks(covered)
        return
    order = BacktestOrder(
        document=state.document(),
        start=span[0],
        end=span[1],
        initial_cash_krw=chosen.allocation.initial_cash_krw,
        strategy_id=state.session()["saved_id"],
    )
    try:
        job_id = lab.jobs.submit(identity.owner_id(), order)
    except StockLabError as error:
        st.error(text.for_error(error))
        return
    navigation.go("results", job=job_id)
