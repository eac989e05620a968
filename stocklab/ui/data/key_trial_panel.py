"""Trying the key of a source: the button, how the newest trial ended, and who must run for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import streamlit as st

from stocklab.operations import SourceLine
from stocklab.operations.key_trials import KeyTrial, KeyVerdict, ask_trial, key_trials
from stocklab.ui import blocks, cached, identity
from stocklab.ui import format as fmt
from stocklab.ui.background_words import told
from stocklab.ui.builder.fields import escape
from stocklab.ui.data.lookups import Desk
from stocklab.ui.text import N_, _

__all__ = ["trial_badge", "trial_panel", "watch_trials"]

_TICK_SECONDS: Final = 1.0
_LONGEST: Final = 400
_BADGES: Final[Mapping[KeyVerdict, tuple[str, str, str]]] = MappingProxyType(
    {
        KeyVerdict.WORKS: (N_("Key works"), "key", "green"),
        KeyVerdict.REFUSED: (N_("Key refused"), "key_off", "red"),
        KeyVerdict.UNASKED: (N_("Key could not be tried"), "key", "orange"),
    }
)


def trial_badge(trial: KeyTrial) -> str:
    """The outcome in two words, for the head of the source."""
    if trial.verdict is None:
        return blocks.badge(_("Key is being tried"), "hourglass_top")
    words, icon, colour = _BADGES[trial.verdict]
    return blocks.badge(_(words), icon, colour)


def trial_panel(line: SourceLine, desk: Desk) -> None:
    """Beside the fields of a source that is on: what the newest trial said and when, and a button for another."""
    name, alive = line.source.name, desk.scheduler.alive
    trial = desk.trials.get(name)
    if trial is not None:
        _outcome(trial, alive=alive)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        live = trial is not None and trial.verdict is None
        pressed = st.button(_("Try the key"), key=f"try_{name}", icon=":material/network_check:", disabled=live)
        if alive:
            st.caption(_("Asks the source one question with what is set; a key that is saved is tried by itself."))
        else:
            st.caption(_("The background process tries it, and is not running: start it with `stocklab up`."))
    if pressed:
        with blocks.guarded():
            lab = cached.lab()
            ask_trial(lab.intents, identity.owner_id(), name)
            st.rerun()


def watch_trials(desk: Desk) -> None:
    """Look every second while a trial lives; its end runs the whole page once. Draws nothing."""
    before = _states(desk.trials)
    if not any(live for _id, live in before):
        return

    @st.fragment(run_every=_TICK_SECONDS)
    def tick() -> None:
        lab = cached.lab()
        if _states(key_trials(lab.intents, desk.sources, desk.scheduler.leader)) != before:
            st.rerun()

    tick()


def _states(trials: Mapping[str, KeyTrial]) -> list[tuple[str, bool]]:
    return [(trial.intent.id, trial.verdict is None) for trial in trials.values()]


def _outcome(trial: KeyTrial, *, alive: bool) -> None:
    moment = fmt.moment(trial.at)
    if trial.verdict is None:
        if trial.waits and not alive:
            words = _("Waits to be tried since {moment}: the background process is not running.")
        else:
            words = _("Being tried since {moment}.")
        st.info(words.format(moment=moment), icon=":material/hourglass_top:")
        return
    title, show, icon = _OUTCOMES[trial.verdict]
    reason = escape(told(trial.reason)[:_LONGEST])
    show(f"**{_(title).format(moment=moment)}** {reason}".strip(), icon=icon)


_OUTCOMES: Final[Mapping[KeyVerdict, tuple[str, Callable[..., object], str]]] = MappingProxyType(
    {
        KeyVerdict.WORKS: (N_("Tried {moment}: the key works."), st.success, ":material/check_circle:"),
        KeyVerdict.REFUSED: (N_("Tried {moment}: the key is refused."), st.error, ":material/key_off:"),
        KeyVerdict.UNASKED: (
            N_("Tried {moment}: the source could not be asked, so nothing is known of the key."),
            st.warning,
            ":material/cloud_off:",
        ),
    }
)
