"""The answer of a screen: how many match, what must be known, how each condition fared, the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import polars as pl
import streamlit as st

from stocklab.data.screen_notes import Note
from stocklab.data.screening import ScreenResult
from stocklab.errors import FieldFault, FormulaError
from stocklab.strategy.screen import Screen
from stocklab.strategy.words import describe_rule, label
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.builder.sections import EXCLUSIONS
from stocklab.ui.screener import columns
from stocklab.ui.text import N_, _, fault_text, language

__all__ = ["STOCK", "condition_counts", "conditions_line", "count_line", "faults_list", "notes", "sentence", "table"]

STOCK: Final = "screener_stock"
"""Key of the stock that is looked at more closely."""

_TABLE: Final = "screener_table"
_NOTES: Final[Mapping[str, str]] = {
    "earlier_session": N_("{asked} is no trading day of this data; the last one before it, {session}, is shown."),
    "never": N_("{id}: {sentence} – needs {inputs}, which this data does not have. This condition can never match."),
    "partly": N_("{id}: {sentence} – was judged without {inputs}, which this data does not have."),
    "unknown_everywhere": N_("{id}: {sentence} – is unknown for every stock on this day. It needs a longer history."),
    "column": N_("The column {column} stays empty: it needs {inputs}, which this data does not have."),
    "unknown_flag": N_("{flag}: not known for {count} stocks, which therefore stay in."),
    "unknown_list": N_("The members of {name} are not known on this day: nobody counts as a member."),
    "estimated_value": N_("Traded value is estimated as close × volume in this data."),
    "sectors_of_today": N_("Sectors are those of today, also on earlier days."),
    "restated": N_("The strategy reads statements as they were corrected later: this is hindsight."),
    "market_unsafe": N_("The strategy's market filter is unsafe on this day: it would buy nothing."),
    "kept": N_("The strategy admits {kept} of the {matched} stocks that match."),
}
_WARNINGS: Final = frozenset({"never", "partly", "unknown_everywhere", "market_unsafe", "restated"})


def count_line(chosen: Screen, result: ScreenResult, *, ordered: bool) -> None:
    """How many stocks match, of how many; of what, on which day, and whether in a strategy's order of purchase."""
    words = _("**{matched}** of {universe} stocks match")
    st.markdown("#### " + words.format(matched=fmt.count(result.matched), universe=fmt.count(result.universe)))
    parts = [escape(chosen.name)] if chosen.name else []
    parts.append(_("at the close of {session}").format(session=fmt.day(result.session)))
    if ordered and "score" in result.rows.columns:
        parts.append(_("in the order in which the strategy would buy"))
    st.caption(" · ".join(parts))


def conditions_line(result: ScreenResult) -> None:
    """The conditions in words, each with how many stocks meet it: what the closed form holds."""
    lines = [
        f":primary-badge[{one.id}] {escape(sentence(one.formula))} :gray[({fmt.count(one.true)})]"
        for one in result.conditions
    ]
    if not result.all_must_hold:
        lines.append(f"`{result.logic}`")
    st.markdown("  \n".join(lines))


def faults_list(faults: tuple[FieldFault, ...]) -> None:
    """What keeps the screen from running, each with its place; the form marks the same places."""
    st.error(_("The screen has settings to correct."), icon=":material/error:")
    st.markdown("\n".join(f"- `{one.path}` {escape(fault_text(one.code, one.message))}" for one in faults))


def sentence(formula: str) -> str:
    """A condition in words; the formula itself when it cannot be read."""
    try:
        return describe_rule(formula, language())
    except FormulaError:
        return formula


def notes(result: ScreenResult) -> None:
    """Warnings as warnings, the rest in small print."""
    small = []
    for note in result.notes:
        if note.code in _WARNINGS:
            st.warning(escape(_words(note)), icon=":material/rule:")
        else:
            small.append(escape(_words(note)))
    if small:
        st.caption("  \n".join(small))


def _words(note: Note) -> str:
    values = dict(note.values)
    formula = values.get("formula", "")
    if note.code == "column":
        values["column"] = columns.heading(formula)
    elif formula:
        values["sentence"] = sentence(formula)
    if "inputs" in values:
        values["inputs"] = ", ".join(label(name, language()) for name in values["inputs"].split(", "))
    if "flag" in values:
        values["flag"] = _(EXCLUSIONS[values["flag"]])
    return _(_NOTES[note.code]).format(**values)


def condition_counts(result: ScreenResult) -> None:
    """Each condition: how many stocks meet it, how many do not, how many cannot be judged, and what it costs."""
    relaxed = result.relaxed()
    rows = [
        {
            "id": one.id,
            "condition": sentence(one.formula),
            "share": one.true / result.universe if result.universe else None,
            "true": one.true,
            "false": one.false,
            "unknown": one.unknown,
            "without": relaxed.get(one.id),
        }
        for one in result.conditions
    ]
    number = st.column_config.NumberColumn
    config: dict[str, Any] = {
        "id": st.column_config.TextColumn(_("Rule"), width="small"),
        "condition": st.column_config.TextColumn(_("Condition"), width="large"),
        "share": st.column_config.ProgressColumn(_("Share"), format="percent", min_value=0, max_value=1),
        "true": number(_("Yes"), format="localized"),
        "false": number(_("No"), format="localized"),
        "unknown": number(_("Unknown"), format="localized", help=_("A value is missing; such a stock never matches.")),
    }
    if relaxed:
        config["without"] = number(
            _("Without it"), format="localized", help=_("Stocks that would match if this condition were dropped.")
        )
    with st.expander(_("How each condition fared"), icon=":material/rule:", key="screener_counts"):
        st.dataframe(rows, hide_index=True, height="content", column_config=config, column_order=list(config))


def nothing_found(result: ScreenResult) -> None:
    """No row: which condition would have to give way."""
    hint = _("That can be right; it is one day only.")
    relaxed = result.relaxed()
    if relaxed:
        letter = max(relaxed, key=relaxed.__getitem__)
        if relaxed[letter]:
            hint = _("Without condition {letter}, {count} stocks would match.").format(
                letter=letter, count=fmt.count(relaxed[letter])
            )
    blocks.empty(_("No stock meets these conditions on this day."), hint, icon=":material/search_off:")


def table(result: ScreenResult) -> None:
    """The stocks, sortable; choosing one shows it below."""
    if not result.rows.height:
        nothing_found(result)
        return
    frame, config = _shown(result)
    st.dataframe(
        frame,
        hide_index=True,
        key=_TABLE,
        on_select=_choose(result.rows["symbol"]),
        selection_mode="single-row",
        height="content" if frame.height <= 12 else 470,
        placeholder=fmt.DASH,
        column_config=config,
        column_order=list(config),
    )


def _choose(symbols: pl.Series) -> Callable[[], None]:
    def chosen() -> None:
        picked = st.session_state[_TABLE]["selection"]["rows"]
        st.session_state[STOCK] = symbols[picked[0]] if picked and picked[0] < len(symbols) else None

    return chosen


def _shown(result: ScreenResult) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The rows as they are shown, and how each column is drawn."""
    text = st.column_config.TextColumn
    config: dict[str, Any] = {
        "name": text(_("Name"), pinned=True),
        "symbol": text(_("Symbol"), width="small"),
        "close_krw": st.column_config.NumberColumn(f"{_('Closing price')} ({_('KRW')})", format="localized"),
    }
    values = [result.rows[name] for name in config]
    if "score" in result.rows.columns:
        config["score"] = st.column_config.NumberColumn(_("Score"), format="%.3f")
        values.append(result.rows["score"])
    for formula in result.columns:
        shown = columns.shown_column(formula, result.rows[formula])
        config[formula] = shown.config
        values.append(shown.values.alias(formula))
    if not result.all_must_hold:
        for one in result.conditions:
            config[one.id] = st.column_config.CheckboxColumn(one.id, help=sentence(one.formula), width="small")
            values.append(result.rows[one.id])
    config |= {"market": text(_("Market")), "sector": text(_("Sector"))}
    values += [result.rows["market"], result.rows["sector"]]
    return pl.DataFrame(values), config
