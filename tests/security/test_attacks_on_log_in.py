"""Attacks on log-in and sessions, tried on the real app over real sockets. docs/security.md names each threat."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from people import PASSWORD
from websockets.exceptions import InvalidStatus

SESSION = "stocklab_session"
FORMS = ("/auth/login", "/auth/signup", "/auth/second-step", "/auth/logout", "/auth/forgot", "/auth/reset")


def test_nothing_but_the_doors_is_open_to_strangers(browser: Any) -> None:
    stranger = browser()
    for path in ("/", "/results?run=a", "/data", "/admin", "/no-such-page", "/media/x.csv", "/strange.file"):
        answer = stranger.get(path)
        if path.startswith("/media"):
            assert answer.status == 401, path
        else:
            assert (answer.status, answer.headers["location"].split("?")[0]) == (303, "/auth/login"), path
    for path in ("/_stcore/host-config", "/_stcore/upload_file/a/b", "/component/x", "/results/_stcore/health"):
        assert stranger.get(path).status == 401, path
    assert stranger.post("/results", {}).status == 401
    for path in ("/healthz", "/readyz", "/metrics", "/_stcore/health", "/client-errors.js", "/auth/style.css"):
        assert stranger.get(path).status == 200, path
    with pytest.raises(InvalidStatus) as caught:
        stranger.page()
    assert caught.value.response.status_code in (401, 403)


def test_a_person_goes_in_and_the_page_knows_who(browser: Any) -> None:
    kim = browser()
    back = kim.sign_up("kim", next="/results?run=a")
    assert (back.status, back.headers["location"]) == (303, "/results?run=a")
    drawn = kim.page("account")
    assert "kim@example.com" in drawn
    assert "You are logged out" not in drawn
    assert "Administration" not in drawn
    assert "boss" not in kim.page("admin")


def test_claimed_headers_are_dropped(browser: Any, inside: Any) -> None:
    boss = inside.users.by_email("boss@example.com")
    line = inside.sessions.list(boss.id)[0]
    claims = {"X-Stocklab-User": boss.id, "X-Stocklab-Session": line.id}
    with pytest.raises(InvalidStatus):
        browser().page("account", **claims)
    eve = browser()
    eve.sign_up("eve")
    for names in (claims, {name.lower(): value for name, value in claims.items()}):
        drawn = eve.page("account", **names)
        assert "eve@example.com" in drawn
        assert "boss@example.com" not in drawn
    assert browser().get("/", X_Stocklab_User=boss.id, X_Stocklab_Session=line.id).status == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Any, app: Any) -> None:
    answer = browser().log_in("boss")
    cookies = {cookie.split("=")[0]: cookie for cookie in answer.cookies}
    for name in (SESSION, "stocklab_device"):
        assert "; HttpOnly; SameSite=Lax" in cookies[name]
        assert "Path=/;" in cookies[name]
        assert "Secure" not in cookies[name]
    told = browser().post(
        "/auth/login",
        {"email": "boss@example.com", "password": PASSWORD},
        origin=f"https://127.0.0.1:{app.port}",
        X_Forwarded_Proto="https",
    )
    assert told.headers["strict-transport-security"].startswith("max-age=")
    named = {cookie.split("=")[0]: cookie for cookie in told.cookies}
    assert named[f"__Host-{SESSION}"].endswith("HttpOnly; SameSite=Lax; Secure")
    assert "Domain" not in named[f"__Host-{SESSION}"]


def test_a_cookie_set_before_the_log_in_is_not_the_one_after(browser: Any) -> None:
    victim = browser()
    victim.cookies[SESSION] = "chosen-by-the-attacker"
    first = victim.log_in("boss")
    assert first.status == 303
    assert victim.cookies[SESSION] != "chosen-by-the-attacker"
    before = dict(victim.cookies)
    victim.log_in("boss")
    assert victim.cookies[SESSION] != before[SESSION]
    attacker = browser()
    attacker.cookies[SESSION] = before[SESSION]
    assert not attacker.is_in()  # the session before ended with the new log-in
    attacker.cookies[SESSION] = "chosen-by-the-attacker"
    assert not attacker.is_in()


def test_a_copied_cookie_is_worth_nothing_after_log_out(browser: Any) -> None:
    victim = browser()
    victim.log_in("boss")
    thief = browser()
    thief.cookies = dict(victim.cookies)
    assert thief.is_in()
    assert victim.get("/auth/logout").status == 200  # a link alone ends nothing
    assert victim.is_in()
    assert victim.post("/auth/logout", {}).status == 303
    assert SESSION not in victim.cookies
    assert not thief.is_in()
    with pytest.raises(InvalidStatus):
        thief.page()


def test_changed_cookies_open_nothing(browser: Any) -> None:
    real = browser()
    real.log_in("boss")
    token = real.cookies[SESSION]
    swapped = token[:-1] + ("A" if token[-1] != "A" else "B")
    for forged in (
        swapped,
        token[:-1],
        token + "A",
        token.upper(),
        "",
        "null",
        "' OR '1'='1",
        "%00",
        "a" * 8000,
        token[::-1],
    ):
        thief = browser()
        thief.cookies = {SESSION: forged}
        assert not thief.is_in(), forged
    thief.cookies = {f"__Host-{SESSION}": token}  # the name of the other scheme
    assert not thief.is_in()
    assert real.is_in()


def test_a_password_change_ends_every_other_session(browser: Any, inside: Any) -> None:
    here, there = browser(), browser()
    here.sign_up("changing")
    there.log_in("changing")
    user = inside.users.by_email("changing@example.com")
    newest = inside.sessions.list(user.id)[0]
    inside.users.change_password(user.id, old=PASSWORD, new="another long one", keep_session=newest.id)
    time.sleep(3.2)  # another process did it
    assert (here.is_in(), there.is_in()) == (False, True)


def test_who_is_switched_off_is_out_and_who_is_banned_hears_until_when(browser: Any, inside: Any) -> None:
    boss = inside.users.by_email("boss@example.com")
    off, banned = browser(), browser()
    off.sign_up("turnedoff")
    banned.sign_up("naughty")
    assert (off.is_in(), banned.is_in()) == (True, True)
    ids = {name: inside.users.by_email(f"{name}@example.com").id for name in ("turnedoff", "naughty")}
    inside.administration.set_active(boss.id, ids["turnedoff"], active=False)
    inside.administration.ban(boss.id, ids["naughty"], until=datetime.now(UTC) + timedelta(days=3))
    time.sleep(3.2)
    assert off.get("/").headers["location"].startswith("/auth/login")
    told = banned.get("/")
    assert (told.status, told.headers["location"]) == (303, "/auth/closed")
    page = banned.get("/auth/closed")
    assert page.status == 403
    assert b"closed until 20" in page.body
    with pytest.raises(InvalidStatus):
        banned.page()
    assert b"switched off" in browser().log_in("turnedoff").body


@pytest.mark.parametrize("path", FORMS)
def test_a_form_from_elsewhere_is_refused(browser: Any, path: str, app: Any) -> None:
    victim = browser()
    victim.log_in("boss")
    form = {"email": "boss@example.com", "password": PASSWORD}
    for origin in (
        "https://evil.example",
        "null",
        f"http://127.0.0.1:{app.port + 1}",
        f"http://localhost.evil.example:{app.port}",
    ):
        assert victim.post(path, form, origin=origin).status == 403, origin
    assert victim.post(path, form, origin=None).status == 403  # with a cookie, silence is no answer
    assert victim.is_in()


def test_a_page_elsewhere_cannot_open_the_socket_of_the_app(browser: Any, app: Any) -> None:
    victim = browser()
    victim.log_in("boss")
    for origin in ("https://evil.example", f"http://localhost:{app.port + 1}"):
        with pytest.raises(InvalidStatus):
            victim.page("account", Origin=origin)


@pytest.mark.parametrize(
    "goal",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/auth/logout",
        "http:evil.example",
        "/%0d%0aSet-Cookie:x=y",
        "/ok\r\nSet-Cookie: a=b",
        "///evil.example",
        "/@evil.example",
    ],
)
def test_a_log_in_leads_to_no_other_site(browser: Any, goal: str) -> None:
    answer = browser().log_in("boss", next=goal)
    assert answer.status == 303
    location = answer.headers["location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\", "/auth"))
    assert "\r" not in location
    assert "\n" not in location
    assert not any(cookie.startswith(("x=", "a=")) for cookie in answer.cookies)


def test_names_that_exist_are_not_told_from_those_that_do_not(browser: Any, problem: Any) -> None:
    known = browser().log_in("boss", "wrong horse battery")
    unknown = browser().log_in("nobody-here", "wrong horse battery")
    assert (known.status, problem(known)) == (unknown.status, problem(unknown))
    assert problem(known) == "E-mail or password is not right."
    assert known.body.replace(b"boss", b"nobody-here") == unknown.body
    taken = browser().sign_up("other", email="boss@example.com")
    assert "boss" not in problem(taken)
    assert (
        browser().post("/auth/forgot", {"email": "boss@example.com"}).body
        == browser().post("/auth/forgot", {"email": "x@example.com"}).body
    )


def test_the_time_of_a_log_in_does_not_tell_either(browser: Any) -> None:
    def seconds(name: str) -> float:
        visitor = browser()
        begun = time.perf_counter()
        visitor.log_in(name, "wrong horse battery")
        return time.perf_counter() - begun

    known, unknown = ([seconds(name) for _ in range(3)] for name in ("boss", "nobody-at-all"))
    assert 0.4 < min(known) / min(unknown) < 2.5  # without the work for unknown names: about 20


def test_a_second_step_cannot_be_skipped_replayed_or_guessed(browser: Any, inside: Any, problem: Any) -> None:
    browser().sign_up("careful")
    user = inside.users.by_email("careful@example.com")
    secret = inside.second_factor.begin(user.id).secret
    totp = pyotp.TOTP(secret)
    codes = inside.second_factor.enable(user.id, totp.at(time.time() - 30))
    visitor = browser()
    half = visitor.log_in("careful", next="/data")
    assert half.headers["location"] == "/auth/second-step?lang=en&next=%2Fdata"
    assert SESSION not in visitor.cookies
    assert not visitor.is_in()
    code = totp.now()
    assert visitor.post("/auth/second-step", {"code": code, "next": "/data"}).headers["location"] == "/data"
    assert visitor.is_in()
    thief = browser()  # knows the password and saw the code
    thief.log_in("careful")
    again = thief.post("/auth/second-step", {"code": code})
    assert (again.status, problem(again)) == (422, "The code is not right, or was used before.")
    assert not thief.is_in()
    one_time = browser()
    one_time.log_in("careful")
    assert one_time.post("/auth/second-step", {"code": codes[0]}).status == 303
    one_time.log_in("careful")
    assert one_time.post("/auth/second-step", {"code": codes[0]}).status == 422
    for _ in range(12):
        last = thief.post("/auth/second-step", {"code": "000000"})
    assert last.status == 429
    assert int(last.headers["retry-after"]) <= 900
    stranger = browser()
    assert (
        problem(stranger.post("/auth/second-step", {"code": "000000"}))
        == "This took too long. Enter e-mail and password again."
    )


def test_guessing_is_stopped_and_stays_so_over_a_restart(restarted: Any, browser_of: Any, problem: Any) -> None:
    with restarted() as server:
        browser_of(server).sign_up("kim")
        answers = [browser_of(server).log_in("kim", f"wrong horse {number:04}") for number in range(12)]
        assert [answer.status for answer in answers] == [422] * 10 + [429] * 2
        assert re.search(r"Try again in \d+ (minutes|seconds)", problem(answers[-1]))
    with restarted() as server:
        refused = browser_of(server).log_in("kim")
        assert refused.status == 429
        assert 0 < int(refused.headers["retry-after"]) <= 900


def test_sessions_outlive_a_restart_and_log_out_too(restarted: Any, browser_of: Any) -> None:
    with restarted() as server:
        stays, goes = browser_of(server), browser_of(server)
        stays.sign_up("kim")
        goes.log_in("kim")
        copied = dict(goes.cookies)
        goes.post("/auth/logout", {})
    with restarted() as server:
        stays.server, goes.server = server, server
        goes.cookies = copied
        assert (stays.is_in(), goes.is_in()) == (True, False)
