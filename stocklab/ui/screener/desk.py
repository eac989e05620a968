"""The screen being edited: where it came from, which day is judged, what a link asks for."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import streamlit as st

from stocklab.strategy import Strategy, find_preset, parse_document
from stocklab.strategy.screen import Screen, parse_screen, parse_screen_or_strategy, screen_of, strategy_of
from stocklab.ui import cached, identity
from stocklab.ui.builder import draft, state
from stocklab.ui.screener.examples import EXAMPLES
from stocklab.ui.text import _, language

__all__ = [
    "as_strategy",
    "blank",
    "choose_day",
    "day",
    "follow_link",
    "open_example",
    "open_preset",
    "open_saved",
    "open_text",
    "ordering",
]

SCREENER: Final = "screener"
DAY: Final = "date"


def blank() -> None:
    """Start anew."""
    _forget_link()
    state.load_screen(draft.blank_screen())


def open_example(example_id: str) -> None:
    """Start from one of the examples."""
    example = EXAMPLES[example_id]
    chosen = parse_screen(example.document).model_copy(update={"name": _(example.name)})
    _load(chosen, ("example", example_id))


def open_preset(preset_id: str) -> None:
    """Show what a preset would buy.

    Raises
    ------
    InputError
        There is no such preset.
    """
    preset = find_preset(preset_id)
    named = preset.strategy.model_copy(update={"name": preset.name(language())})
    _load(screen_of(named), ("preset", preset_id), strategy=named)


def open_saved(strategy_id: str) -> None:
    """Show what a saved strategy would buy.

    Raises
    ------
    StrategyNotFound
        There is no such strategy.
    """
    lab = cached.lab()
    saved = lab.strategies.get(identity.owner_id(), strategy_id).strategy()
    _load(screen_of(saved), ("strategy", strategy_id), strategy=saved)


def open_text(text: str) -> None:
    """Open a document: a screen, or a strategy, of which the hits are shown.

    Raises
    ------
    DocumentError
        With every fault of it.
    """
    found = parse_screen_or_strategy(text)
    if isinstance(found, Strategy):
        _load(screen_of(found), None, strategy=found)
    else:
        _load(found, None)


def _load(chosen: Screen, link: tuple[str, str] | None, **origin: Any) -> None:
    _forget_link()
    if link is not None:
        st.query_params[link[0]] = link[1]
    document = draft.full(chosen)
    state.load_screen(document, loaded=document, link=link, **origin)


_OPENERS: Final = {"preset": open_preset, "strategy": open_saved, "example": open_example}


def _forget_link() -> None:
    for kind in _OPENERS:
        st.query_params.pop(kind, None)


def follow_link() -> None:
    """Open what the address names, once; a screen that was changed since is no longer what its address says.

    Raises
    ------
    InputError
        The address names what is not there.
    """
    editing = state.session(SCREENER)
    asked = next(((kind, st.query_params[kind]) for kind in _OPENERS if kind in st.query_params), None)
    if asked is None:
        return
    if editing.get("link") != asked:
        if asked[0] == "example" and asked[1] not in EXAMPLES:
            _forget_link()
            return
        try:
            _OPENERS[asked[0]](asked[1])
        except BaseException:
            _forget_link()
            raise
    elif editing["document"] is not editing.get("loaded"):
        editing["link"] = None
        _forget_link()


def ordering() -> Strategy | None:
    """The strategy whose order of purchase the table follows: the one opened, while its conditions stand unchanged."""
    editing = state.session(SCREENER)
    strategy, loaded, document = editing.get("strategy"), editing.get("loaded"), editing["document"]
    if strategy is None or loaded is None or document["sort"] is not None:
        return None
    same = all(document[part] == loaded[part] for part in ("universe", "conditions"))
    return strategy if same else None


def as_strategy(chosen: Screen, name: str) -> Strategy:
    """What is to be tested or saved: the strategy that was opened, else one made of the screen."""
    opened = ordering()
    if opened is None:
        return strategy_of(chosen, name)
    return parse_document(opened.model_dump(mode="json") | {"name": name})


def day() -> date | None:
    """The day chosen; None is the last session of the data."""
    editing = state.session(SCREENER)
    if "on" not in editing or (editing["on"] is None and DAY in st.query_params):
        editing["on"] = _day_of_link()
    found: date | None = editing["on"]
    return found


def _day_of_link() -> date | None:
    span = cached.span()
    try:
        asked = date.fromisoformat(st.query_params.get(DAY, ""))
    except ValueError:
        return None
    return asked if span is not None and span[0] <= asked <= span[1] else None


def choose_day(chosen: date | None) -> None:
    """Judge another day; the link follows."""
    span = cached.span()
    latest = chosen is None or (span is not None and chosen == span[1])
    state.session(SCREENER)["on"] = None if latest else chosen
    if latest or chosen is None:
        st.query_params.pop(DAY, None)
    else:
        st.query_params[DAY] = chosen.isoformat()
