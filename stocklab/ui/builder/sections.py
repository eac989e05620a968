"""The form, section by section. Each draws fields bound to the document; only the chosen section is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from stocklab.market.upbit import MOST_INITIAL_CASH_KRW
from stocklab.strategy.document import COIN_BENCHMARK
from stocklab.ui import cached
from stocklab.ui import format as fmt
from stocklab.ui.builder import draft, fields, state, universes
from stocklab.ui.builder.own_factors import own_factors_editor
from stocklab.ui.builder.period import period_fields
from stocklab.ui.builder.ranking import ranking_editor
from stocklab.ui.builder.rules import rules_editor, show_formula_fault
from stocklab.ui.text import N_, PERIODS, _, language

__all__ = ["SECTIONS", "draw", "section_label"]

EOK: Final = 100_000_000
FILLS: Final = {
    "next_open": N_("Next open"),
    "next_close": N_("Next close"),
    "limit": N_("Limit order"),
    "vwap_proxy": N_("Average price of the day"),
}
EXCLUSIONS: Final = {
    "preferred": N_("Preferred shares"),
    "spac": N_("SPACs"),
    "reit": N_("REITs"),
    "etf": N_("ETFs"),
    "foreign": N_("Foreign companies"),
    "administrative": N_("Administrative issues"),
    "attention": N_("Investment attention"),
    "caution": N_("Caution issues"),
    "warning": N_("Warning issues"),
    "risk": N_("Risk issues"),
    "overheated": N_("Overheated issues"),
    "unfaithful": N_("Unfaithful disclosers"),
    "clearance": N_("Clearance sales"),
    "halted": N_("Halted"),
    "financial": N_("Financial sector"),
}
TRIGGER: Final = {"level": 0.1, "basis": "intraday"}
BASES: Final = {"intraday": N_("During the session"), "close": N_("At the close")}


def words(options: Mapping[Any, str]) -> dict[Any, str]:
    """Options with their names in the user's language."""
    return {value: _(name) for value, name in options.items()}


def _won(label: str, path: str) -> str:
    value = draft.get(state.document(), path)
    return f"{label} ({fmt.krw(value, language())})" if value else label


def entry() -> None:
    """Conditions to buy."""
    st.caption(_("A stock is a candidate on a date when these conditions hold at that day's close. No condition: all."))
    rules_editor("entry")


def exit_() -> None:
    """Every way out of a position."""
    if draft.get(state.document(), "rebalancing.mode") == "target":
        st.caption(_("Rebalancing also sells whatever is no longer wanted at the start of each period."))
    columns = st.columns(3)
    labels = (("target", _("Take profit (%)")), ("stop", _("Stop loss (%)")), ("trailing", _("Trailing stop (%)")))
    for column, (name, label) in zip(columns, labels, strict=True):
        with column, st.container(border=True):
            if fields.optional(f"exit.{name}", label, TRIGGER):
                fields.percent(f"exit.{name}.level", _("Distance (%)"), least=0.1, most=1000.0)
                fields.choice(f"exit.{name}.basis", _("Judged"), words(BASES))
    first, second, third = st.columns(3)
    with first:
        fields.whole("exit.min_holding", _("Held at least"), least=0, most=2520)
        fields.switch("exit.min_holding_blocks_stops", _("Also holds back stops"))
    with second:
        if fields.optional("exit.max_holding", _("Longest holding"), 20):
            fields.whole("exit.max_holding", _("Held at most"), least=1, most=2520)
    with third:
        units = {"sessions": N_("Trading days"), "calendar_days": N_("Calendar days")}
        fields.choice("exit.holding_unit", _("Holding counts"), words(units))
        fields.whole("exit.reentry_wait_sessions", _("Wait before buying again (sessions)"), least=0, most=252)
    st.markdown(f"#### {_('Conditions to sell')}")
    rules_editor("exit")
    first, second = st.columns(2)
    with first:
        fields.switch("exit.when_entry_fails", _("Sell when the conditions to buy no longer hold"))
    with second:
        if fields.optional("exit.rank_below", _("Sell when the rank falls"), 40):
            fields.whole("exit.rank_below", _("Below this place"), least=1, most=5000)


def universe() -> None:
    """Which symbols may be bought."""
    universes.saved_universes()
    _traded()
    coins = draft.trades_coins(state.document())
    if coins:
        exclusions = {"halted": EXCLUSIONS["halted"]}
        st.caption(
            _(
                "Coins of Upbit's won market: a session is a day from 09:00 to 09:00 Korean time, every day of the "
                "year. No price limits and no transaction tax; an order is of at least 5,000 won."
            )
        )
    else:
        exclusions = EXCLUSIONS
        fields.many("universe.markets", _("Markets"), {name: name for name in ("KOSPI", "KOSDAQ", "KONEX")}, pills=True)
    fields.many("universe.exclude", _("Leave out"), words(exclusions), pills=True)
    if not coins:
        universes.lists_of_members()
    symbols = cached.symbol_names(coins=coins)
    sectors = cached.sectors()
    first, second = st.columns(2)
    with first:
        if not coins:
            fields.many("universe.sectors", _("Only these sectors"), sectors, free=True)
        fields.many("universe.symbols", _("Only these symbols"), symbols, free=True)
    with second:
        if not coins:
            fields.many("universe.exclude_sectors", _("Never these sectors"), sectors, free=True, placeholder=_("None"))
        fields.many("universe.exclude_symbols", _("Never these symbols"), symbols, free=True, placeholder=_("None"))
    first, second, third = st.columns(3)
    with first:
        fields.whole("universe.min_listed_sessions", _("Listed at least (sessions)"), least=0, most=5000)
    with second:
        path = "universe.min_trading_value_krw"
        fields.whole(
            path,
            _won(_("Traded value at least"), path),
            least=0,
            most=10_000 * EOK,
            step=EOK,
            hint=_("Mean of the last 20 sessions, in won."),
        )
    with third:
        path = "universe.min_price_krw"
        fields.whole(path, _won(_("Price at least"), path), least=0, most=10_000_000, step=100)
    with st.container(border=True):
        if fields.optional("universe.top", _("Only the largest"), {"by": "trading_value", "count": 500, "skip": 0}):
            first, second, third = st.columns(3)
            with first:
                sizes = {"trading_value": N_("Traded value (20 sessions)")}
                if not coins or draft.get(state.document(), "universe.top.by") == "market_cap":
                    sizes["market_cap"] = N_("Market cap")
                fields.choice("universe.top.by", _("By"), words(sizes))
            with second:
                fields.whole("universe.top.count", _("How many"), least=1, most=5000, step=50)
            with third:
                fields.whole(
                    "universe.top.skip", _("Leaving out this many of the largest"), least=0, most=5000, step=50
                )


def _traded() -> None:
    """Stocks or coins: what belongs to the other kind gives way."""
    kinds = {"stocks": N_("Stocks (KRX)"), "coins": N_("Coins (Upbit)")}
    key = fields.bind("field_traded", "coins" if draft.trades_coins(state.document()) else "stocks")
    st.segmented_control(
        _("What is traded"),
        list(kinds),
        format_func=words(kinds).__getitem__,
        key=key,
        required=True,
        on_change=_take_traded,
        args=(key,),
        help=_("Changing this sets markets, benchmark and commission anew and empties the lists of symbols."),
    )


def _take_traded(key: str) -> None:
    editing = state.session()
    state.replace(draft.with_traded(state.document(), coins=st.session_state[key] == "coins"))
    editing["start"] = editing["end"] = None  # the other kind has other sessions


def _benchmarks() -> dict[str, str]:
    """Indices the strategy can be compared with."""
    coins = draft.trades_coins(state.document())
    return {name: name for name in ((COIN_BENCHMARK,) if coins else ("KOSPI", "KOSDAQ", "KOSPI200"))}


def ranking() -> None:
    """Which candidates come first."""
    st.caption(_("When there are more candidates than places, the highest score is bought first; ties go by code."))
    ranking_editor()


def factors() -> None:
    """Factors of the person's own."""
    st.caption(
        _(
            "Give a formula a name. Rules, ranking and factors further down can then use it; it is saved with this "
            "strategy."
        )
    )
    own_factors_editor()


def sizing() -> None:
    """How much of each."""
    methods = {
        "equal": N_("Equal weights"),
        "market_cap": N_("By market cap"),
        "score": N_("By score"),
        "inverse_volatility": N_("By inverse volatility"),
        "fixed_weight": N_("A fixed weight each"),
        "fixed_krw": N_("A fixed amount each"),
    }
    first, second = st.columns(2)
    with first:
        fields.choice("sizing.method", _("Method"), words(methods))
        fields.whole("sizing.max_holdings", _("Holdings at most"), least=1, most=500)
    with second:
        fields.choice(
            "sizing.base", _("Weights are of"), words({"equity": N_("Equity now"), "initial": N_("Initial capital")})
        )
        method = draft.get(state.document(), "sizing.method")
        if method == "fixed_weight":
            fields.percent("sizing.weight", _("Weight each (%)"), least=0.1, most=100.0)
        elif method == "fixed_krw":
            path = "sizing.amount_krw"
            fields.whole(path, _won(_("Amount each"), path), least=1, most=10_000 * EOK, step=1_000_000)
        elif method == "inverse_volatility":
            fields.whole("sizing.volatility_sessions", _("Volatility over (sessions)"), least=5, most=756)
    st.markdown(f"#### {_('Caps')}")
    first, second, third = st.columns(3)
    with first:
        fields.percent("sizing.max_weight", _("One position at most (%)"), least=0.1, most=100.0)
    with second:
        fields.percent("sizing.max_sector_weight", _("One sector at most (%)"), least=0.1, most=100.0)
    with third:
        fields.percent("sizing.cash_buffer", _("Cash kept aside (%)"), least=0.0, most=99.0)
    first, second = st.columns(2)
    with first:
        path = "sizing.max_position_krw"
        if fields.optional(path, _("Cap one position in won"), 10_000_000):
            fields.whole(path, _won(_("At most"), path), least=1, most=10_000 * EOK, step=1_000_000)
    with second:
        if fields.optional("sizing.max_new_per_session", _("Cap new positions per session"), 5):
            fields.whole("sizing.max_new_per_session", _("New positions at most"), least=1, most=500)


def execution() -> None:
    """How orders are sent."""
    st.caption(_("What is decided at a close is traded in the next session."))
    first, second = st.columns(2)
    with first:
        fields.choice("execution.buy", _("Buy at"), words(FILLS))
    with second:
        fields.choice("execution.sell", _("Sell at"), words(FILLS))
    if "limit" in (draft.get(state.document(), "execution.buy"), draft.get(state.document(), "execution.sell")):
        with first:
            fields.percent(
                "execution.limit_offset",
                _("Limit offset (%)"),
                least=-30.0,
                most=30.0,
                step=0.1,
                digits=2,
                hint=_("-1 buys at most 1 % below the reference; sales mirror the sign."),
            )
        with second:
            references = {"previous_close": N_("Previous close"), "open": N_("Today's open")}
            fields.choice("execution.limit_reference", _("Limit counts from"), words(references))
    with first:
        fields.percent(
            "execution.participation",
            _("Share of the day's volume at most (%)"),
            least=0.1,
            most=100.0,
            hint=_("One order fills at most this part of what the market traded that day."),
        )
    with second:
        fields.whole("execution.carry_unfilled_sessions", _("Unfilled rest stays alive (sessions)"), least=0, most=20)


def rebalancing() -> None:
    """Daily signals or target weights."""
    modes = {"signal": N_("Daily signals"), "target": N_("Target weights by period")}
    fields.choice("rebalancing.mode", _("Mode"), words(modes), buttons=True)
    if draft.get(state.document(), "rebalancing.mode") == "signal":
        st.caption(_("Buys candidates as places become free; sells only by the exit conditions."))
        return
    st.caption(_("At each period the book is moved to the best candidates at their target weights."))
    first, second, third = st.columns(3)
    with first:
        fields.choice("rebalancing.period", _("Period"), words(PERIODS))
    with second:
        fields.whole("rebalancing.day_shift", _("Sessions after the first of the period"), least=0, most=20)
    with third:
        fields.percent(
            "rebalancing.drift_band",
            _("Leave weights this near (%)"),
            least=0.0,
            most=100.0,
            step=0.5,
            hint=_("A position whose weight is within this many percentage points of its target is not traded."),
        )


def market_filter() -> None:
    """When to stay in cash."""
    fresh = {
        "index": next(iter(_benchmarks())),
        "formula": "close>sma(close,120)",
        "months": list(range(1, 13)),
        "action": "sell_all",
    }
    if not fields.optional("market_filter", _("Use a market filter"), fresh):
        st.caption(_("Without a filter the strategy is always in the market."))
        return
    first, second = st.columns(2)
    with first:
        fields.choice("market_filter.index", _("Index"), _benchmarks())
    with second:
        actions = {"sell_all": N_("Sell everything"), "no_new": N_("Only stop buying")}
        fields.choice("market_filter.action", _("When unsafe"), words(actions))
    if fields.optional("market_filter.formula", _("Judge the index by a formula"), "close>sma(close,120)"):
        fields.text(
            "market_filter.formula",
            _("The market is safe while (close is the index)"),
            placeholder="close>sma(close,120)",
        )
        formula = draft.get(state.document(), "market_filter.formula")
        show_formula_fault(formula, "market_filter.formula.shown")
    months = {month: _("Month {number}").format(number=month) for month in range(1, 13)}
    fields.many("market_filter.months", _("Months that may be invested"), months, pills=True)


def costs() -> None:
    """Commission, tax and slippage."""
    first, second, third = st.columns(3)
    with first:
        fields.percent(
            "costs.commission_rate", _("Commission each side (%)"), least=0.0, most=5.0, step=0.005, digits=4
        )
    with second:
        fields.percent("costs.slippage_rate", _("Slippage each side (%)"), least=0.0, most=10.0, step=0.05, digits=3)
    dated = draft.get(state.document(), "costs.tax") == "dated"
    if dated and draft.trades_coins(state.document()):
        st.caption(_("Coins pay no transaction tax."))
        return
    with third:
        key = fields.bind("field_costs_tax_dated", dated)
        st.toggle(
            _("Transaction tax by law"),
            key=key,
            help=_("The rate in force on each date, by market. Off: one rate of your own."),
            on_change=fields.write,
            args=("costs.tax", key, lambda on: "dated" if on else 0.0018),
        )
        if not dated:
            fields.percent("costs.tax", _("Tax on sales (%)"), least=0.0, most=5.0, step=0.01, digits=3)


def period() -> None:
    """Dates, capital, benchmark and how the strategy is described."""
    period_fields()
    first, second = st.columns(2)
    with first:
        path = "allocation.initial_cash_krw"
        most = MOST_INITIAL_CASH_KRW if draft.trades_coins(state.document()) else 100_000 * EOK
        fields.whole(path, _won(_("Initial capital"), path), least=100_000, most=most, step=10_000_000)
    with second:
        fields.choice("benchmark", _("Benchmark"), _benchmarks())
    modes = {"strict": N_("As filed (strict)"), "restated": N_("As corrected later (restated)")}
    fields.choice(
        "statements",
        _("Numbers of company reports"),
        words(modes),
        hint=_(
            "Strict: a number counts from the receipt of the report it stands in; a correction from its own receipt."
        ),
    )
    if draft.get(state.document(), "statements") == "restated":
        st.warning(
            _("Restated numbers are hindsight: a real investor did not have them then. Use them to compare."),
            icon=":material/history:",
        )
    fields.text("description", _("Description"), area=True, limit=4000)


SECTIONS: Final[Mapping[str, tuple[str, Callable[[], None], Sequence[str]]]] = {
    "entry": (N_("Buy"), entry, ("entry",)),
    "exit": (N_("Sell"), exit_, ("exit",)),
    "universe": (N_("Universe"), universe, ("universe",)),
    "ranking": (N_("Ranking"), ranking, ("ranking",)),
    "factors": (N_("My factors"), factors, ("factors",)),
    "sizing": (N_("Sizing"), sizing, ("sizing",)),
    "execution": (N_("Execution"), execution, ("execution",)),
    "rebalancing": (N_("Rebalancing"), rebalancing, ("rebalancing",)),
    "market_filter": (N_("Market filter"), market_filter, ("market_filter",)),
    "costs": (N_("Costs"), costs, ("costs",)),
    "period": (N_("Period and capital"), period, ("allocation", "benchmark", "statements", "description")),
}
"""Key -> (name, what draws it, parts of the document it edits)."""


def section_label(key: str) -> str:
    """Name of a section, marked while something in it has to be corrected."""
    name, _draw, paths = SECTIONS[key]
    faulty = any(draft.faults_under(state.faults(), path) for path in paths)
    return f"{_(name)} ⚠" if faulty else _(name)


def draw(key: str) -> None:
    """Draw one section."""
    SECTIONS[key][1]()
