"""A board: which one, what it means, filters, my place, the lines."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.data.csv_text import inert
from stocklab.ranking import Board, BoardFilter, BoardLine
from stocklab.ui import blocks, cached, identity, navigation
from stocklab.ui import format as fmt
from stocklab.ui.author import author_name
from stocklab.ui.shared import services
from stocklab.ui.shared.cards import pager
from stocklab.ui.text import N_, _, language

__all__ = ["board_filter", "board_lines", "chosen_board", "is_demo", "my_places"]

_PLACE: Final = "ranking_place"
_NAMES: Final[dict[str, str]] = {
    Board.AFTER_PUBLICATION: N_("Since publication"),
    Board.DEFLATED_SHARPE: N_("Deflated Sharpe"),
    Board.RISK_ADJUSTED: N_("Sharpe after costs"),
    Board.BACKTEST: N_("Backtest return"),
}
_MEANINGS: Final[dict[str, str]] = {
    Board.AFTER_PUBLICATION: N_(
        "Return since the day of publication, run again every session with 100,000,000 won. Nobody could fit it. "
        "Drawdown, costs and sessions are counted since that day as well."
    ),
    Board.DEFLATED_SHARPE: N_(
        "How likely the Sharpe ratio of the backtest is more than the best of as many lucky tries as its author made."
    ),
    Board.RISK_ADJUSTED: N_("Sharpe ratio of the backtest, of runs that paid commission, tax and slippage."),
    Board.BACKTEST: N_(
        "Plain total return of the backtest, as published. It rewards luck and hindsight: it is the best of many."
    ),
}
_VALUE: Final[dict[str, str]] = {
    Board.AFTER_PUBLICATION: N_("Return since publication"),
    Board.DEFLATED_SHARPE: N_("Probability of skill"),
    Board.RISK_ADJUSTED: N_("Sharpe"),
    Board.BACKTEST: N_("Total return"),
}


def chosen_board() -> Board:
    """The board in the link, and what it means."""
    names = {key: _(name) for key, name in _NAMES.items()}
    code = navigation.choice_in_url("board", names, _("Board"), default=Board.AFTER_PUBLICATION, key="ranking_type")
    if st.session_state.get("ranking_shown") != code:
        st.session_state["ranking_shown"], st.session_state[_PLACE] = code, None
    st.caption(_(_MEANINGS[code]))
    return Board(code)


def is_demo() -> bool:
    """Whether the boards of the invented market are shown: while it is loaded, unless real ones are asked for."""
    loaded = bool(cached.data_status().get("synthetic"))
    shown = st.toggle(
        _("Results on demo data"), value=loaded, key="ranking_demo", on_change=_from_the_start,
        help=_("Results on the invented market stand apart from those on real data."),
    )  # fmt: skip
    if shown:
        blocks.badges([blocks.demo_badge()])
    return bool(shown)


def board_filter() -> BoardFilter:
    """What to leave out; nothing unless something is entered."""
    with st.expander(_("Filter"), icon=":material/filter_alt:"):
        columns = st.columns(4)
        cost = _number(columns[0], _("Costs a year, at most (%)"), "ranking_cost", 0.5)
        capacity = _number(columns[1], _("Capacity, at least (100 million won)"), "ranking_capacity", 1.0)
        drawdown = _number(columns[2], _("Drawdown, at most (%)"), "ranking_drawdown", 5.0)
        sessions = _number(columns[3], _("Sessions, at least"), "ranking_sessions", 20.0)
    return BoardFilter(
        most_cost=None if cost is None else cost / 100,
        least_capacity_krw=None if capacity is None else capacity * 1e8,
        most_drawdown=None if drawdown is None else drawdown / 100,
        least_sessions=None if sessions is None else int(sessions),
    )


def my_places(board: Board, *, synthetic: bool) -> None:
    """Where the visitor's own stand among all."""
    mine = services.boards().mine(identity.owner_id(), board, synthetic=synthetic)
    if mine:
        words = _("My best: place {place}, {name}").format(place=f"{mine[0].place:,}", name=mine[0].name)
        st.info(words.replace("[", "(").replace("]", ")").replace("$", ""), icon=":material/person:")
        if len(mine) > 1:
            with st.expander(_("All my places")):
                _table(mine, board, key="ranking_mine")
    else:
        st.caption(_("None of your strategies stands on this board."))


def board_lines(board: Board, chosen: BoardFilter, *, synthetic: bool) -> None:
    """A page of the board."""
    page = services.boards().top(
        identity.owner_id(), board, synthetic=synthetic, chosen=chosen, after=st.session_state.get(_PLACE)
    )
    if page.items:
        _table(page.items, board, key="ranking_lines")
        st.caption(_("Choose a line to open it. A grave was withdrawn: it stays visible and holds no place."))
        pager(_PLACE, page.after)
    elif chosen != BoardFilter():
        blocks.empty(
            _("No strategy fits the filter."), _("Loosen a bound or clear it."), icon=":material/filter_alt_off:"
        )
    else:
        how = _("Share a strategy: it takes a finished run.")
        if board is Board.AFTER_PUBLICATION:
            how = _("A shared strategy comes here with the next session, when its first figure is known.")
        blocks.empty(_("Nobody stands on this board yet."), how)
        navigation.link("strategies", _("My strategies"), icon=":material/folder_open:")


def _table(lines: tuple[BoardLine, ...], board: Board, *, key: str) -> None:
    rows = [
        {
            "place": "✝" if line.place is None else f"{line.place:,}",
            "name": inert(line.name, "\u2060") + (" 🔒" if line.sealed else ""),
            "value": fmt.decimal(line.value) if board is Board.RISK_ADJUSTED else fmt.percent(line.value, digits=1),
            "author": author_name(line.author),
            "total_return": fmt.percent(line.total_return, digits=1),
            "cagr": fmt.percent(line.cagr, digits=1),
            "max_drawdown": fmt.percent(line.max_drawdown, digits=1),
            "cost": fmt.percent(line.cost_fraction, digits=1),
            "capacity": fmt.krw(line.capacity_krw, language()),
            "sessions": line.sessions,
            "trials": line.trials,
            "published": line.published_at,
        }
        for line in lines
    ]
    columns = st.column_config
    chosen = st.dataframe(
        rows,
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        height="content",
        column_config={
            "place": columns.TextColumn(_("Place"), width="small"),
            "name": columns.TextColumn(_("Strategy"), width="medium"),
            "value": columns.TextColumn(_(_VALUE[board])),
            "author": columns.TextColumn(_("Author")),
            "total_return": columns.TextColumn(_("Backtest return")),
            "cagr": columns.TextColumn(_("CAGR")),
            "max_drawdown": columns.TextColumn(_("Maximum drawdown")),
            "cost": columns.TextColumn(_("Costs a year")),
            "capacity": columns.TextColumn(_("Capacity")),
            "sessions": columns.NumberColumn(_("Sessions")),
            "trials": columns.NumberColumn(_("Variants tried")),
            "published": columns.DatetimeColumn(_("Published"), format="YYYY-MM-DD", timezone="Asia/Seoul"),
        },
    )
    picked = chosen["selection"]["rows"] if chosen else []
    if picked and picked[0] < len(lines):
        navigation.go("shared", publication=lines[picked[0]].publication_id)


def _number(column: st.delta_generator.DeltaGenerator, words: str, key: str, step: float) -> float | None:
    found = column.number_input(
        words, min_value=0.0, max_value=1e6, value=None, step=step, key=key, on_change=_from_the_start
    )
    return None if found is None else float(found)


def _from_the_start() -> None:
    st.session_state[_PLACE] = None
