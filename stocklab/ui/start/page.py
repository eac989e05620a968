"""The questionnaire and what it suggests."""

from __future__ import annotations

import streamlit as st

from stocklab.strategy import PRESETS
from stocklab.strategy.matching import Answers, Match, Question, match_presets
from stocklab.ui import blocks, cached, identity, navigation
from stocklab.ui.builder.fields import escape
from stocklab.ui.builder.toolbar import load_preset, preset_tags, start_run
from stocklab.ui.preset_cards import popularity_words
from stocklab.ui.start.words import FITS, QUESTIONS, SHORT
from stocklab.ui.text import _, language

__all__ = ["draw", "invitation"]


def draw() -> None:
    """The form, then three strategies with their scores and reasons."""
    if not cached.data_status().get("snapshot"):
        blocks.no_data()
        return
    owner_id = identity.owner_id()
    given = cached.lab().onboarding.answers(owner_id)
    with st.expander(_("Your answers"), expanded=given is None, icon=":material/quiz:"):
        entered = _form(given)
    if entered is not None:
        with blocks.guarded():
            cached.lab().onboarding.keep(owner_id, entered, _suggested(entered))
            st.rerun()
    if given is None:
        blocks.empty(
            _("No suggestion yet."), _("Answer the five questions above: it takes a minute."), icon=":material/quiz:"
        )
        return
    _suggestions(given)


def invitation() -> None:
    """On the home page, to somebody who has not answered: a way to a first strategy."""
    if cached.lab().onboarding.answers(identity.owner_id()) is not None:
        return
    with st.container(border=True, key="invitation"):
        st.markdown(f"**{_('New here? Five questions, three strategies')}**")
        st.caption(_("Say how long, how boldly and in what you invest, and see which published ideas fit you."))
        navigation.link("start", _("Find my strategy"), icon=":material/quiz:")


def _form(given: Answers | None) -> Answers | None:
    chosen: dict[str, object] = {}
    with st.form("questionnaire", border=False):
        for question, (words, choices) in QUESTIONS.items():
            names = {value: _(name) for value, name in choices.items()}
            before = None if given is None else list(names).index(getattr(given, question.value))
            chosen[question.value] = st.radio(
                _(words), list(names), index=before, format_func=names.__getitem__, key=f"field_{question.value}"
            )
        sent = st.form_submit_button(_("Show what fits"), type="primary", icon=":material/auto_awesome:")
    if not sent:
        return None
    if None in chosen.values():
        st.warning(_("One question is still open."), icon=":material/help:")
        return None
    return Answers.from_dict(chosen)


def _suggested(answers: Answers) -> tuple[Match, ...]:
    """The best three that the loaded data can run; where they can run none, the best three."""
    covered = cached.preset_coverage()
    usable = {key for key in PRESETS if key not in covered or covered[key].can_buy}
    return match_presets(answers, usable=usable or None)


def _suggestions(answers: Answers) -> None:
    st.subheader(_("What fits you"), anchor=False)
    with st.grid(3, min_column_width=280, gap="small"):
        for match in _suggested(answers):
            _card(match)
    st.caption(
        _(
            "The score counts how far a strategy's style fits your answers. It says nothing about its return: "
            "run it, and read the result before you trust it."
        )
    )


def _card(match: Match) -> None:
    preset, spoken = PRESETS[match.preset_id], language()
    marks = [*preset_tags(preset), *popularity_words(preset.id)]
    with st.container(border=True, key=f"suggestion_{preset.id}", height="stretch"):
        st.markdown(f"**{escape(preset.name(spoken))}**\n\n:small[:gray[{' · '.join(marks)}]]")
        st.progress(match.score / 100, text=_("Fits {score} of 100").format(score=match.score))
        st.markdown(escape(preset.words(spoken).what))
        st.markdown("  \n".join(_reason(match, question) for question in Question))
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom", height="stretch"):
            if st.button(_("Run"), key=f"run_{preset.id}", type="primary", icon=":material/play_arrow:"):
                load_preset(preset.id)
                start_run()
            if st.button(_("Look inside"), key=f"open_{preset.id}", type="tertiary"):
                load_preset(preset.id)
                navigation.go("builder")


def _reason(match: Match, question: Question) -> str:
    full = question in match.fits
    icon = ":green[:material/check:]" if full else ":gray[:material/remove:]"
    words = FITS[2 if full else min(match.points[question], 1)]
    return f"{icon} {_(SHORT[question])}: {_(words)}"
