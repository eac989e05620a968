"""Pictures of what people see in a home with accounts: full and empty, as admin, as member, logged out, at the door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import live_app
import people_further
import people_states
import pyotp
from people_further import Act, States
from pictures import WIDTHS, whole_page
from playwright.sync_api import Browser, BrowserContext, Page

from stocklab.portfolios import Lab
from stocklab.settings import Settings

__all__ = ["photograph_people"]

LANGUAGES: Final = ("ko", "en")
_ACCOUNT: Final = ("profile", "security", "sessions", "tokens", "leave")
_ADMIN: Final = ("people", "figures", "plans", "inbox", "reports", "notices")
_EMPTY: Final = ("shared", "ranking", "community", "news", "watch", "start", "help", "strategies", "results", "sweeps")
_OF_THE_MARKET: Final = (
    *("", "builder", "screener", "company", "sweeps", "results", "factors", "data", "system"),
    *("news", "watch", "start", "shared", "ranking", "strategies"),
)


def photograph_people(browser: Browser, folder: Path, out: Path, only: str = "", symbols: int = 400) -> int:
    """All of them; how many pictures were made."""
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    empty = folder / "empty"
    with live_app.serving(empty, single_user="false") as app:
        count += photograph_empty(_Camera(browser, app, out, only), empty)
    with live_app.serving(empty, single_user="false", **people_further.STRICT) as app:
        count += _Camera(browser, app, out, only).doors(people_further.strict_doors())
    full = folder / "full"
    with live_app.serving(full, demo_symbols=symbols, single_user="false") as app:
        pass  # made the demo market
    people = people_states.fill(full)
    people_further.add_leaver(full, people)
    with live_app.serving(full, demo_symbols=symbols, single_user="false") as app:
        camera = _Camera(browser, app, out, only)
        count += camera.pages(_admin_states(), people.tokens["admin"])
        count += camera.pages(_member_states(people), people.tokens["member"])
        count += camera.pages(people_further.results(people), people.tokens["member"])
        count += camera.pages(people_further.further(full, people), people.tokens["member"])
        count += camera.pages(people_further.opened(people), people.tokens["other"])
        count += camera.ended(full)
        count += camera.doors(_door_states(full))
        count += camera.doors({"closed": ("/auth/closed", None)}, people.tokens["banned"])
        count += camera.doors({"log-out": ("/auth/logout", None)}, people.tokens["member"])
    return count


def photograph_empty(camera: _Camera, home: Path) -> int:
    """What the first person meets, with nothing there yet; how many pictures were made."""
    count = camera.doors({"first": ("/auth/login", None)})
    tokens = people_states.found(home).tokens
    states: dict[str, tuple[str, Act | None]] = {f"empty-{name}": (name, None) for name in _EMPTY}
    states |= {f"empty-admin-{name}": (f"admin?section={name}", None) for name in ("inbox", "reports", "notices")}
    states |= {"empty-home": ("", None), "empty-tokens": ("account?section=tokens", None)}
    count += camera.pages(states, tokens["admin"])
    (home / "market" / "CURRENT").unlink()  # from here on there is no market
    count += camera.pages({f"no-data-{name or 'home'}": (name, None) for name in _OF_THE_MARKET}, tokens["admin"])
    asked = {f"no-data-member-{name or 'home'}": (name, None) for name in ("", "builder", "data")}
    return count + camera.pages(asked, tokens["member"])


class _Camera:
    """Goes through states in both languages and widths."""

    def __init__(self, browser: Browser, app: live_app.LiveApp, out: Path, only: str) -> None:
        self._browser = browser
        self._app = app
        self._out = out
        self._only = re.compile(only)

    def pages(self, states: States, token: str) -> int:
        """Pages of the app, with the session of somebody."""
        count = 0
        for language, label, context in self._contexts(token):
            page = context.new_page()
            for name, (address, act) in states.items():
                if self._only.match(name):
                    self._open(page, address, language, label)
                    if act is not None:
                        act(page)
                        live_app.settled(page)
                    whole_page(page, self._out / f"{name}-{language}-{label}.png")
                    count += 1
        return count

    def ended(self, home: Path) -> int:
        """Pages whose session ends while they are open; the visitor then does something on them."""
        count = 0
        for name, (address, email, end) in people_further.ENDINGS.items():
            if not self._only.match(name):
                continue
            lab = Lab.open(Settings(home=home, single_user=False))
            admin, user = (lab.accounts.users.by_email(one) for one in ("user0@example.com", email))
            assert admin is not None
            assert user is not None
            for language, label, context in self._contexts():
                lab.accounts.administration.set_active(admin.id, user.id, active=True)
                lab.accounts.administration.ban(admin.id, user.id, until=None)
                token = people_states.enter(lab, user)
                context.add_cookies([{"name": "stocklab_session", "value": token, "url": self._app.url}])
                page = context.new_page()
                self._open(page, address, language, label)
                end(lab, user)
                page.wait_for_timeout(4000)  # a session is looked up again after three seconds
                page.locator(".st-key-lang button").nth(int(language == "ko")).click()
                live_app.settled(page)
                whole_page(page, self._out / f"{name}-{language}-{label}.png")
                count += 1
            lab.close()
        return count

    def doors(self, states: States, token: str = "") -> int:
        """Pages in front of the app, which are no pages of Streamlit."""
        count = 0
        for name, (address, act) in states.items():
            if not self._only.match(f"door-{name}"):
                continue
            for language, label, context in self._contexts(token):
                page = context.new_page()
                page.goto(f"{self._app.url}{address}{'&' if '?' in address else '?'}lang={language}")
                if act is not None:
                    act(page)
                page.screenshot(path=str(self._out / f"door-{name}-{language}-{label}.png"), full_page=True)
                count += 1
        return count

    def _open(self, page: Page, address: str, language: str, label: str) -> None:
        width, height = WIDTHS[label]
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{self._app.url}/{address}{'&' if '?' in address else '?'}lang={language}")
        live_app.settled(page)

    def _contexts(self, token: str = "") -> Iterator[tuple[str, str, BrowserContext]]:
        for language in LANGUAGES:
            for label, (width, height) in WIDTHS.items():
                context = self._browser.new_context(viewport={"width": width, "height": height}, locale="ko-KR")
                if token:
                    context.add_cookies([{"name": "stocklab_session", "value": token, "url": self._app.url}])
                yield language, label, context
                context.close()


def _admin_states() -> dict[str, tuple[str, Act | None]]:
    states: dict[str, tuple[str, Act | None]] = {f"admin-{name}": (f"admin?section={name}", None) for name in _ADMIN}
    states["admin-people-change"] = ("admin", lambda page: page.locator("[class*=st-key-change_] button").last.click())
    states["admin-people-none"] = ("admin", lambda page: _type(page, ".st-key-admin_search input", "nobody@"))
    states["admin-people-link"] = ("admin", _reset_link)
    states["start-questions"] = ("start", None)  # the member has answered them
    states["admin-inbox-answered"] = ("admin?section=inbox&state=answered", None)
    return states


def _member_states(people: people_states.People) -> dict[str, tuple[str, Act | None]]:
    states: dict[str, tuple[str, Act | None]] = {
        f"account-{name}": (f"account?section={name}", None) for name in _ACCOUNT
    }
    states["account-profile-wrong"] = ("account", _wrong_profile)
    states["account-second"] = (
        "account?section=security",
        lambda page: page.locator(".st-key-begin_second button").click(),
    )
    states["account-leave-unsure"] = (
        "account?section=leave",
        lambda page: page.locator(".st-key-leave_now button").click(),
    )
    states["admin-refused"] = ("admin", None)
    shared = ("open", "sealed", "anonymous", "grave", "unlisted", "clone")
    states |= {f"shared-{name}": (f"shared?publication={people.ids[name]}", None) for name in shared}
    states["shared-list"] = ("shared", None)
    states["shared-none"] = ("shared", lambda page: _type(page, ".st-key-shared_search input", "없는이름"))
    states["shared-unknown"] = ("shared?publication=nothing", None)
    boards = ("after_publication", "deflated_sharpe", "risk_adjusted", "backtest")
    states |= {f"ranking-{name}": (f"ranking?board={name}", None) for name in boards}
    states["ranking-filter"] = ("ranking?board=backtest", _filter_ranking)
    states["ranking-real"] = ("ranking", lambda page: page.locator(".st-key-ranking_demo label").click())
    states |= {
        "community-list": ("community", None),
        "community-week": ("community?board=week", None),
        "community-tag": ("community?tag=배당", None),
        "community-post": (f"community?post={people.ids['post']}", None),
        "community-hidden": (f"community?post={people.ids['hidden']}", None),
        "community-unknown": ("community?post=nothing", None),
        "community-write": ("community?write=1", None),
        "community-search": ("community", lambda page: _type(page, ".st-key-community_search input", "저변동성")),
        "community-search-none": ("community", lambda page: _type(page, ".st-key-community_search input", "없는말")),
        "news-list": ("news", None),
        "news-articles": ("news", lambda page: page.locator(".st-key-news_category button").nth(1).click()),
        "watch-list": ("watch", None),
        "watch-recent": ("watch?list=recent", None),
        "start-suggestions": ("start", _answer_questions),
        "help-page": ("help", None),
        "strategies-list": ("strategies", None),
        "strategies-details": ("strategies", _strategy_details),
        "strategies-share": ("strategies", lambda page: page.locator("[class*='st-key-share_'] button").first.click()),
        "results-list": ("results", None),
        "home-member": ("", None),
    }
    return states


def _door_states(home: Path) -> dict[str, tuple[str, Act | None]]:
    lab = Lab.open(Settings(home=home, single_user=False))
    second = lab.accounts.users.by_email("user2@example.com")
    asking = lab.accounts.users.by_email("user4@example.com")
    assert second is not None
    assert asking is not None
    begun = lab.accounts.second_factor.begin(second.id)
    lab.accounts.second_factor.enable(second.id, pyotp.TOTP(begun.secret).now())
    token = lab.accounts.resets.begin(asking.id, by=None)
    lab.close()
    return {
        "log-in": ("/auth/login", None),
        "log-in-wrong": ("/auth/login", lambda page: _log_in(page, "user5@example.com", "wrong password")),
        "log-in-locked": ("/auth/login", _locked_out),
        "second-step": ("/auth/login", lambda page: _log_in(page, "user2@example.com", people_states.PASSWORD)),
        "second-step-wrong": ("/auth/login", _wrong_code),
        "sign-up": ("/auth/signup", None),
        "sign-up-wrong": ("/auth/signup", _wrong_sign_up),
        "forgot": ("/auth/forgot", None),
        "reset": (f"/auth/reset?token={token}", None),
        "reset-over": ("/auth/reset?token=nothing", None),
        "reset-differs": (f"/auth/reset?token={token}", _wrong_reset),
        "switched-off": ("/auth/login", lambda page: _log_in(page, "user8@example.com", people_states.PASSWORD)),
    }


def _reset_link(page: Page) -> None:
    page.locator("[class*=st-key-change_] button").last.click()
    page.locator("[class*=st-key-reset_] button").click()
    page.locator("[data-testid=stCode]").wait_for()


def _type(page: Page, where: str, words: str) -> None:
    page.locator(where).fill(words)
    page.locator(where).press("Enter")
    page.wait_for_timeout(500)


def _wrong_profile(page: Page) -> None:
    page.locator(".st-key-field_nickname input").fill("a")
    page.locator(".st-key-save_profile button").click()


def _filter_ranking(page: Page) -> None:
    page.locator("[data-testid=stExpander] summary").last.click()
    page.locator(".st-key-ranking_drawdown input").wait_for()
    _type(page, ".st-key-ranking_drawdown input", "1")


def _answer_questions(page: Page) -> None:
    if page.locator("[class*=st-key-suggestion_]").count():
        return  # answered already, in another language or width
    for group in page.locator("[data-testid=stMain] [data-testid=stRadio]").all():
        group.locator("[data-testid=stRadioOption]").nth(1).click()
    page.locator("[data-testid=stFormSubmitButton] button").click()


def _strategy_details(page: Page) -> None:
    page.locator("[class*='st-key-strategy_']").first.locator("summary").first.click()


def _log_in(page: Page, email: str, password: str) -> None:
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill(password)
    page.locator("form button").first.click()


def _locked_out(page: Page) -> None:
    for _try in range(12):
        _log_in(page, "user6@example.com", "wrong password")


def _wrong_code(page: Page) -> None:
    _log_in(page, "user2@example.com", people_states.PASSWORD)
    page.locator("[name=code]").fill("000000")
    page.locator("form button").first.click()


def _wrong_sign_up(page: Page) -> None:
    for name, value in {"email": "new@example.com", "nickname": "새사람", "phone": "010", "password": "short"}.items():
        page.locator(f"[name={name}]").fill(value)
    page.locator("[name=password_repeat]").fill("short")
    page.locator("form button").first.click()


def _wrong_reset(page: Page) -> None:
    page.locator("[name=password]").fill("one long password here")
    page.locator("[name=password_repeat]").fill("another long password")
    page.locator("form button").first.click()
