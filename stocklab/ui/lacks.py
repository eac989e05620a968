"""What a strategy reads that the loaded data lack, in the user's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from stocklab.backtest import Coverage, Lack
from stocklab.strategy import LookBack, Strategy, longest_look_back
from stocklab.strategy.labels import noun
from stocklab.strategy.words import describe_value
from stocklab.ui import cached
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import N_, _, language

__all__ = ["history_note", "lack_of", "lack_sentences", "missing_names", "show_lacks", "show_short_history"]

_NEVER: Final = {
    "bars": N_("The strategy trades {names}, which the data lack."),
    "entry": N_("Condition {rule} can never hold: it needs {names}, which the data lack."),
    "exit": N_("Sell condition {rule} can never hold: it needs {names}, which the data lack."),
    "ranking": N_("The ranking by {factor} cannot be computed: it needs {names}, which the data lack."),
    "universe": N_("The largest stocks cannot be told: that needs {names}, which the data lack."),
    "sizing": N_("The sizes cannot be computed: they need {names}, which the data lack."),
    "market_filter": N_("The market filter cannot be judged: it needs {names}, which the data lack."),
}
_PARTLY: Final = {
    "entry": N_("Condition {rule} is judged without {names}, which the data lack."),
    "exit": N_("Sell condition {rule} is judged without {names}, which the data lack."),
    "ranking": N_("The ranking by {factor} is computed without {names}, which the data lack."),
}


def missing_names(missing: Sequence[str], *, most: int | None = None) -> str:
    """Inputs as people call them, with commas; beyond ``most`` only their number."""
    shown = missing if most is None else missing[:most]
    names = ", ".join(noun(name, language()) for name in shown)
    rest = len(missing) - len(shown)
    return names + (" " + _("and {count} more").format(count=rest) if rest else "")


def lack_sentences(lacks: Iterable[Lack]) -> list[str]:
    """One sentence for each lack."""
    told = []
    for lack in lacks:
        sentence = _NEVER[lack.part] if lack.never else _PARTLY[lack.part]
        factor = describe_value(lack.formula, language()) if lack.part == "ranking" else ""
        told.append(_(sentence).format(rule=lack.rule, factor=factor, names=missing_names(lack.missing)))
    return told


def lack_of(row: Mapping[str, Any]) -> Lack:
    """A lack as a run card has it."""
    return Lack(**{**row, "missing": tuple(row["missing"])})


def history_note(needed: LookBack, *, coins: bool = False) -> str:
    """That the loaded history is too short for a first value, as plain text; "" where it is long enough or empty."""
    held = cached.held_sessions(coins=coins)
    if not 0 < held < needed.sessions:
        return ""
    words = (
        _("Looks back {needed} days, {held} are loaded")
        if coins
        else _("Looks back {needed} sessions, {held} are loaded")
    )
    return words.format(needed=fmt.count(needed.sessions), held=fmt.count(held))


def show_short_history(strategy: Strategy) -> None:
    """Warn of a formula that looks back further than the data go; nothing where there is none."""
    needed = longest_look_back(strategy)
    note = history_note(needed, coins=strategy.universe.of_coins)
    if note:
        formula = describe_value(needed.formula, language(), strategy.factors)
        st.warning(
            f"**{escape(note)}** "
            + _("Without more history {formula} has no value on any day.").format(formula=escape(formula)),
            icon=":material/history:",
        )


def show_lacks(found: Coverage) -> None:
    """Warn of what is missing; nothing where all is there."""
    if not found.lacks:
        return
    lines = [f"- {escape(line)}" for line in lack_sentences(found.lacks)]
    if not found.can_buy:
        lines = [
            f"**{_('On the loaded data this strategy can never buy.')}** "
            + _("Import what is missing, or change these parts."),
            "",
            *lines,
        ]
    st.warning("\n".join(lines), icon=":material/database_off:")
