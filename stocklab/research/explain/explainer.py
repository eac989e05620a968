"""`explain`: why a symbol was bought, not bought, sold, kept or not filled in one session of a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from stocklab.errors import InputError
from stocklab.market.panel import MARKET_CODES, PriceBasis
from stocklab.research.explain.decision import decision_at
from stocklab.research.explain.replay import close_at
from stocklab.research.explain.session import bar_at, events_of, orders_met
from stocklab.research.explain.values import Decision, Explanation, Met
from stocklab.research.explain.verdicts import Fact, Verdict
from stocklab.research.explain.view import RunView

__all__ = ["explain"]


def explain(view: RunView, symbol: str, session: date) -> Explanation:
    """Everything about one symbol in one session of a run.

    The engine walks the run again to that session, the decisions of its close are made again in plain Python by the
    rules of docs/simulator.md, and both have to agree, so that no answer is a guess.

    Raises
    ------
    InputError
        The symbol is not in the panel, the day is no session of the run, or the run is of coins.
    AssertionError
        The decisions found are not those of the run: a fault of the program.
    """
    if view.panel.basis is PriceBasis.COIN:
        raise InputError("Explain answers for runs of stocks; those of coins have their reasons in trades and orders.")
    column, t = view.panel.column(symbol), view.row_of(session)
    close = close_at(view, t)
    decision = decision_at(view, close, column)
    met = orders_met(view, close.moment, column)
    decided = next((at for _, at in met if at is not None), None)
    origin = None if decided is None else decision_at(view, close_at(view, decided), column)
    told = tuple(_with_origin(each, origin) for each, _ in met)
    known = view.panel.instruments
    names = {code: name for name, code in MARKET_CODES.items()}
    return Explanation(
        symbol=symbol,
        name=known.names[column],
        market=names[int(view.panel.fields["market"][t, column])],
        sector=known.sectors[column],
        session=session,
        bar=bar_at(view, t, column),
        met=told,
        events=events_of(close.moment, column),
        origin=origin,
        close=decision,
        headline=_headline(told, decision.verdict),
    )


def _with_origin(met: Met, origin: Decision | None) -> Met:
    """The order with what the close that decided it knew: the place of a purchase, why a rebalancing sold."""
    if origin is None or met.decided != origin.session:
        return met
    more: dict[str, Fact] = {}
    if met.side == "buy" and origin.standing.place is not None:
        more = {"place": origin.standing.place, "candidates": origin.standing.candidates}
    elif met.side == "sell" and "why" in origin.verdict.facts:
        more = {"why": origin.verdict.facts["why"]}
    return replace(met, verdict=Verdict(code=met.verdict.code, facts={**met.verdict.facts, **more}))


def _headline(met: tuple[Met, ...], at_close: Verdict) -> Verdict:
    """What happened in the session: a fill before what did not fill, the last of them; else what the close decided."""
    filled = [each for each in met if each.filled > 0]
    chosen = filled or met
    return chosen[-1].verdict if chosen else at_close
