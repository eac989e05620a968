"""What came out of a sweep: the plateau in words, the map, the table, and each variant as a run or a strategy."""

from __future__ import annotations

from typing import Any, Final, Literal

import polars as pl
import streamlit as st

from stocklab.backtest import METRICS
from stocklab.caches import Group, remember
from stocklab.errors import StockLabError
from stocklab.market.panel import PriceBasis
from stocklab.portfolios import BacktestOrder, SweepOrder
from stocklab.research.sweep_store import StoredSweep
from stocklab.research.sweep_view import Plateau, best_first, heat_map, plateau_of, table_of
from stocklab.research.variants import strategy_with
from stocklab.strategy import Strategy
from stocklab.strategy.sweep import Sweep
from stocklab.ui import blocks, cached, charts, identity, navigation, text
from stocklab.ui import format as fmt
from stocklab.ui.builder import state
from stocklab.ui.builder.fields import escape
from stocklab.ui.result.headline import metric_value
from stocklab.ui.sweeps.names import is_percent, metric_name, number_names, value_text
from stocklab.ui.text import N_, _, language

__all__ = ["sweep_result"]

SHOWN: Final = ("cagr", "max_drawdown", "sharpe", "win_rate", "turnover")
SKIPS: Final = {
    "requirement": N_("Order of two numbers not kept"),
    "document": N_("Not a valid strategy"),
    "same": N_("The same strategy as another"),
    "cannot_buy": N_("Could never buy on this data"),
}
Others = Literal["best", "median"]
OTHERS: Final[dict[Others, str]] = {
    "best": N_("Best of the rest"),
    "median": N_("Median of the rest"),
}


def sweep_result(sweep_id: str) -> None:
    """A stored sweep of the owner's, whole or as far as it came.

    Raises
    ------
    ResultNotFound
        None of that id is stored, or it is somebody else's.
    """
    sweeps = cached.lab().sweeps
    stored = cached.lab().own_sweeps.get(identity.owner_id(), sweep_id)
    table, ranked, plateau = _judged(str(sweeps.root), sweep_id, sweeps.settled(sweep_id))
    _head(stored)
    missing = table.filter((pl.col("code") == "") & pl.col("n_trades").is_null()).height
    if missing:
        _unfinished(stored, missing, table.height)
    if not ranked.height:
        blocks.empty(_("No variant has run."), _("See below why they were skipped."))
        _skipped(table)
        return
    _warning(stored.sweep)
    _plateau(stored, table, plateau, ranked)
    if len(stored.sweep.parameters) > 1:
        _map(stored.sweep, table, plateau)
    _table(stored, ranked, plateau)
    _skipped(table)


@remember("sweeps", Group.RESULT, 8)
def _judged(root: str, sweep_id: str, settled: int) -> tuple[pl.DataFrame, pl.DataFrame, Plateau | None]:
    """The table, the best first, and the plateau; thousands of variants take a second to judge, once."""
    sweeps = cached.lab().sweeps
    sweep = sweeps.load(sweep_id).sweep
    table = table_of(sweep, sweeps.rows(sweep_id))
    return table, best_first(sweep, table), plateau_of(sweep, table)


def _head(stored: StoredSweep) -> None:
    sweep = stored.sweep
    st.title(escape(sweep.strategy.name), anchor=False)
    labels = [
        blocks.badge(f"{sweep.start} – {sweep.end}", "date_range"),
        blocks.badge(fmt.krw(sweep.cash_krw, language()), "account_balance_wallet"),
        blocks.basis_badge(str(stored.facts["basis"])),
    ]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(width="content"):
            blocks.badges([*labels, blocks.demo_badge()] if stored.facts["synthetic"] else labels)
        if st.button(_("Delete"), key="sweep_delete", icon=":material/delete:", type="tertiary"):
            _delete(stored)


def _delete(stored: StoredSweep) -> None:
    @st.dialog(_("Delete this sweep?"))
    def dialog() -> None:
        st.markdown(_("Its table goes. The number of variants tried stays, and so do runs opened from it."))
        with st.container(horizontal=True):
            if st.button(_("Delete"), type="primary", key="sweep_delete_confirm", icon=":material/delete:"):
                try:
                    cached.lab().own_sweeps.delete(identity.owner_id(), stored.id)
                except StockLabError as error:
                    st.error(text.for_error(error))
                else:
                    navigation.go("sweeps")
            if st.button(_("Keep"), key="sweep_delete_refuse"):
                st.rerun()

    dialog()


def _unfinished(stored: StoredSweep, missing: int, total: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        words = _("{missing} of {total} variants have not run yet.")
        st.info(words.format(missing=fmt.count(missing), total=fmt.count(total)), icon=":material/hourglass_bottom:")
        if st.button(_("Go on"), key="sweep_go_on", icon=":material/replay:", type="primary"):
            lab = cached.lab()
            order = SweepOrder(
                document=stored.sweep.model_dump(mode="json"), basis=PriceBasis(str(stored.facts["basis"]))
            )
            navigation.go("sweeps", job=lab.jobs.submit(identity.owner_id(), order))


def _warning(sweep: Sweep) -> None:
    """How many variants of the idea were tried, and what that means."""
    lab = cached.lab()
    tried = lab.ideas.count(identity.owner_id(), sweep.strategy)
    if tried > 1:
        words = _(
            "**{count} variants of this idea were tried.** The best of so many looks better than it will turn out: a "
            "part of it is luck. Trust the plateau more than the peak, and test the choice on days it has not seen."
        )
        st.warning(words.format(count=fmt.count(tried)), icon=":material/casino:")


def _plateau(stored: StoredSweep, table: pl.DataFrame, plateau: Plateau | None, ranked: pl.DataFrame) -> None:
    sweep = stored.sweep
    best = ranked.row(0, named=True)
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch", key="sweep_plateau"):
        st.markdown(f"#### :material/landscape: {_('Plateau')}")
        if plateau is None:
            st.markdown(_("No variant has neighbours enough to judge a plateau."))
        else:
            row = table.row(plateau.number - 1, named=True)
            st.markdown(_values(sweep, row))
            near = _(
                "{metric} {own}. The {count} variants up to one step away have a median of {median} (from {lowest} to "
                "{highest}): here the result hangs least on the exact numbers."
            )
            nearest = _(
                "{metric} {own}. The median of its {count} nearest variants is {median} (from {lowest} to {highest}): "
                "here the result hangs least on the exact numbers."
            )
            words = near if sweep.method == "grid" else nearest
            st.markdown(
                words.format(
                    metric=metric_name(sweep.objective),
                    own=_shown(sweep.objective, plateau.own),
                    count=plateau.neighbours,
                    median=_shown(sweep.objective, plateau.median),
                    lowest=_shown(sweep.objective, plateau.lowest),
                    highest=_shown(sweep.objective, plateau.highest),
                )
            )
            _open_buttons(stored, row, "plateau")
    with right, st.container(border=True, height="stretch", key="sweep_best"):
        st.markdown(f"#### :material/trophy: {_('Highest')}")
        st.markdown(_values(sweep, best))
        if best["compared"] is None:
            st.markdown(_("No variant has closed trades enough to be compared."))
        else:
            words = _("{metric} {own}, with {trades} closed trades.")
            st.markdown(
                words.format(
                    metric=metric_name(sweep.objective),
                    own=_shown(sweep.objective, best["compared"]),
                    trades=fmt.count(best["n_trades"]),
                )
            )
        _open_buttons(stored, best, "best")


def _values(sweep: Sweep, row: dict[str, Any]) -> str:
    names = number_names(sweep.strategy)
    found = []
    for parameter in sweep.parameters:
        path = parameter.paths[0]
        found.append(f"- {escape(names.get(path, path))} → **{escape(value_text(path, row[path]))}**")
    return "\n".join(found)


def _shown(metric: str, value: float | None) -> str:
    return metric_value(METRICS[metric].unit, value, language())


def _open_buttons(stored: StoredSweep, row: dict[str, Any], key: str) -> None:
    with st.container(horizontal=True, gap="small"):
        if st.button(_("Open as a backtest"), key=f"sweep_run_{key}", icon=":material/monitoring:"):
            _open_run(stored, row)
        if st.button(_("Edit in the builder"), key=f"sweep_edit_{key}", icon=":material/tune:"):
            sweep = stored.sweep
            state.load(_strategy(sweep, row), start=sweep.start, end=sweep.end)
            navigation.go("builder")


def _strategy(sweep: Sweep, row: dict[str, Any]) -> Strategy:
    return strategy_with(sweep, tuple(row[parameter.paths[0]] for parameter in sweep.parameters))


def _open_run(stored: StoredSweep, row: dict[str, Any]) -> None:
    lab, sweep = cached.lab(), stored.sweep
    order = BacktestOrder(
        document=_strategy(sweep, row).model_dump(mode="json"),
        start=sweep.start,
        end=sweep.end,
        initial_cash_krw=sweep.cash_krw,
        basis=PriceBasis(str(stored.facts["basis"])),
    )
    try:
        job_id = lab.jobs.submit(identity.owner_id(), order)
    except StockLabError as error:
        st.error(text.for_error(error))
        return
    navigation.go("results", job=job_id)


def _map(sweep: Sweep, table: pl.DataFrame, plateau: Plateau | None) -> None:
    st.markdown(f"#### {_('Map of two numbers')}")
    names = number_names(sweep.strategy)
    places = list(range(len(sweep.parameters)))

    def name(place: int) -> str:
        path = sweep.parameters[place].paths[0]
        return names.get(path, path)

    first, second, third = st.columns([1, 1, 0.8], vertical_alignment="bottom")
    x = first.selectbox(_("Across"), places, index=0, format_func=name, key="sweep_x_choice")
    y = second.selectbox(_("Down"), places, index=1, format_func=name, key="sweep_y_choice")
    others = third.selectbox(
        _("All other numbers"), list(OTHERS), format_func=lambda key: _(OTHERS[key]), key="sweep_others_choice"
    )
    if x == y:
        st.info(_("Choose two different numbers."), icon=":material/touch_app:")
        return
    found = heat_map(sweep, table, x, y, others=others)
    if not len(found.x) or not len(found.y):
        st.caption(_("No variant has closed trades enough to be compared."))
        return
    percent = METRICS[sweep.objective].unit == "fraction"
    figure = charts.sweep_map(
        tuple(_label(sweep, x, label) for label in found.x),
        tuple(_label(sweep, y, label) for label in found.y),
        100 * found.values if percent else found.values,
        found.counts,
        titles=(name(x), name(y)),
        percent=percent,
        lower_is_better=sweep.lower_is_better,
        marked=None if plateau is None else found.cells.get(plateau.number),
    )
    st.plotly_chart(figure, config=charts.CONFIG, key="chart_sweep_map")
    st.caption(
        _("{metric}; ★ = the plateau; an empty cell has no variant that is compared.").format(
            metric=metric_name(sweep.objective)
        )
    )


def _label(sweep: Sweep, place: int, label: str) -> str:
    if not is_percent(sweep.parameters[place].paths[0]):
        return label
    return "–".join(f"{round(100 * float(part), 4):g}%" for part in label.split("–"))


def _table(stored: StoredSweep, ranked: pl.DataFrame, plateau: Plateau | None) -> None:
    sweep = stored.sweep
    st.markdown(f"#### {_('All variants, the best first')}")
    names = number_names(sweep.strategy)
    shown = list(dict.fromkeys([sweep.objective, *SHOWN]))
    data: dict[str, Any] = {
        "mark": ["★" if plateau is not None and number == plateau.number else "" for number in ranked["number"]],
        "number": ranked["number"],
    }
    columns: dict[str, Any] = {
        "mark": st.column_config.TextColumn(" ", help=_("★ = the plateau"), width=28),
        "number": st.column_config.NumberColumn(_("No."), width="small"),
    }
    for parameter in sweep.parameters:
        path = parameter.paths[0]
        data[path] = ranked[path] * (100.0 if is_percent(path) else 1.0)
        columns[path] = st.column_config.NumberColumn(
            names.get(path, path), format="%.6g%%" if is_percent(path) else "%.8g"
        )
    for key in shown:
        percent = METRICS[key].unit == "fraction"
        data[key] = ranked[key] * (100.0 if percent else 1.0)
        columns[key] = st.column_config.NumberColumn(metric_name(key), format="%.2f%%" if percent else "%.3f")
    data["n_trades"] = ranked["n_trades"]
    columns["n_trades"] = st.column_config.NumberColumn(metric_name("n_trades"), format="%,d")
    chosen = st.dataframe(
        pl.DataFrame(data),
        hide_index=True,
        key=f"sweep_table_{stored.id[:8]}",
        on_select="rerun",
        selection_mode="single-row",
        height="content" if ranked.height <= 12 else 460,
        placeholder=fmt.DASH,
        column_config=columns,
    )
    if ranked["compared"].null_count():
        words = _("{count} variants with fewer than {least} closed trades come last and are not compared.")
        st.caption(words.format(count=fmt.count(ranked["compared"].null_count()), least=sweep.least_trades))
    picked = chosen["selection"]["rows"] if chosen else []
    if picked and picked[0] < ranked.height:
        row = ranked.row(picked[0], named=True)
        with st.container(border=True, key="sweep_picked"):
            st.markdown(f"**{_('Variant {number}').format(number=row['number'])}**\n\n{_values(sweep, row)}")
            _open_buttons(stored, row, "picked")
    else:
        st.caption(_("Choose a row to open that variant."))


def _skipped(table: pl.DataFrame) -> None:
    skipped = table.filter(pl.col("code") != "")
    if not skipped.height:
        return
    words = _("{count} combinations were skipped").format(count=fmt.count(skipped.height))
    with st.expander(words, icon=":material/block:"):
        for code, count in skipped.group_by("code").len().sort("code").iter_rows():
            example = skipped.filter(pl.col("code") == code)["reason"][0]
            st.markdown(f"- {_(SKIPS.get(code, code))}: **{fmt.count(count)}** · {escape(example)}")
