"""Has one thread for each account that is to be open. The threads send orders; this lane only keeps them going."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from stocklab.live.accounts import BrokerAccounts, LinkedAccount
from stocklab.live.desk import DeskParts
from stocklab.sidecar.account_thread import AccountThread, Open, Pace
from stocklab.sidecar.lanes import Lane

__all__ = ["Shared", "TradingLane"]

log = structlog.get_logger(__name__)

Shared = Callable[["TradingLane"], tuple[BrokerAccounts, Open, DeskParts]]
"""Accounts, how one is opened, and the parts of their desks."""


@dataclass(kw_only=True, eq=False)
class TradingLane(Lane):
    """``shared`` builds what the desks share, once the lane begins."""

    shared: Shared
    pace: Pace = field(default_factory=Pace)
    threads: dict[str, AccountThread] = field(default_factory=dict)
    _made: tuple[BrokerAccounts, Open, DeskParts] | None = None

    name = "trading"

    def work_once(self) -> bool:
        """Begin with accounts that are to be open, and end with those that are not any more."""
        if self._made is None:
            self._made = self.shared(self)
        accounts, opened, parts = self._made
        wanted = {one.id: one for one in accounts.to_open()}
        for account_id in [name for name, thread in self.threads.items() if name not in wanted or not thread.alive]:
            thread = self.threads.pop(account_id)
            thread.end()
            log.info("account_closed", account=account_id)
        for account_id, account in wanted.items():
            if account_id not in self.threads:
                self.threads[account_id] = self._begun(account, accounts, opened, parts)
        return False

    def watch(self) -> None:
        """Nothing here is cancelled by a person: orders are, one by one."""

    def join(self, seconds: float) -> bool:
        """Wait for every thread to end its round."""
        deadline = time.monotonic() + seconds
        ended = super().join(seconds)
        for thread in self.threads.values():
            thread.end()
        return all(thread.join(deadline - time.monotonic()) for thread in self.threads.values()) and ended

    def _begun(self, account: LinkedAccount, accounts: BrokerAccounts, opened: Open, parts: DeskParts) -> AccountThread:
        thread = AccountThread(
            account=account,
            accounts=accounts,
            opened=opened,
            parts=parts,
            stopping=self.stopping,
            pace=self.pace,
        )
        thread.start()
        log.info("account_opened", account=account.id, broker=account.broker.value, mock=account.mock)
        return thread
