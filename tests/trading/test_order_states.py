"""The table of states: what it must never allow, and the whole of it against a drawing by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stocklab.errors import OrderStateError
from stocklab.trading import NEXT, OrderEvent, OrderState, next_state

# From the drawing in docs/trading.md: state -> the states an order can be in next.
LEADS_TO = {
    "intent": {"refused", "withdrawn", "sending"},
    "sending": {"open", "rejected", "unsent", "unknown"},
    "unknown": {"open", "absent", "ambiguous"},
    "ambiguous": {"open", "absent"},
    "open": {"open", "cancelling", "filled", "cancelled", "expired", "rejected"},
    "cancelling": {"cancelling", "open", "filled", "cancelled", "expired", "rejected"},
    "cancelled": {"cancelled", "filled"},
    "expired": {"expired", "filled"},
    "absent": {"open"},
    "filled": set(),
    "rejected": set(),
    "unsent": set(),
    "refused": set(),
    "withdrawn": set(),
}


def test_the_table_is_the_drawing() -> None:
    found: dict[str, set[str]] = {state.value: set() for state in OrderState}
    for (state, _), after in NEXT.items():
        found[state.value].add(after.value)
    assert found == LEADS_TO


def test_nothing_leads_to_a_second_sending() -> None:
    """From whatever follows the first sending, no way leads to SENDING or INTENT again."""
    reached, waiting = set(), {OrderState.SENDING}
    while waiting:
        state = waiting.pop()
        after = {to for (begin, _), to in NEXT.items() if begin is state}
        waiting |= after - reached
        reached |= after
    assert not reached & {OrderState.SENDING, OrderState.INTENT}
    assert reached >= {OrderState.UNKNOWN, OrderState.ABSENT, OrderState.FILLED}


def test_only_late_news_leads_out_of_an_end() -> None:
    late = {(state, event) for (state, event) in NEXT if state.final}
    assert late == {
        (OrderState.ABSENT, OrderEvent.FOUND),
        *(
            (state, event)
            for state in (OrderState.CANCELLED, OrderState.EXPIRED)
            for event in (OrderEvent.PART_FILLED, OrderEvent.FILLED)
        ),
    }


def test_from_every_state_that_is_no_end_an_end_can_be_reached() -> None:
    for begin in OrderState:
        reached, waiting = {begin}, [begin]
        while waiting:
            state = waiting.pop()
            for (source, _), to in NEXT.items():
                if source is state and to not in reached:
                    reached.add(to)
                    waiting.append(to)
        assert any(state.final for state in reached), begin


@given(st.lists(st.sampled_from(OrderEvent), max_size=30))
def test_a_pair_that_is_not_there_changes_nothing_and_is_named(events: list[OrderEvent]) -> None:
    state = OrderState.INTENT
    for event in events:
        if (state, event) in NEXT:
            state = next_state(state, event)
        else:
            with pytest.raises(OrderStateError, match=f"'{event}' cannot follow state '{state}'"):
                next_state(state, event, "o1")
