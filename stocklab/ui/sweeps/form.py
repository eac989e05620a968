"""What is varied, how, over which days; the number of variants and the time it takes are said before it starts."""

from __future__ import annotations

import math
from typing import Any, Final, get_args

import streamlit as st

from stocklab.errors import DocumentError, StockLabError
from stocklab.portfolios import SweepOrder
from stocklab.research.estimate import Estimate, estimate
from stocklab.strategy import PRESETS, Strategy
from stocklab.strategy.numbers import Number
from stocklab.strategy.sweep import Objective, Sweep, parse_sweep
from stocklab.ui import blocks, cached, identity, navigation, text
from stocklab.ui import format as fmt
from stocklab.ui.builder import state
from stocklab.ui.builder.fields import escape
from stocklab.ui.builder.period import chosen_range, period_fields
from stocklab.ui.builder.toolbar import load_preset, open_saved
from stocklab.ui.sweeps.names import is_percent, metric_name, number_names, offered, value_text
from stocklab.ui.text import N_, _, fault_text, language

__all__ = ["sweep_form"]

MOST_CHOSEN: Final = 6
METHODS: Final = {
    "grid": N_("Every combination"),
    "latin_hypercube": N_("Even sample (Latin hypercube)"),
    "random": N_("Random sample"),
}
_LEAST_COUNT: Final = 10


def sweep_form() -> None:
    """The form; a press on Start opens the progress."""
    _strategy_line()
    strategy = state.strategy()
    if strategy is None:
        st.warning(_("The strategy has settings to correct."), icon=":material/warning:")
        navigation.link("builder", _("Open the builder"), icon=":material/tune:")
        return
    known = {number.path: number for number in offered(strategy)}
    names = number_names(strategy)
    if not known:
        blocks.empty(_("This strategy has no number to vary."), _("Choose another, or add a condition in the builder."))
        return
    chosen = _choose(strategy, known, names)
    parameters = [_range(known[path], names, _same(known[path], known, chosen)) for path in chosen]
    requires = _requirements(chosen, known, names)
    method = _method()
    with st.expander(_("Range and comparison"), icon=":material/date_range:", expanded=False):
        period_fields()
        objective, least = _comparison()
    span = chosen_range()
    if not chosen or span is None:
        st.info(_("Choose at least one number."), icon=":material/touch_app:")
        return
    document = {
        "strategy": strategy.model_dump(mode="json"),
        "parameters": parameters,
        "requires": requires,
        **method,
        "start": span[0].isoformat(),
        "end": span[1].isoformat(),
        "objective": objective,
        "least_trades": least,
    }
    _start(document)


def _strategy_line() -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="sweep_toolbar"):
        st.markdown(f"**{escape(str(state.document().get('name', '')))}**", width="content")
        with st.popover(_("Choose another strategy"), icon=":material/folder_open:", key="sweep_open"):
            presets = {key: preset.name(language()) for key, preset in PRESETS.items()}
            preset = st.selectbox(
                _("Preset"), list(presets), format_func=presets.__getitem__, key="sweep_preset_choice"
            )
            st.button(_("Use this preset"), key="sweep_use_preset", on_click=load_preset, args=(preset,))
            lab = cached.lab()
            saved = {one.id: one.name for one in lab.strategies.list(identity.owner_id())}
            if saved:
                one = st.selectbox(
                    _("My strategies"), list(saved), format_func=saved.__getitem__, key="sweep_saved_choice"
                )
                st.button(_("Use this strategy"), key="sweep_use_saved", on_click=open_saved, args=(one,))
        navigation.link("builder", _("Edit in the builder"), icon=":material/tune:")


def _choose(strategy: Strategy, known: dict[str, Number], names: dict[str, str]) -> list[str]:
    """Paths of the numbers that are varied."""
    default = [path for path in known if "formula#" in path and path.startswith("entry")][:2]
    key = f"sweep_numbers_{abs(hash(tuple(known)))}"
    chosen: list[str] = st.multiselect(
        _("Numbers to vary"),
        list(known),
        default=default or list(known)[:1],
        format_func=lambda path: names.get(path, path),
        max_selections=MOST_CHOSEN,
        key=key,
        help=_("The number in brackets is the one that changes. Fewer numbers give an answer that is easier to trust."),
    )
    return chosen


def _same(number: Number, known: dict[str, Number], chosen: list[str]) -> list[str]:
    """Other places of the same window of the same factor, such as every 14 of ``rsi_14``."""
    word = number.formula[number.position : number.position + number.length]
    if not word[:1].isalpha():
        return []
    return [
        path
        for path, other in known.items()
        if path not in chosen
        and other.value == number.value
        and other.formula[other.position : other.position + other.length] == word
    ]


def _range(number: Number, names: dict[str, str], same: list[str]) -> dict[str, Any]:
    """First and last value and step of a number, and whether the same window changes elsewhere too."""
    low, high, step = _suggested(number)
    factor = 100.0 if is_percent(number.path) else 1.0
    whole = number.whole and factor == 1.0
    kind: Any = int if whole else float
    with st.container(border=True, gap="xsmall", key=f"sweep_range_{abs(hash(number.path))}"):
        now = value_text(number.path, number.value or 0.0)
        st.markdown(f"**{escape(names[number.path])}** · {_('now {value}').format(value=escape(now))}")
        with st.grid(3, min_column_width=90, gap="small"):
            found = []
            for which, label, value in (
                ("from", _("First value"), low),
                ("to", _("Last value"), high),
                ("step", _("Step"), step),
            ):
                found.append(
                    st.number_input(
                        label,
                        value=kind(round(factor * value, 6)),
                        min_value=kind(0) if which == "step" else None,
                        format=None if whole else "%.10g",
                        key=f"sweep_{which}_{number.path}_{number.value}",
                    )
                )
        paths = [number.path]
        if same:
            words = _("The same window elsewhere too: {places}").format(
                places=escape(", ".join(names[path] for path in same))
            )
            if st.checkbox(words, value=True, key=f"sweep_same_{number.path}"):
                paths += same
    start, stop, every = (value if whole else round(float(value or 0) / factor, 10) for value in found)
    return {"paths": paths, "start": start, "stop": stop, "step": every or None}


def _suggested(number: Number) -> tuple[float, float, float]:
    """Half to one and a half of the value as it is, in about five round steps."""
    value = number.value or 0.0
    if value == 0:
        return (-10.0, 10.0, 5.0) if number.formula else (0.0, 4.0, 1.0)
    step = _rounded(abs(value) / 4)
    if number.whole:
        step = max(1.0, round(step))
    low = value - 2 * step
    if value > 0 and low <= 0:
        low = step if not number.whole else max(1.0, value - step * math.floor((value - 1) / step))
    return round(low, 10), round(value + 2 * step, 10), step


def _rounded(value: float) -> float:
    """The nearest of 1, 2, 2.5 or 5 times a power of ten below.

    >>> _rounded(15.0), _rounded(0.025), _rounded(3.4)
    (10.0, 0.025, 2.5)
    """
    size = 10.0 ** math.floor(math.log10(value))
    return round(max(part for part in (1.0, 2.0, 2.5, 5.0) if part * size <= value * (1 + 1e-9)) * size, 12)


def _requirements(chosen: list[str], known: dict[str, Number], names: dict[str, str]) -> list[dict[str, str]]:
    """Windows of one formula that must keep their order."""
    found = []
    for place, path in enumerate(chosen):
        for other in chosen[place + 1 :]:
            one, two = known[path], known[other]
            same = one.formula and one.path.split("#")[0] == two.path.split("#")[0]
            if not same or not (one.whole and two.whole) or one.value is None or two.value is None:
                continue
            small, large = (one, two) if one.value <= two.value else (two, one)
            words = _("Skip where {small} is not below {large}").format(
                small=escape(names[small.path]), large=escape(names[large.path])
            )
            if st.checkbox(words, value=True, key=f"sweep_require_{path}_{other}"):
                found.append({"smaller": small.path, "larger": large.path})
    return found


def _method() -> dict[str, Any]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        method = (
            st.segmented_control(
                _("Which combinations"),
                list(METHODS),
                format_func=lambda key: _(METHODS[key]),
                default="grid",
                required=True,
                wrap=True,
                key="sweep_method_choice",
            )
            or "grid"
        )
        if method == "grid":
            return {"method": method}
        count = st.number_input(_("How many"), min_value=_LEAST_COUNT, max_value=20_000, value=200, key="sweep_count")
        seed = st.number_input(
            _("Seed"), min_value=0, max_value=999_999, value=0, key="sweep_seed", help=_("Same seed, same variants.")
        )
    return {"method": method, "count": int(count), "seed": int(seed)}


def _comparison() -> tuple[str, int]:
    left, right = st.columns(2)
    objective = left.selectbox(
        _("Compare by"),
        list(get_args(Objective)),
        index=list(get_args(Objective)).index("sharpe"),
        format_func=metric_name,
        key="sweep_objective_choice",
    )
    least = right.number_input(
        _("Compare only with at least so many closed trades"),
        min_value=0,
        max_value=100_000,
        value=30,
        key="sweep_least",
    )
    return objective, int(least)


def _start(document: dict[str, Any]) -> None:
    """What it will take, or what is wrong with it, and the button."""
    try:
        sweep = parse_sweep(document)
    except DocumentError as error:
        lines = [f"- {fault_text(fault.code, fault.message)}" for fault in error.faults]
        st.warning("\n".join(lines), icon=":material/warning:")
        return
    size = _size(sweep)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if st.button(_("Start the sweep"), key="start_sweep", type="primary", icon=":material/play_arrow:"):
            _submit(document)
        st.markdown(
            _("**{count} variants**, about {seconds}").format(
                count=fmt.count(size.variants), seconds=_time(size.seconds)
            ),
            width="content",
        )


def _size(sweep: Sweep) -> Estimate:
    lab = cached.lab()
    panel = lab.panel(None, sweep.start, sweep.end, sweep.strategy.statements)
    first, last = panel.span(sweep.start, sweep.end)
    return estimate(sweep, n_sessions=last - first, n_symbols=panel.n_symbols, threads=lab.settings.engine_threads)


def _time(seconds: float) -> str:
    if seconds < 90:
        return fmt.counted(math.ceil(seconds), _("1 second"), _("{count} seconds"))
    return _("{count} minutes").format(count=fmt.count(math.ceil(seconds / 60)))


def _submit(document: dict[str, Any]) -> None:
    lab = cached.lab()
    try:
        job_id = lab.jobs.submit(identity.owner_id(), SweepOrder(document=document))
    except StockLabError as error:
        st.error(text.for_error(error))
        return
    navigation.go("sweeps", job=job_id)
