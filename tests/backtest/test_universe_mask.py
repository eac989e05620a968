"""Membership as of each session."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from stocklab.backtest.universe import unknown_flags, unknown_lists
from stocklab.errors import InputError
from stocklab.market.memberships import Memberships
from stocklab.strategy.document import Universe

FLAT = (1_000.0, 1_000.0, 1_000.0, 1_000.0, 1_000.0)
N = 24


@pytest.fixture
def market(market_of: Any) -> Any:
    dear = (5_000.0, 5_000.0, 5_000.0, 5_000.0, 1_000.0)
    return market_of(
        bars={
            "000010": [FLAT] * N,
            "000020": [()] * 10 + [FLAT] * (N - 10),
            "000030": [FLAT] * 5 + [None] + [FLAT] * (N - 6),
            "000040": [dear] * N,
            "000050": [FLAT] * N,
        },
        markets={"000040": "KOSDAQ", "000050": "KONEX"},
        kinds={"000030": "spac", "000040": ""},
        sectors={"000010": "은행 및 저축기관", "000040": "전자"},
        extra={
            "flag_administrative": np.tile([0, 1, 255, 0, 0], (N, 1)).astype(np.uint8),
            "mcap": np.tile([5.0, 4.0, 3.0, np.nan, 1.0], (N, 1)),
        },
    )


@pytest.fixture
def universe_mask(plan_parts: Any) -> Any:
    return plan_parts["universe_mask"]


@pytest.fixture
def members(universe_mask: Any) -> Any:
    return partial(members_of, universe_mask)


def members_of(universe_mask: Any, market: Any, fake_source: Any, session: int, **parts: Any) -> list[str]:
    panel = market.panel()
    settings = {"min_listed_sessions": 0, "exclude": [], "markets": ["KOSPI", "KOSDAQ", "KONEX"], **parts}
    mask = universe_mask(panel, Universe.model_validate(settings), fake_source(panel))
    assert mask.shape == (N, 5)
    return [symbol for symbol, inside in zip(panel.symbols, mask[session], strict=True) if inside]


@pytest.mark.parametrize(
    ("session", "parts", "expected"),
    [
        (12, {}, "12345"),
        (9, {}, "1345"),  # not listed yet
        (12, {"markets": ["KOSPI"]}, "123"),
        (12, {"min_listed_sessions": 3}, "12345"),  # its third session is session 12
        (11, {"min_listed_sessions": 3}, "1345"),
        (5, {"exclude": ["halted"]}, "145"),
        (12, {"exclude": ["spac"]}, "1245"),  # an unknown kind does not exclude
        (12, {"exclude": ["administrative"]}, "1345"),  # nor an unknown flag (255)
        (12, {"exclude": ["attention"]}, "12345"),  # nor a flag no data is known of
        (12, {"exclude": ["financial"]}, "2345"),
        (12, {"sectors": ["전자"]}, "4"),
        (12, {"exclude_sectors": ["전자"]}, "1235"),
        (12, {"symbols": ["000010", "000050", "999999"]}, "15"),
        (12, {"exclude_symbols": ["000010", "999999"]}, "2345"),
        (12, {"min_price_krw": 2_000}, "4"),
        (
            19,
            {"min_trading_value_krw": 1_000_000},
            "145",
        ),  # mean of 20 sessions: the late and the halted one fall short
        (18, {"min_trading_value_krw": 1}, ""),  # unknown before 20 sessions
        (12, {"top": {"by": "market_cap", "count": 2}}, "12"),
        (12, {"top": {"by": "market_cap", "count": 2, "skip": 1}}, "23"),
        (12, {"top": {"by": "market_cap", "count": 9}}, "1235"),  # an unknown cap is not among the largest
        (19, {"top": {"by": "trading_value", "count": 2}}, "14"),  # ties by symbol
    ],
)
def test_members(
    members: Any, market: Any, fake_source: Any, session: int, parts: dict[str, Any], expected: str
) -> None:
    assert members(market, fake_source, session, **parts) == [f"0000{number}0" for number in expected]


def test_top_counts_within_the_rest_of_the_universe(members: Any, market: Any, fake_source: Any) -> None:
    found = members(market, fake_source, 12, exclude=["administrative"], top={"by": "market_cap", "count": 2})
    assert found == ["000010", "000030"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"themes": ["반도체"]}, "no list of the theme '반도체'"),
        ({"index": "KOSPI200"}, "no members of KOSPI200"),
        ({"symbols": ["999999"]}, "None of the 1 symbols"),
        ({"sectors": ["없음"]}, "No symbol of this snapshot is in the sector '없음'"),
    ],
)
def test_what_the_panel_lacks_is_an_error(
    members: Any, market: Any, fake_source: Any, parts: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        members(market, fake_source, 12, **parts)


LISTS = Memberships(  # known from session 8; changed at the close of 12; the theme from 10; the sector from 11
    groups=(("index", "KOSPI200"), ("sector", "전자"), ("theme", "2차전지")),
    first_list=np.array([0, 2, 3, 4]),
    list_row=np.array([8, 12, 11, 10]),
    first_member=np.array([0, 2, 5, 6, 8]),
    member=np.array([0, 3, 1, 3, 4, 0, 2, 3]),
)


@pytest.mark.parametrize(
    ("session", "parts", "expected"),
    [
        (7, {"index": "KOSPI200"}, ""),  # nobody is a member before the first list
        (8, {"index": "KOSPI200"}, "14"),
        (11, {"index": "KOSPI200"}, "14"),  # holds until the next
        (12, {"index": "KOSPI200"}, "245"),
        (12, {"themes": ["2차전지"]}, "34"),
        (12, {"themes": ["2차전지"], "index": "KOSPI200"}, "4"),
        (10, {"sectors": ["전자"]}, ""),  # dated lists count, not the industry of today
        (11, {"sectors": ["전자"]}, "1"),
        (11, {"sectors": ["전자", "은행 및 저축기관"]}, "1"),
        (10, {"sectors": ["전자", "은행 및 저축기관"]}, "1"),
        (10, {"exclude_sectors": ["전자"]}, "12345"),  # unknown does not exclude
        (11, {"exclude_sectors": ["전자"]}, "2345"),
        (12, {"exclude": ["warning"]}, "1345"),
        (12, {"exclude": ["halted"]}, "1235"),  # 000040 traded, but a halt is recorded
        (12, {"exclude": ["risk"]}, "12345"),  # nothing known of the flag
    ],
)
def test_members_of_lists_and_more_flags(
    members: Any, market: Any, fake_source: Any, session: int, parts: dict[str, Any], expected: str
) -> None:
    market.memberships = LISTS
    market.extra |= {
        "flag_warning": np.tile([0, 1, 255, 0, 0], (N, 1)).astype(np.uint8),
        "flag_halted": np.tile([0, 255, 0, 1, 0], (N, 1)).astype(np.uint8),
    }
    assert members(market, fake_source, session, **parts) == [f"0000{number}0" for number in expected]


def test_sessions_without_a_list_are_counted(market: Any) -> None:
    market.memberships = LISTS
    panel = market.panel()
    universe = Universe(index="KOSPI200", themes=("2차전지",), exclude_sectors=("전자", "은행 및 저축기관"))
    assert unknown_lists(panel, universe, 5, 20) == {"KOSPI200": 3, "2차전지": 5, "전자": 6}
    assert unknown_lists(panel, universe, 11, 20) == {}


def test_top_by_market_cap_needs_market_caps(members: Any, market: Any, fake_source: Any) -> None:
    market.extra = {}
    with pytest.raises(InputError, match="Market cap is unknown"):
        members(market, fake_source, 12, top={"by": "market_cap", "count": 2})


def test_unknown_flags_are_counted(universe_mask: Any, market: Any, fake_source: Any) -> None:
    panel = market.panel()
    asked = ["administrative", "attention", "spac", "financial", "halted"]
    universe = Universe.model_validate({"min_listed_sessions": 0, "exclude": asked, "markets": ["KOSPI", "KOSDAQ"]})
    mask = universe_mask(panel, universe, fake_source(panel))
    # sessions 12 and 13: 000010 is financial, 000020 administrative, 000030 a spac: 000040 is left, kind unknown
    assert unknown_flags(panel, universe, mask, 12, 14) == {
        "administrative": 0,
        "attention": 2,
        "financial": 0,
        "spac": 2,
    }


def test_the_mask_covers_the_whole_panel_and_no_session_sees_another(
    universe_mask: Any, market: Any, fake_source: Any
) -> None:
    panel = market.panel()
    universe = Universe.model_validate({"min_trading_value_krw": 1, "exclude": ["halted"]})
    mask = universe_mask(panel, universe, fake_source(panel))
    panel.fields["traded"][20:] = False
    panel.fields["listed"][22:] = False
    np.testing.assert_array_equal(universe_mask(panel, universe, fake_source(panel))[:20], mask[:20])
