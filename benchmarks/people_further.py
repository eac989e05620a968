"""Further states of a home with accounts: doors that settings change, refusals, results, an opened seal, what is shown
once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import people_states
import pyotp
from live_app import settled
from playwright.sync_api import Page
from sqlalchemy import delete

from stocklab.accounts import User
from stocklab.community import Comments, Remark
from stocklab.db import RateWindowRow
from stocklab.portfolios import Lab
from stocklab.settings import Settings

__all__ = ["ENDINGS", "STRICT", "Act", "States", "add_leaver", "further", "opened", "results", "strict_doors"]

Act = Callable[[Page], None]
States = Mapping[str, tuple[str, Act | None]]

STRICT: Final = {
    "sign_ups_an_hour": 0,
    "smtp_server": "127.0.0.1",
    "smtp_port": 9,  # nobody listens there; what the visitor hears is the same
    "smtp_tls": "none",
    "mail_from": "lab@example.com",
    "public_url": "https://lab.example.com",
}
"""Settings of a home that takes nobody new and sends mail."""
_SECTIONS: Final = (
    *("overview", "holdings", "trades", "orders", "stocks", "explain", "cash", "costs", "trust", "settings"),
)


def strict_doors() -> States:
    """The doors under `STRICT`."""
    return {
        "sign-up-closed": ("/auth/signup", None),
        "log-in-no-sign-up": ("/auth/login", None),
        "forgot-mail": ("/auth/forgot", None),
        "forgot-sent": ("/auth/forgot", _forgot),
    }


def results(people: people_states.People) -> States:
    """Result pages of the member: their own, a published one of somebody else, and refusals."""
    found: dict[str, tuple[str, Act | None]] = {
        f"result-{name}": (f"results?run={people.ids['run']}&result_section={name}", None) for name in _SECTIONS
    }
    found |= {
        "result-published": (f"results?run={people.ids['run_open']}", None),
        "result-refused": (f"results?run={people.ids['run_private']}", None),
        "result-unknown": ("results?run=nothing", None),
        "result-job-unknown": ("results?job=nothing", None),
        "result-saved": (f"results?run={people.ids['run']}", _press(".st-key-save_strategy")),
        "result-compare": (f"results?compare={people.ids['run']},{people.ids['run_open']}", None),
    }
    return found


def further(home: Path, people: people_states.People) -> States:
    """What a member sees after doing something."""
    return {
        "account-second-codes": ("account?section=security", lambda page: _second_step(page, home)),
        "account-second-on": ("account?section=security", None),
        "account-second-wrong": ("account?section=security", _wrong_code),
        "account-password-wrong": ("account?section=security", _passwords("not the old one", "a good long password")),
        "account-password-short": ("account?section=security", _passwords(people_states.PASSWORD, "short")),
        "account-password-same": (
            "account?section=security",
            _passwords(people_states.PASSWORD, people_states.PASSWORD),
        ),
        "account-token-made": ("account?section=tokens", _make_token),
        "account-token-nothing": ("account?section=tokens", _press(".st-key-make_token")),
        "account-leave-wrong": ("account?section=leave", _leave_wrongly),
        "community-write-empty": ("community?write=1", _press(".st-key-post_send")),
        "community-write-about": (f"community?write=1&publication={people.ids['open']}", None),
        "community-answer": (f"community?post={people.ids['post']}", _press("[class*='st-key-answer_']")),
        "community-report": (f"community?post={people.ids['reported']}", _press("[class*='st-key-report_']")),
        "community-mine": ("community?board=mine", None),
        "shared-withdraw": (f"shared?publication={people.ids['sealed']}", _press(".st-key-withdraw_publication")),
        "shared-open-seal": (f"shared?publication={people.ids['sealed']}", _press(".st-key-reveal_publication")),
        "shared-opened-own": (f"shared?publication={people.ids['opened']}", None),
        "builder-cloned": (f"shared?publication={people.ids['open']}", _clone),
        "builder-member": ("builder", None),
        "screener-member": ("screener", None),
        "company-member": ("company", None),
        "data-member": ("data", None),
        "system-member": ("system", None),
        "sweeps-member": ("sweeps", None),
        "strategies-delete": ("strategies", _press("[class*='st-key-delete_']")),
        "strategies-rename": ("strategies", _press("[class*='st-key-rename_']")),
        "help-sent": ("help", _send_feedback),
    }


def opened(people: people_states.People) -> States:
    """An opened seal as somebody else sees it."""
    return {"shared-opened-other": (f"shared?publication={people.ids['opened']}", None)}


def _ban(lab: Lab, user: User) -> None:
    admin = lab.accounts.users.by_email("user0@example.com")
    assert admin is not None
    lab.accounts.administration.ban(admin.id, user.id, until=datetime.now(UTC) + timedelta(days=7))


def _switch_off(lab: Lab, user: User) -> None:
    admin = lab.accounts.users.by_email("user0@example.com")
    assert admin is not None
    lab.accounts.administration.set_active(admin.id, user.id, active=False)


ENDINGS: Final[Mapping[str, tuple[str, str, Callable[[Lab, User], object]]]] = {
    "logged-out": ("community", "user3@example.com", lambda lab, user: lab.accounts.sessions.end_all(user.id)),
    "logged-out-account": ("account", "user3@example.com", lambda lab, user: lab.accounts.sessions.end_all(user.id)),
    "banned-open": ("community", "user102@example.com", _ban),
    "switched-off-open": ("strategies", "user103@example.com", _switch_off),
}
"""Page, visitor, and what happens to the visitor while the page is open."""


def add_leaver(home: Path, people: people_states.People) -> None:
    """Somebody writes under the post and deletes the account."""
    lab = Lab.open(Settings(home=home, single_user=False))
    user = lab.accounts.users.by_email("user104@example.com")
    assert user is not None
    Comments(lab.database).write(user.id, Remark(post_id=people.ids["post"], body="저는 이제 그만두려고 합니다."))
    lab.accounts.leaving.leave(user.id, people_states.PASSWORD)
    lab.close()


def _press(where: str) -> Act:
    def act(page: Page) -> None:
        page.locator(f"{where} button:visible").first.click()
        page.wait_for_timeout(700)

    return act


def _forgot(page: Page) -> None:
    page.locator("[name=email]").fill("user1@example.com")
    page.locator("form button").first.click()


def _second_step(page: Page, home: Path) -> None:
    """Turn it on, after turning off what another picture turned on."""
    lab = Lab.open(Settings(home=home, single_user=False))
    user = lab.accounts.users.by_email("user1@example.com")
    assert user is not None
    with lab.database.write() as session:  # every picture of a fault counts as a try
        session.execute(delete(RateWindowRow).where(RateWindowRow.subject == f"within:{user.id}"))
    if user.has_second_factor:
        lab.accounts.second_factor.drop(user.id, by=None)
        page.reload()
        settled(page)
    lab.close()
    page.locator(".st-key-begin_second button").click()
    secret = page.locator("[data-testid=stCode]").first.inner_text().replace(" ", "").strip()
    page.locator(".st-key-field_code input").fill(pyotp.TOTP(secret).now())
    page.locator(".st-key-enable_second button").click()
    page.locator(".st-key-disable_second").wait_for()


def _wrong_code(page: Page) -> None:
    page.locator(".st-key-field_change input").fill("000000")
    page.locator(".st-key-disable_second button").click()
    page.wait_for_timeout(700)


def _passwords(old: str, new: str) -> Act:
    def act(page: Page) -> None:
        for key, value in {"old": old, "new": new, "again": new}.items():
            page.locator(f".st-key-field_{key} input").fill(value)
        page.locator(".st-key-change_password button").click()
        page.wait_for_timeout(1500)

    return act


def _make_token(page: Page) -> None:
    page.locator(".st-key-field_token_name input").fill("내 보고서")
    page.locator(".st-key-account_scopes input").click()
    page.locator("[role=option]").first.click()
    page.keyboard.press("Escape")
    page.locator(".st-key-make_token button").click()
    page.wait_for_timeout(700)


def _leave_wrongly(page: Page) -> None:
    page.locator(".st-key-field_leave input").fill("not the password")
    page.locator(".st-key-account_sure label").click()
    page.locator(".st-key-leave_now button").click()
    page.wait_for_timeout(1500)


def _clone(page: Page) -> None:
    page.locator(".st-key-clone_publication button:visible").first.click()
    page.wait_for_url(re.compile("builder"))
    settled(page)


def _send_feedback(page: Page) -> None:
    page.locator("textarea").first.fill("데이터가 며칠 늦습니다.")
    page.locator("[data-testid=stFormSubmitButton] button").first.click()
    page.wait_for_timeout(700)
