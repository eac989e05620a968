"""A person adds a webhook in the browser, sends it a test, and the signed message arrives."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator

import live_app
import pytest
from fakes.http_service import FakeService, Fault, Reply, Seen
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

SECRET = "a-secret-of-my-n8n-here"


class Receiver(FakeService):
    """Takes whatever is posted."""

    def answer(self, seen: Seen, spoil: Fault | None) -> Reply:
        return Reply(status=204)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as service:
        yield service


def test_a_webhook_is_added_tried_and_told_in_the_browser(
    visitor: Callable[..., Page], live: live_app.LiveApp, receiver: Receiver
) -> None:
    page = visitor("/alerts?lang=en&section=channels", width=390, height=844)
    expect(page.get_by_text("No channel yet.")).to_be_visible()
    page.get_by_text("Webhook (n8n and others)").click()
    live_app.settled(page)
    page.get_by_label("Address (https://...)").first.fill(f"{receiver.url}/webhook/abc")
    page.get_by_label("Secret to sign with").fill(SECRET)
    page.get_by_role("button", name="Add the channel").click()
    expect(page.get_by_text("The channel was added. Send it a test.")).to_be_visible()
    expect(page.get_by_text(SECRET)).to_have_count(1)  # shown once, to be copied
    expect(page.get_by_text("Not tried yet")).to_be_visible()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The test arrived")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Works").first).to_be_visible()
    (seen,) = receiver.seen
    parts = dict(part.split("=", 1) for part in seen.headers["x-stocklab-signature"].split(","))
    expected = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + seen.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(expected, parts["v1"])
    assert json.loads(seen.body)["kind"] == "test"
    assert seen.path == "/webhook/abc"
    page.goto(f"{live.url}/alerts?lang=en")
    live_app.settled(page)
    expect(page.get_by_text("1 new")).to_be_visible()
    expect(page.get_by_text("The channel Webhook (n8n and others) works.")).to_be_visible()
    page.get_by_role("button", name="Mark as read").click()
    expect(page.get_by_text("1 new")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert SECRET not in live.log.read_text(errors="replace")
