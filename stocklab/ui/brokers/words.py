"""Words of brokers and their accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stocklab.brokers.values import BrokerName
from stocklab.live.account_board import AccountState
from stocklab.live.accounts import AccountKind, LinkedAccount
from stocklab.ui import blocks
from stocklab.ui.text import N_, _

__all__ = ["ADVICE", "BROKERS", "FIELDS", "NEEDS", "QUOTES", "SOCKETS", "STAGES", "STATES", "STATE_LOOKS", "kind_badge"]

BROKERS: Final[Mapping[BrokerName, str]] = {
    BrokerName.PAPER: N_("Paper account"),
    BrokerName.KIWOOM: N_("Kiwoom Securities"),
    BrokerName.KIS: N_("Korea Investment & Securities"),
    BrokerName.UPBIT: N_("Upbit (coins)"),
}
FIELDS: Final[Mapping[str, str]] = {
    "app_key": N_("App key"),
    "secret_key": N_("Secret key"),
    "app_secret": N_("App secret"),
    "access_key": N_("Access key"),
    "account": N_("Account number"),
    "hts_id": N_("HTS id"),
}
NEEDS: Final[Mapping[BrokerName, tuple[str, ...]]] = {
    BrokerName.PAPER: (
        N_("Nothing is needed: orders are filled here with play money, by the rules of the backtest."),
        N_("Every strategy begins here before it may trade anywhere else."),
    ),
    BrokerName.KIWOOM: (
        N_("Apply for the REST API on openapi.kiwoom.com; every account has an app key and a secret key of its own."),
        N_("Register the public address (IP) of the machine that runs this there, 10 at most; others are refused."),
        N_("Mock trading has keys of its own: the two kinds are not interchangeable."),
        N_("Keep the account for this program alone: an order by hand with the same terms cannot be told from ours."),
    ),
    BrokerName.KIS: (
        N_("Apply for KIS Developers (apiportal.koreainvestment.com); live and mock trading have keys of their own."),
        N_("The account is eight digits and two for the product, such as 12345678-01."),
        N_("With your HTS id fills are known at once; without it they are asked for every few seconds."),
        N_("Each new token sends you a message; one is kept for a day, also over restarts."),
    ),
    BrokerName.UPBIT: (
        N_("Make a key under Open API management with the rights to see assets, see orders and order."),
        N_("Do not give the right to withdraw: it is never needed here."),
        N_("Register the public address (IP) of the machine that runs this; the key ends after a year."),
        N_("Upbit has no mock trading: try coins on a paper account first."),
    ),
}
STATES: Final[Mapping[AccountState, str]] = {
    AccountState.UNLINKED: N_("Unlinked"),
    AccountState.PAUSED: N_("Paused"),
    AccountState.TRADING_OFF: N_("Trading is switched off here"),
    AccountState.NO_PROCESS: N_("Nobody works: the background process is not running"),
    AccountState.DENIED: N_("The broker refuses the keys"),
    AccountState.HALTED: N_("Orders stopped until you look"),
    AccountState.SILENT: N_("The account's thread does not run"),
    AccountState.NEW: N_("Not looked at yet"),
    AccountState.TROUBLE: N_("In trouble"),
    AccountState.WELL: N_("Well"),
}
STATE_LOOKS: Final[Mapping[AccountState, tuple[str, str]]] = {
    AccountState.UNLINKED: ("link_off", "gray"),
    AccountState.PAUSED: ("pause_circle", "gray"),
    AccountState.TRADING_OFF: ("power_off", "orange"),
    AccountState.NO_PROCESS: ("power_off", "orange"),
    AccountState.DENIED: ("key_off", "red"),
    AccountState.HALTED: ("front_hand", "red"),
    AccountState.SILENT: ("heart_broken", "orange"),
    AccountState.NEW: ("hourglass_empty", "gray"),
    AccountState.TROUBLE: ("warning", "orange"),
    AccountState.WELL: ("check_circle", "green"),
}
"""Icon and colour of a state."""

ADVICE: Final[Mapping[AccountState, str]] = {
    AccountState.TRADING_OFF: N_("STOCKLAB_TRADING=off: no account is opened and no order is sent."),
    AccountState.NO_PROCESS: N_("Start the program with `stocklab up`, or `stocklab scheduler` beside it."),
    AccountState.DENIED: N_("Check the rights, the registered address and the keys, then enter the keys again."),
    AccountState.HALTED: N_("Compare the account in the broker's own app. Pause and open the account here to go on."),
    AccountState.SILENT: N_("It should have looked at the account by now. See the System page and the log."),
    AccountState.NEW: N_("The background process tries the keys within seconds and says here how it went."),
    AccountState.PAUSED: N_("Nothing is read or sent there until you open it. Orders that the broker has stay there."),
}
QUOTES: Final[Mapping[str, str]] = {
    "socket": N_("live (socket)"),
    "rest": N_("asked for every few seconds (REST)"),
    "close": N_("delayed: last close"),
    "": N_("none yet"),
}
SOCKETS: Final[Mapping[str, str]] = {
    "up": N_("connected"),
    "down": N_("down"),
    "evicted": N_("closed: another program uses the key"),
    "": N_("not connected"),
}
STAGES: Final[Mapping[str, str]] = {
    "normal": N_("normal"),
    "no_entries": N_("no new purchases"),
    "reduce": N_("positions are halved"),
    "flatten": N_("everything is sold"),
}
_KINDS: Final[Mapping[AccountKind, tuple[str, str, str]]] = {
    AccountKind.PAPER: (N_("Paper"), "edit_note", "gray"),
    AccountKind.MOCK: (N_("Mock trading"), "school", "blue"),
    AccountKind.LIVE: (N_("REAL MONEY"), "paid", "red"),
}


def kind_badge(account: LinkedAccount) -> str:
    """The label that tells play money from real money."""
    words, icon, colour = _KINDS[account.kind]
    return blocks.badge(_(words), icon, colour)
