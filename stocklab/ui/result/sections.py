"""The sections of a result page; only the chosen one is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import polars as pl
import streamlit as st

from stocklab.backtest.result import Result, in_floats
from stocklab.strategy import describe_strategy, dump, parse_document
from stocklab.ui import blocks, cached, charts, navigation
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.result import frames
from stocklab.ui.result.card import run_card
from stocklab.ui.result.cash_book import cash_book
from stocklab.ui.result.costs import costs
from stocklab.ui.result.dirty_section import dirty_line
from stocklab.ui.result.explain import explain_section
from stocklab.ui.result.open_explain import SECTION, open_explain
from stocklab.ui.result.tables import price, quantity, table, won
from stocklab.ui.result.trust import trust
from stocklab.ui.text import N_, _, language

__all__ = ["SECTIONS", "draw"]

SIDES: Final = {"": N_("Buys and sells"), "buy": N_("Buys"), "sell": N_("Sells")}
PER_PAGE: Final = 12


def overview(result: Result) -> None:
    """Curves, drawdowns, months, years and why positions were sold."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.subheader(
            _("Equity against {benchmark}").format(benchmark=result.card["benchmark"]), anchor=False, width="content"
        )
        log = st.toggle(_("Log scale"), key="equity_log")
    plot(result.run_id, "equity_log" if log else "equity")
    st.subheader(_("Monthly returns (%)"), anchor=False)
    plot(result.run_id, "monthly")
    left, right = st.columns(2)
    with left:
        st.subheader(_("Yearly returns"), anchor=False)
        plot(result.run_id, "yearly")
    with right:
        st.subheader(_("Why positions were sold"), anchor=False)
        if cached.summary(result.run_id).sale_reasons:
            plot(result.run_id, "reasons")
        else:
            st.caption(_("Nothing was sold."))
    dirty_line(result)


def plot(run_id: str, kind: cached.Kind) -> None:
    """One figure of the run."""
    st.plotly_chart(cached.figure(run_id, kind), config=charts.CONFIG, key=f"chart_{kind}")


def holdings(result: Result) -> None:
    """Positions at the close of a chosen session."""
    sessions = cached.summary(result.run_id).sessions
    chosen = st.select_slider(
        _("Session"), options=sessions, value=sessions[-1], key=f"holdings_{result.run_id}", format_func=fmt.day
    )
    found = frames.holdings(result, chosen, cached.names())
    day = in_floats(result.tables["daily"].filter(pl.col("session") == chosen))
    spoken = language()
    with st.grid(4, min_column_width=140, gap="xsmall"):
        st.metric(_("Equity"), fmt.krw(day["equity_krw"][0], spoken), border=True)
        st.metric(_("Holdings"), fmt.krw(day["holdings_krw"][0], spoken), border=True)
        st.metric(_("Cash"), fmt.krw(day["cash_krw"][0], spoken), border=True)
        st.metric(_("Stocks"), fmt.count(found.height), border=True)
    if not found.height:
        st.caption(_("Nothing was held at this close."))
        return
    table(
        found,
        {
            "symbol": st.column_config.TextColumn(_("Symbol")),
            "name": st.column_config.TextColumn(_("Name")),
            "shares": quantity(_("Shares"), result),
            "close_krw": price(_("Closing price"), result, found["close_krw"]),
            "value_krw": won(_("Market value")),
            "weight": st.column_config.ProgressColumn(_("Weight"), format="%.1f%%", min_value=0, max_value=100),
        },
        f"holdings-{chosen}.csv",
        explains=True,
        session=chosen,
    )


def _filters(key: str, more: Sequence[str] = ()) -> tuple[str | None, str, str | None]:
    """Side, a part of the symbol or name, and where ``more`` names some, a reason."""
    first, second, third = st.columns([1.2, 1.6, 1.2], vertical_alignment="bottom")
    sides = {side: _(name) for side, name in SIDES.items()}
    side = first.segmented_control(
        _("Side"), list(sides), format_func=sides.__getitem__, default="", required=True, key=f"{key}_side"
    )
    text = second.text_input(_("Symbol or name"), key=f"{key}_text", icon=":material/search:")
    reason = ""
    if more:
        reason = third.selectbox(
            _("Reason"),
            ["", *sorted(more)],
            format_func=lambda code: frames.reason_name(code) if code else _("All"),
            key=f"{key}_reason",
        )
    return side or None, text or "", reason or None


def _coded(frame: pl.DataFrame, column: str, name: Callable[[str], str]) -> pl.DataFrame:
    """The column's codes in words."""
    codes = {code: name(code) for code in frame[column].unique().to_list() if code is not None}
    return frame.with_columns(pl.col(column).replace(codes))


def trades(result: Result) -> None:
    """Every fill, with its costs and what caused it."""
    causes = result.tables["trades"]["reason"].drop_nulls().unique().to_list()
    side, text, reason = _filters("trades", causes)
    found = frames.trades(result, cached.names(), side=side, reason=reason, text=text)
    found = _coded(_coded(found, "reason", frames.reason_name), "side", _side_name)
    found = _coded(found, "rule", frames.rule_name)
    table(
        found,
        {
            "session": st.column_config.DateColumn(_("Session")),
            "symbol": st.column_config.TextColumn(_("Symbol")),
            "name": st.column_config.TextColumn(_("Name")),
            "side": st.column_config.TextColumn(_("Side")),
            "shares": quantity(_("Shares"), result),
            "price_krw": price(_("Price"), result, found["price_krw"]),
            "amount_krw": won(_("Amount")),
            "commission_krw": won(_("Commission")),
            "tax_krw": won(_("Tax")),
            "slippage_krw": won(_("Slippage")),
            "reason": st.column_config.TextColumn(_("Reason")),
            "rule": st.column_config.TextColumn(_("Rule")),
        },
        f"trades-{result.run_id[:12]}.csv",
        explains=True,
    )


def _side_name(code: str) -> str:
    return _("Buy") if code == "buy" else _("Sell")


def orders(result: Result) -> None:
    """Orders that did not fill whole, each with its reason."""
    side, text, _reason = _filters("orders")
    everything = st.toggle(_("Show filled orders too"), key="orders_all")
    found = frames.orders(result, cached.names(), side=side, text=text, unfilled_only=not everything)
    if not found.height:
        st.caption(_("No order to show: everything that was ordered filled whole."))
        return
    found = _coded(_coded(found, "reason", frames.reason_name), "side", _side_name)
    found = _coded(found, "status", frames.status_name)
    table(
        found,
        {
            "decided": st.column_config.DateColumn(_("Decided")),
            "session": st.column_config.DateColumn(_("Session")),
            "symbol": st.column_config.TextColumn(_("Symbol")),
            "name": st.column_config.TextColumn(_("Name")),
            "side": st.column_config.TextColumn(_("Side")),
            "shares_ordered": quantity(_("Ordered"), result),
            "shares_filled": quantity(_("Filled"), result),
            "limit_krw": price(_("Limit"), result, found["limit_krw"]),
            "status": st.column_config.TextColumn(_("State")),
            "reason": st.column_config.TextColumn(_("Reason")),
        },
        f"orders-{result.run_id[:12]}.csv",
        explains=True,
    )


def stocks(result: Result) -> None:
    """Every stock traded, with its price, buys and sells."""
    found = cached.summary(result.run_id).stocks
    if not found.height:
        st.caption(_("Nothing was traded."))
        return
    known = cached.names()
    sorts = {
        "profit_krw": N_("Best first"),
        "-profit_krw": N_("Worst first"),
        "buys": N_("Most traded"),
        "first": N_("First traded"),
    }
    first, second = st.columns([1, 2], vertical_alignment="bottom")
    order = first.selectbox(_("Sort"), list(sorts), format_func=lambda key: _(sorts[key]), key="stocks_sort")
    text = second.text_input(_("Symbol or name"), key="stocks_text", icon=":material/search:").strip().lower()
    ordered = found.sort(order.lstrip("-"), descending=order in ("profit_krw", "buys"), maintain_order=True)
    rows = [
        row
        for row in ordered.iter_rows(named=True)
        if text in f"{row['symbol']} {known.get(row['symbol'], '')}".lower()
    ]
    pages = max(1, -(-len(rows) // PER_PAGE))
    page = st.pagination(pages, key="stocks_page", max_visible_pages=5) if pages > 1 else 1
    st.caption(_("{count} stocks").format(count=fmt.count(len(rows))))
    with st.grid(4, min_column_width=290, gap="small"):
        for row in rows[PER_PAGE * (page - 1) : PER_PAGE * page]:
            _stock(result, row, known)


def _stock(result: Result, row: Mapping[str, Any], known: Mapping[str, str]) -> None:
    symbol = row["symbol"]
    with st.container(border=True, gap="xsmall"):
        colour = {"up": "red", "down": "blue", "flat": "gray"}[fmt.sign_class(row["profit_krw"])]
        profit = fmt.krw(row["profit_krw"], language(), signed=True)
        st.markdown(f"**{escape(known.get(symbol, symbol))}** :gray[{symbol}]")
        counts = _("{buys} buys, {sells} sells").format(buys=row["buys"], sells=row["sells"])
        st.markdown(f":{colour}[**{escape(profit)}**] :gray[:small[{counts}]]")
        with blocks.guarded("warning"):
            figure = cached.stock_figure(result.run_id, symbol)
            st.plotly_chart(figure, config={"displayModeBar": False}, key=f"stock_{symbol}")
        st.button(
            _("Candles and why"),
            key=f"explain_{symbol}",
            icon=":material/candlestick_chart:",
            on_click=open_explain,
            args=(symbol, row["last"]),
            type="tertiary",
        )


def settings(result: Result) -> None:
    """The strategy in words and as JSON, and the run card."""
    strategy = parse_document(dict(result.card["strategy"]))
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader(_("The strategy in words"), anchor=False)
        st.markdown("\n".join(f"- {escape(line)}" for line in describe_strategy(strategy, language())))
        with st.expander(_("As text (JSON)"), icon=":material/data_object:"):
            st.code(dump(strategy), language="json", height=420)
    with right:
        st.subheader(_("Run card"), anchor=False)
        run_card(result)


SECTIONS: Final[Mapping[str, tuple[str, Callable[[Result], None]]]] = {
    "overview": (N_("Overview"), overview),
    "holdings": (N_("Holdings"), holdings),
    "trades": (N_("Trades"), trades),
    "orders": (N_("Unfilled orders"), orders),
    "stocks": (N_("Stocks traded"), stocks),
    "explain": (N_("Explain"), explain_section),
    "cash": (N_("Cash book"), cash_book),
    "costs": (N_("Costs and capacity"), costs),
    "trust": (N_("Can it be trusted?"), trust),
    "settings": (N_("Settings"), settings),
}


def draw(result: Result) -> None:
    """The section switch and the section chosen."""
    names = {key: _(name) for key, (name, _draw) in SECTIONS.items()}
    chosen = navigation.choice_in_url("result_section", names, _("Section"), default="overview", key=SECTION)
    if chosen != "explain":
        for name in ("symbol", "date"):
            st.query_params.pop(name, None)
    SECTIONS[chosen][1](result)
