"""Services as pages use them: the shared Lab, and values that are expensive to read or draw, kept between runs.

Keyed by what determines it (home, snapshot id, run id, language); what depends on the market data beyond its key is
marked ``of_market`` and goes when they change. Results and figures are kept as objects, because drawing the same object
again costs next to nothing. `stocklab.caches`: a hit costs a microsecond or two, a hit of ``st.cache_resource`` about
0.2 ms, and a page asks a dozen times.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from threading import Lock
from typing import Any, Final, Literal

import numpy as np

from stocklab.backtest import Coverage, coverage
from stocklab.backtest import matches as find_matches
from stocklab.backtest import preset_coverage as cover_presets
from stocklab.backtest.result import Result
from stocklab.caches import Cache, Group, remember, see_snapshot
from stocklab.data import status as read_status
from stocklab.data.factor_cache import CachedSource
from stocklab.data.panel_open import basis_for
from stocklab.data.screening import Judgement, ScreenResult, explain, run_screen, strategy_hits
from stocklab.data.sources.calls import now_kst
from stocklab.factors.status import FormulaStatus, catalogue_status, status_of
from stocklab.factors.vocabulary import FIELDS
from stocklab.market.fundamentals import StatementMode
from stocklab.market.memberships import MEMBER_KINDS, SECTOR
from stocklab.market.panel import PriceBasis
from stocklab.portfolios import Lab, shared_lab
from stocklab.research.capacity import Point, by_capital, by_slippage
from stocklab.research.compare import Comparison, compare
from stocklab.strategy import Strategy, dump, fingerprint
from stocklab.strategy.screen import Screen
from stocklab.ui import charts
from stocklab.ui import format as fmt
from stocklab.ui.result import frames
from stocklab.ui.text import Language, language

__all__ = [
    "age_days",
    "capacity",
    "comparison",
    "covered",
    "data_status",
    "factor_statuses",
    "figure",
    "first_session",
    "groups",
    "held_sessions",
    "index_figure",
    "known_capacity",
    "lab",
    "last_session",
    "matches",
    "names",
    "preset_coverage",
    "preset_popularity",
    "result",
    "screen",
    "screen_reasons",
    "sectors",
    "span",
    "stock_figure",
    "summary",
    "symbol_names",
    "today",
]

MATCHES_KEPT: Final = 128
SCREENS_KEPT: Final = 32
CAPACITIES_KEPT: Final = 64


def lab() -> Lab:
    """The Lab of this process."""
    return shared_lab()


def today() -> date:
    """The date in Seoul, where the sessions are counted: the clock is read here, at the edge."""
    return now_kst().date()


def data_status() -> Mapping[str, Any]:
    """What the store holds and how old it is; ``snapshot`` is None in an empty home."""
    home, current = str(lab().store.home), lab().store.current_id()
    see_snapshot(home, current)
    return _status(home, current, today())


@remember("status", Group.MARKET, 4, of_market=True)
def _status(home: str, snapshot_id: str | None, on: date) -> Mapping[str, Any]:
    return read_status(lab().store)


def first_session() -> str | None:
    """First session of the price data, as a date in text."""
    return min(_ends("first_session"), default=None)


def last_session() -> str | None:
    """Last session of the price data, as a date in text."""
    return max(_ends("last_session"), default=None)


def age_days() -> int | None:
    """Calendar days since the last session."""
    found = data_status().get("age_days")
    return None if found is None else int(found)


def _ends(which: str) -> list[str]:
    """Of the stocks; of coins where there are only coins."""
    datasets = data_status().get("datasets", {})
    names = [name for name in ("prices_raw", "prices_adjusted") if name in datasets] or ["prices_coin"]
    found = (datasets[name].get(which) for name in names if name in datasets)
    return [str(value) for value in found if value]


@remember("panel_words", Group.MARKET, 2, of_market=True)
def _panel_words(
    home: str, snapshot_id: str | None, coins: bool
) -> tuple[Mapping[str, str], Mapping[str, str], tuple[date, ...]]:
    """Name and sector of every symbol, and the first and last session of the current panel of stocks or coins."""
    if snapshot_id is None or not _holds(coins):
        return {}, {}, ()
    panel = lab().panel(PriceBasis.COIN if coins else None)
    found = panel.instruments
    ends = tuple(panel.sessions[index].astype(object) for index in (0, -1))
    return (
        dict(zip(panel.symbols, found.names, strict=True)),
        dict(zip(panel.symbols, found.sectors, strict=True)),
        ends,
    )


def _holds(coins: bool) -> bool:
    """Whether the current snapshot has bars of coins, or of stocks."""
    datasets = data_status().get("datasets", {})
    return any(name in datasets for name in (("prices_coin",) if coins else ("prices_raw", "prices_adjusted")))


def _words(*, coins: bool) -> tuple[Mapping[str, str], Mapping[str, str], tuple[date, ...]]:
    store = lab().store
    return _panel_words(str(store.home), store.current_id(), coins)


@remember("names", Group.MARKET, 2, of_market=True)
def _names(home: str, snapshot_id: str | None) -> Mapping[str, str]:
    return {**_words(coins=False)[0], **_words(coins=True)[0]}


def names() -> Mapping[str, str]:
    """Symbol -> name of a company or coin, of the current snapshot."""
    store = lab().store
    return _names(str(store.home), store.current_id())


def symbol_names(*, coins: bool = False) -> dict[str, str]:
    """Symbol -> what a picker shows, of stocks or of coins."""
    known = _words(coins=coins)[0]
    return {symbol: f"{name} ({symbol})" if name else symbol for symbol, name in known.items()}


@remember("groups", Group.MARKET, 2, of_market=True)
def _groups(home: str, snapshot_id: str | None) -> Mapping[str, tuple[tuple[str, date], ...]]:
    if snapshot_id is None or not _holds(coins=False):
        return {}
    panel = lab().panel()
    known = panel.memberships
    return {
        kind: tuple(
            (name, panel.sessions[row].item())
            for name in known.names(kind)
            if (row := known.first_row(kind, name)) is not None
        )
        for kind in MEMBER_KINDS
    }


def groups(kind: str) -> Mapping[str, date]:
    """Indices, themes or sectors with dated lists of members in the current snapshot -> day of the first list."""
    store = lab().store
    return dict(_groups(str(store.home), store.current_id()).get(kind, ()))


def sectors() -> list[str]:
    """Every sector of the current snapshot, sorted."""
    return sorted({*(sector for sector in _words(coins=False)[1].values() if sector), *groups(SECTOR)})


def span(*, coins: bool = False) -> tuple[date, date] | None:
    """First and last session of the current panel of stocks or coins; None without data."""
    ends = _words(coins=coins)[2]
    return (ends[0], ends[1]) if ends else None


@remember("held_sessions", Group.MARKET, 2, of_market=True)
def _held_sessions(home: str, snapshot_id: str | None) -> tuple[int, int]:
    """Of stocks, where the dataset with more sessions counts, and of coins."""
    if snapshot_id is None:
        return 0, 0
    found = lab().store.snapshot(snapshot_id)
    stocks = max(len(found.sessions(name)) for name in ("prices_raw", "prices_adjusted"))
    return stocks, len(found.sessions("prices_coin"))


def held_sessions(*, coins: bool = False) -> int:
    """Sessions with bars of stocks, or days of coins, in the current snapshot; no panel is opened for it."""
    store = lab().store
    return _held_sessions(str(store.home), store.current_id())[coins]


@remember("preset_coverage", Group.MARKET, 2, of_market=True)
def _preset_coverage(home: str, snapshot_id: str | None) -> Mapping[str, Coverage]:
    return {} if snapshot_id is None else cover_presets(lab().panel())


def preset_coverage() -> Mapping[str, Coverage]:
    """What each preset lacks on the current snapshot, by id; empty without data."""
    store = lab().store
    return _preset_coverage(str(store.home), store.current_id())


@remember("preset_popularity", Group.SCREEN, 2)
def _preset_popularity(home: str, hour: datetime) -> Mapping[str, int]:
    return lab().onboarding.popularity()


def preset_popularity() -> Mapping[str, int]:
    """How many people ran each preset, by id; counted once an hour."""
    return _preset_popularity(str(lab().store.home), now_kst().replace(minute=0, second=0, microsecond=0))


def covered(strategy: Strategy) -> Coverage:
    """What a strategy lacks on the current panel.

    Raises
    ------
    DataError
        The home holds no data.
    """
    return coverage(strategy, lab().panel(basis_for(strategy.universe, None)))


@remember("factor_statuses", Group.MARKET, 2, of_market=True)
def _factor_statuses(home: str, snapshot_id: str | None) -> Mapping[str, FormulaStatus]:
    if snapshot_id is None:
        return {}
    panel = lab().panel()
    fields = {name: status_of(name, panel) for name, field in FIELDS.items() if field.kind == "daily"}
    return fields | dict(catalogue_status(panel))


def factor_statuses() -> Mapping[str, FormulaStatus]:
    """Factor or daily field -> whether the current panel has it, and what it lacks; empty without data."""
    store = lab().store
    return _factor_statuses(str(store.home), store.current_id())


@remember("results", Group.RESULT, 24)
def _result(home: str, run_id: str) -> Result:
    return lab().results.load(run_id)


def result(run_id: str) -> Result:
    """A stored result.

    Raises
    ------
    ResultNotFound, DataError
        As `ResultStore.load`; a failure is not kept.
    """
    return _result(str(lab().store.home), run_id)


@remember("summaries", Group.RESULT, 48)
def _summary(home: str, run_id: str) -> frames.Summary:
    return frames.summarize(result(run_id))


def summary(run_id: str) -> frames.Summary:
    """The tables a result page shows, computed once per run."""
    return _summary(str(lab().store.home), run_id)


@remember("comparisons", Group.RESULT, 32)
def _comparison(home: str, run_ids: tuple[str, ...]) -> Comparison:
    return compare([result(run_id) for run_id in run_ids])


def comparison(run_ids: tuple[str, ...]) -> Comparison:
    """Results side by side, computed once.

    Raises
    ------
    InputError, ResultNotFound
        As `compare` and `result`; a failure is not kept.
    """
    return _comparison(str(lab().store.home), run_ids)


Capacity = tuple[tuple[Point, ...], tuple[Point, ...]]
_capacities: Cache[Capacity] = Cache("capacities", Group.RESULT, CAPACITIES_KEPT, of_market=True)
_one_at_a_time = Lock()


def known_capacity(run_id: str) -> Capacity | None:
    """What `capacity` found before, None if it was not asked."""
    return _capacities.peek((str(lab().store.home), run_id))


def capacity(found: Result) -> Capacity:
    """The run again with other capital, and with other slippage; one page at a time computes.

    Raises
    ------
    InputError, DataError
        The market data or the program changed since the run, or the data cannot be read.
    """
    key = (str(lab().store.home), found.run_id)

    def compute() -> Capacity:
        request, panel = lab().run_today(found.run_id, found.card)
        source = CachedSource(panel, lab().store.home, threads=lab().settings.engine_threads)
        return by_capital(panel, request, source), by_slippage(panel, request, source)

    with _one_at_a_time:
        return _capacities.obtain(key, compute)


Kind = Literal["equity", "equity_log", "monthly", "yearly", "reasons"]


@remember("figures", Group.FIGURE, 160)
def _figure(home: str, run_id: str, kind: Kind, spoken: Language) -> charts.ReadyFigure:
    found, tables = result(run_id), summary(run_id)
    benchmark = str(found.card.get("benchmark", "KOSPI"))
    match kind:
        case "equity" | "equity_log":
            drawn = charts.equity(found.tables["daily"], benchmark=benchmark, log=kind == "equity_log")
        case "monthly":
            drawn = charts.monthly_heatmap(tables.months, tables.years)
        case "yearly":
            drawn = charts.yearly_bars(tables.years, tables.benchmark_years, benchmark=benchmark)
        case "reasons":
            drawn = charts.reasons(
                [
                    (frames.reason_name(reason), number, fmt.krw(profit, spoken, signed=True))
                    for reason, number, profit in tables.sale_reasons
                ]
            )
    return charts.ReadyFigure(drawn)


def figure(run_id: str, kind: Kind) -> charts.ReadyFigure:
    """A figure of a run in the session's language."""
    return _figure(str(lab().store.home), run_id, kind, language())


@remember("index_figures", Group.FIGURE, 4, of_market=True)
def _index_figure(home: str, snapshot_id: str, spoken: Language) -> charts.ReadyFigure | None:
    snapshot = lab().store.snapshot(snapshot_id)
    if not snapshot.has("indices"):
        return None
    closes = snapshot.scan("indices").select("session", "index", "close").sort("session").collect()
    return charts.ReadyFigure(charts.indices(closes))


def index_figure() -> charts.ReadyFigure | None:
    """The market's indices; None where no index is loaded."""
    store = lab().store
    current = store.current_id()
    return None if current is None else _index_figure(str(store.home), current, language())


@remember("stock_figures", Group.FIGURE, 400, of_market=True)
def _stock_figure(home: str, run_id: str, symbol: str, spoken: Language) -> charts.ReadyFigure:
    found = result(run_id)
    basis, first, last = frames.price_range(found)
    panel = lab().panel(basis, first, last)
    begin, end = panel.span(first, last)
    close = np.asarray(panel.fields[panel.order_fields[3]][begin:end, panel.column(symbol)], dtype=np.float64)
    buys, sells = frames.marks(found, symbol)
    return charts.ReadyFigure(charts.stock(panel.sessions[begin:end], close, buys, sells))


def stock_figure(run_id: str, symbol: str) -> charts.ReadyFigure:
    """Price of one traded stock with its buys and sells."""
    return _stock_figure(str(lab().store.home), run_id, symbol, language())


Matches = tuple[str, tuple[tuple[str, float], ...]]
_found: Cache[Matches] = Cache("matches", Group.SCREEN, MATCHES_KEPT, of_market=True)


def matches(strategy: Strategy) -> Matches:
    """The last session and the symbols that satisfy the conditions to buy on it, best first.

    Raises
    ------
    InputError, DataError
        The strategy cannot be evaluated on this data, or there is none.
    """
    panel = lab().panel(basis_for(strategy.universe, None))
    neutral = strategy.model_copy(update={"name": "-", "description": ""})
    key = (panel.key, fingerprint(neutral))

    def search() -> Matches:
        source = CachedSource(panel, lab().store.home, threads=lab().settings.engine_threads)
        found = find_matches(panel, neutral, source, panel.n_sessions - 1)
        return str(panel.sessions[-1]), tuple((symbol, float(score)) for symbol, score in found)

    return _found.obtain(key, search)


_screens: Cache[ScreenResult] = Cache("screens", Group.SCREEN, SCREENS_KEPT, of_market=True)


def screen(asked: Screen, on: date | None, *, strategy: Strategy | None = None) -> ScreenResult:
    """Which stocks a screen finds at the close of a day; of a ``strategy``, in the order in which it would buy.

    Raises
    ------
    InputError, DataError, FormulaError
        The screen cannot be evaluated on this data, or there is none.
    """
    source = _source(asked, strategy)
    panel = source.panel
    words = dump(asked.model_copy(update={"name": ""}))
    key = (panel.key, words, None if strategy is None else fingerprint(strategy), on)

    def search() -> ScreenResult:
        if strategy is None:
            return run_screen(panel, asked, source, on=on)
        return strategy_hits(panel, strategy, source, on=on, columns=asked.columns, limit=asked.limit)

    return _screens.obtain(key, search)


def screen_reasons(
    asked: Screen, on: date | None, symbol: str, *, strategy: Strategy | None = None
) -> tuple[Judgement, ...]:
    """Each condition of a screen for one stock, with the values it compares."""
    source = _source(asked, strategy)
    return explain(source.panel, asked, source, symbol, on=on)


def _source(asked: Screen, strategy: Strategy | None) -> CachedSource:
    """Formulas over the panel, with statements as the strategy reads them."""
    mode = StatementMode.STRICT if strategy is None else strategy.statements
    settings = lab().settings
    return CachedSource(
        lab().panel(basis_for(asked.universe, None), statements=mode),
        lab().store.home,
        threads=settings.engine_threads,
        budget_mb=settings.factor_cache_mb,
    )
