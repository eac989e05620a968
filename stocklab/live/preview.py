"""What a strategy would buy first if it began now: the decision of the newest close for a book of cash alone."""

from __future__ import annotations

from datetime import date, timedelta

from stocklab.backtest.decide import Decision, decide
from stocklab.backtest.sleeve_book import SleeveBook
from stocklab.live.deciding import EngineRoom
from stocklab.market.calendar import next_session
from stocklab.strategy.document import Strategy

__all__ = ["first_decision"]


def first_decision(room: EngineRoom, strategy: Strategy, capital_krw: int) -> Decision:
    """The decision of the newest close, as the background process would make it for the session after.

    Raises
    ------
    DataError
        There are no market data, or none that the strategy asks for.
    InputError
        The document asks for what the data do not have.
    """
    panel = room.panel(strategy)
    last: date = panel.sessions[-1].item()
    following = last + timedelta(days=1) if strategy.universe.of_coins else next_session(last, expected=True)
    return decide(
        panel,
        strategy,
        room.source(panel),
        book=SleeveBook.opened(last, capital_krw, unit=panel.unit),
        next_session=following,
        first_decision=True,
    )
