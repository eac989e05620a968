"""The UI process tells that the scheduler is down, and sends it itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fakes.http_service import FakeService, Fault, Reply, Seen

from stocklab.alerts import ChannelKind, Channels
from stocklab.db import LOCAL_OWNER_ID
from stocklab.operations import Uptime, open_sealer
from stocklab.portfolios import Lab
from stocklab.settings import Settings
from stocklab.web.watchman import Watchman


class Receiver(FakeService):
    """Takes whatever is posted."""

    def answer(self, seen: Seen, spoil: Fault | None) -> Reply:
        return Reply(status=204)


def test_a_scheduler_that_is_gone_is_told_from_here_once(tmp_path: Path) -> None:
    lab = Lab.open(Settings(home=tmp_path / "home", alerts_to_private_hosts=True))
    try:
        with Receiver() as receiver:
            channels = Channels(lab.database, open_sealer(lab.settings), lab.limits)
            channels.add(LOCAL_OWNER_ID, ChannelKind.WEBHOOK, "n8n", {"url": receiver.url}, language="en")
            watchman = Watchman(lab)
            assert watchman.look() == 0  # it never ran
            Uptime(lab.database).beat("scheduler", "a:1:b", datetime.now(UTC) - timedelta(minutes=6))
            receiver.fail(Fault.RESET)
            assert [watchman.look() for _ in range(2)] == [0, 0]
            with lab.database.write() as session:
                session.connection().exec_driver_sql("UPDATE alert_deliveries SET next_at = '2026-01-01 00:00:00'")
            assert [watchman.look() for _ in range(2)] == [1, 0]
            assert {json.loads(seen.body)["title"] for seen in receiver.seen} == {"The scheduler is down"}
            assert len(receiver.seen) == 2
    finally:
        lab.close()
