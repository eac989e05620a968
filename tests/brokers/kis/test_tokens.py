"""One token for a day, asked for no more often than KIS allows, whatever happens to it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from fakes.broker_faults import Target, Trouble
from fakes.kis_stage import Stage, ticket

from stocklab.errors import BrokerDenied, BrokerTemporary, OrderUnknown, OrderUnsent

_DAY = date(2026, 11, 20)
_TOKEN = "/oauth2/tokenP"


def test_one_token_lasts_a_day_and_a_restart():
    stage = Stage()
    for _ in range(3):
        stage.broker.check()
        stage.broker = stage.adapter()
        stage.now += timedelta(hours=7)
    assert stage.fake.count(_TOKEN) == 1
    stage.now += timedelta(hours=3)  # 24 hours
    stage.broker.check()
    assert stage.fake.count(_TOKEN) == 2


def test_the_end_of_a_token_is_read_as_time_in_seoul():
    stage = Stage()
    stage.broker.check()
    (kept,) = stage.tokens._tokens.values()
    assert kept.expires_at == stage.now + timedelta(hours=24)
    assert kept.value not in repr(kept) + repr(stage.tokens)


def test_a_dead_token_costs_one_question_more():
    stage = Stage()
    stage.broker.check()
    stage.fake.kill_tokens()
    stage.sleep(120)
    assert stage.broker.day_orders(_DAY) == []
    assert (stage.fake.count(_TOKEN), stage.fake.hasty_tokens) == (2, 0)


def test_it_is_not_asked_for_again_within_a_minute_even_after_a_restart():
    stage = Stage()
    stage.fake.troubles.plan(Target.TOKEN, Trouble.NO_ANSWER)
    with pytest.raises(BrokerTemporary):
        stage.broker.check()
    stage.broker = stage.adapter()
    with pytest.raises(BrokerTemporary, match="10:15:15 KST"):
        stage.broker.check()
    with pytest.raises(OrderUnsent):
        stage.broker.send(ticket())
    assert stage.fake.count(_TOKEN) == 1
    stage.sleep(61)
    stage.broker.check()
    assert (stage.fake.count(_TOKEN), stage.fake.hasty_tokens) == (2, 0)


@pytest.mark.parametrize(
    "trouble", [Trouble.NO_ANSWER, Trouble.ERROR_500, Trouble.HTML, Trouble.TOO_MANY, Trouble.TRUNCATED]
)
def test_trouble_with_the_token_means_that_an_order_was_not_sent(trouble: Trouble):
    stage = Stage()
    stage.fake.troubles.plan(Target.TOKEN, trouble)
    with pytest.raises(OrderUnsent):
        stage.broker.send(ticket())
    assert stage.exchange.orders == []
    stage.sleep(61)
    stage.broker.send(ticket())
    assert len(stage.exchange.orders) == 1


def test_an_order_that_meets_a_dead_token_is_in_doubt_and_the_next_one_works():
    stage = Stage()
    stage.broker.check()
    stage.fake.kill_tokens()
    stage.sleep(61)
    with pytest.raises(OrderUnknown) as unknown:
        stage.broker.send(ticket())
    assert unknown.value.likely_refused
    stage.broker.send(ticket())
    assert (len(stage.exchange.orders), stage.fake.count(_TOKEN)) == (1, 2)


def test_the_same_dead_token_again_and_again_ends_with_a_person():
    stage = Stage()
    stage.broker.check()
    stage.fake.stubborn = True
    stage.fake.kill_tokens()
    began = stage.now
    denied: BrokerDenied | None = None
    for _ in range(1_000):
        stage.sleep(10)
        try:
            stage.broker.day_orders(_DAY)
        except BrokerTemporary:
            continue
        except BrokerDenied as error:
            denied = error
            break
    assert "other environment" in str(denied)
    # The second after 61 seconds, the third 122 and the fourth 244 later, then no more; none in haste.
    assert stage.fake.count(_TOKEN) == 4
    assert stage.fake.hasty_tokens == 0
    assert stage.now - began >= timedelta(seconds=61 + 122 + 244)


@pytest.mark.parametrize("changes", [{"app_key": "PSOTHER"}, {"app_secret": "other"}])
def test_wrong_keys_need_a_person(changes: dict[str, str]):
    stage = Stage()
    broker = stage.adapter(credentials=stage.credentials(**changes))
    with pytest.raises(BrokerDenied):
        broker.check()
    with pytest.raises((BrokerDenied, OrderUnsent)):
        broker.send(ticket())
    assert stage.exchange.orders == []


def test_live_and_mock_do_not_share_a_token():
    live, mock = Stage(), Stage(mock=True)
    live.broker.check()
    mock.tokens = live.tokens
    mock.broker = mock.adapter()
    mock.broker.check()
    assert len(live.tokens._tokens) == 2


@pytest.mark.parametrize("mock", [False, True])
def test_the_pace_is_kept(mock: bool):
    stage = Stage(mock=mock)
    began = stage.now
    for _ in range(40):
        stage.broker.send(ticket(quantity="1"))
    assert stage.fake.overruns == 0
    # 15 a second live; 0.9 a second in mock. The first goes at once.
    assert (stage.now - began).total_seconds() == pytest.approx(39 / (0.9 if mock else 15), rel=0.01)
