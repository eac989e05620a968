"""The look-ahead check on random markets and documents: delistings, splits, halts, early ends, every option."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from stocklab.backtest import RunRequest
from stocklab.market.panel import Panel
from stocklab.research.look_ahead import Engine, find_look_ahead
from stocklab.types import AnyArray


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_found(case_of: Any, make_document: Any, fake_source: Any, seed: int) -> None:
    found = checked(case_of(seed), make_document, fake_source)
    assert found.differences == ()
    assert len(found.sessions) == 12


@pytest.mark.parametrize("seed", [0, 3, 11])
def test_a_signal_that_peeks_is_found(case_of: Any, make_document: Any, fake_source: Any, seed: int) -> None:
    case = case_of(seed)
    found = checked(case, make_document, fake_source, peek=True)
    assert found.identical is False
    plan = [each for each in found.differences if each.part in ("entry", "exit", "score")]
    assert plan
    assert all(each.session == each.cut for each in plan)


def checked(case: Any, make_document: Any, fake_source: Any, *, peek: bool = False) -> Any:
    """The check of a random case. With ``peek`` a source reads signals of tomorrow, as far as the panel has one."""
    panel = case.market.panel()
    request = RunRequest(
        strategy=make_document(**case.parts),
        start=panel.sessions[2].item(),
        end=panel.sessions[-1].item(),
        initial_cash_krw=case.cash,
    )

    def source_of(seen: Panel) -> Any:
        return fake_source(seen, signals(case.market.signals, seen.n_sessions, peek=peek))

    engine = Engine(source_of=source_of)
    return find_look_ahead(panel, request, source_of(panel), sessions=12, seed=1, engine=engine)


def signals(known: Mapping[str, AnyArray], n_sessions: int, *, peek: bool) -> dict[str, AnyArray]:
    found = {name: np.array(values[:n_sessions]) for name, values in known.items()}
    for values in found.values():
        if n_sessions < len(next(iter(known.values()))):
            values[-1] = 1.0 - values[-1]  # what came after is not what will have come
        if peek:
            values[:-1] = values[1:]
    return found
