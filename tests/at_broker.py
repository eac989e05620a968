"""What tests of the pages of trading share: a linked account, an order in its journal, what a page says."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from streamlit.testing.v1 import AppTest

from stocklab.brokers.values import BrokerName, PriceKind, Side
from stocklab.live.accounts import BrokerAccounts, LinkedAccount
from stocklab.operations import open_sealer
from stocklab.portfolios import Lab
from stocklab.trading import OUTSIDE
from stocklab.trading.journal import Draft, Journal, Origin
from stocklab.ui import emergency

KEYS = {"app_key": "an-app-key", "secret_key": "a-secret-key-of-kiwoom", "account": "8012345611"}


def said(page: AppTest) -> str:
    assert not page.exception
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success", "html")
    return "\n".join(
        str(getattr(part, "value", "") or getattr(part.proto, "body", "")) for kind in kinds for part in page.get(kind)
    )


def keys_of(page: AppTest) -> set[str]:
    return {str(part.key) for part in page.button}


def accounts(lab: Lab) -> BrokerAccounts:
    return BrokerAccounts(lab.database, open_sealer(lab.settings))


def linked(lab: Lab, owner: str = "local", *, name: str = "모의 키움", mock: bool = True) -> LinkedAccount:
    emergency.forget()
    return accounts(lab).link(owner, BrokerName.KIWOOM, mock=mock, name=name, entered=KEYS)


def intend(lab: Lab, account: LinkedAccount) -> str:
    one = Decimal(1)
    draft = Draft(
        symbol="005930",
        side=Side.BUY,
        kind=PriceKind.LIMIT,
        quantity=one,
        limit_price_krw=Decimal(70_000),
        parts={OUTSIDE: one},
        origin=Origin.PERSON,
    )
    (kept,) = Journal(lab.database, account.owner_id, account.id).intend([draft], datetime.now(UTC))
    return kept.order.order_id
