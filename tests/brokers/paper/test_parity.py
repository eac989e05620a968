"""Fills of a paper account in bar mode are the backtest's, to the won: sessions, shares, prices, commission, tax, what
corporate actions and dividends bring, cash and holdings after every close.

Set apart, because no broker could have had them: triggers inside the session (a live stop is an order of its own), a
strategy's own bounds (places, cash buffer), and limits counted from an open that was not there. Orders that a share
change of the same morning rescales are sent as rescaled.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from reference_simulator.cases import Case, cases, coin_cases
from replay import Replay, on_calendar

from stocklab.db import Base, Database, OwnerRow, open_database

CASES = int(os.environ.get("STOCKLAB_PAPER_CASES", "8"))


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    found = open_database("sqlite://")
    Base.metadata.create_all(found.engine)
    with found.write() as session:
        session.merge(OwnerRow(id="local", name="local"))
    yield found
    found.close()


def without_triggers(case: Case) -> Case:
    """The same document where stops and targets look at closes, and the whole cash may be spent."""
    parts = {name: dict(part) if isinstance(part, dict) else part for name, part in case.parts.items()}
    leave = parts.get("exit", {})
    for name in ("target", "stop", "trailing"):
        if leave.get(name):
            leave[name] = {**leave[name], "basis": "close"}
    parts.setdefault("sizing", {})["cash_buffer"] = 0
    parts.get("costs", {}).pop("tax", None)
    return replace(case, parts=parts)


def replayed(
    database: Database, drawn: SearchStrategy[Case], prepare: Callable[[Case], Case], name: str
) -> Counter[str]:
    """What was seen while cases were replayed."""
    seen: Counter[str] = Counter()

    @seed(20261128)
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(drawn)
    def run(found: Case) -> None:
        case = prepare(found)
        coins = case.shape.basis == "coin"
        panel = case.panel() if coins else on_calendar(case.panel())
        replay = Replay(
            database=database,
            panel=panel,
            strategy=case.strategy(),
            start=panel.sessions[case.start].item(),
            end=panel.sessions[case.stop].item(),
            cash=case.cash,
            account=f"{name}{seen['runs']}",
            coins=coins,
        )
        seen["runs"] += 1
        replay.run()
        seen["fills"] += len(replay.snapshots[replay.last - 1]["trades"])
        seen.update(replay.apart)

    run()
    return seen


def test_random_markets(database: Database) -> None:
    assert replayed(database, cases(), without_triggers, "krx")["fills"] > 2 * CASES


def test_random_coins(database: Database) -> None:
    def resting(case: Case) -> Case:
        """Bought by limit orders, which name a quantity; nothing waits for a close that coins do not have."""
        plain = without_triggers(case)
        execution = dict(plain.parts["execution"], buy="limit", limit_reference="previous_close")
        if execution["sell"] == "next_close":
            execution["sell"] = "next_open"
        return replace(plain, parts={**plain.parts, "execution": execution})

    assert replayed(database, coin_cases(), resting, "coin")["fills"] > 2 * CASES
