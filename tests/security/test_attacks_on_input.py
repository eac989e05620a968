"""Hostile input to the pages in front and to the API, tried on the real app over real sockets."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from people import PASSWORD

from stocklab.accounts import FeedbackKind, Scope
from stocklab.errors import AccountFault

MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def test_what_is_typed_comes_back_as_text(browser: Any) -> None:
    visitor = browser()
    for path, form in (
        ("/auth/login", {"email": MARKUP, "password": "x", "next": f"/results?run={MARKUP}", "lang": MARKUP}),
        ("/auth/signup", {"email": MARKUP, "nickname": MARKUP, "phone": MARKUP, "password": MARKUP, "next": MARKUP}),
        ("/auth/reset", {"token": MARKUP, "password": "x"}),
        ("/auth/second-step", {"code": MARKUP, "next": MARKUP}),
        ("/auth/forgot", {"email": MARKUP}),
    ):
        body = visitor.post(path, form).body
        assert b"<script" not in body, path
        assert b"<img" not in body, path
    for path in ("/auth/login", "/auth/signup", "/auth/reset", "/auth/forgot"):
        answer = visitor.get(
            f"{path}?next=%2F%22%3E%3Cscript%3E&lang=%22%3E%3Cscript%3E&said=%3Cscript%3E&token=%22%3E%3Cscript%3E"
        )
        assert b"<script" not in answer.body, path


def test_pages_in_front_run_no_script_and_are_kept_by_nobody(browser: Any) -> None:
    for path in ("/auth/login", "/auth/signup", "/auth/forgot", "/auth/reset"):
        headers = browser().get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
        assert "script-src" not in headers["content-security-policy"]
        assert (headers["cache-control"], headers["x-frame-options"]) == ("no-store", "DENY")


def test_a_nickname_cannot_carry_markup_or_pretend_to_be_the_house(browser: Any, problem: Any) -> None:
    for nickname in (MARKUP, "<b>x</b>", "a&lt;b", "{{7*7}}", "${7*7}", "a\u202ebc"):
        assert "A nickname has" in problem(browser().sign_up("markup", nickname=nickname))
    assert "reserved" in problem(browser().sign_up("markup", nickname="ＡＤＭＩＮ"))
    person = browser()
    assert person.sign_up("plain", nickname="R.D_2-2").status == 303
    assert b"logged in as R.D_2-2." in person.get("/auth/logout?lang=en").body


@pytest.mark.parametrize(
    "name", ["' OR '1'='1' --", "boss@example.com' --", "%", "_", "\\", "boss@example.com\0", "boss@example.com\n"]
)
def test_sql_in_a_name_finds_nobody(browser: Any, name: str) -> None:
    answer = browser().post("/auth/login", {"email": name, "password": "' OR '1'='1"})
    assert answer.status in (422, 429)
    assert not answer.cookies


def test_a_log_line_or_header_cannot_be_forged(browser: Any, app: Any) -> None:
    browser().log_in("boss", "x", next="/a\r\nX-Injected: 1")
    answer = browser().post("/auth/login", {"email": 'x\r\n{"event": "forged"}@example.com', "password": "x"})
    assert "x-injected" not in answer.headers
    assert app.events("forged") == []
    text = app.log.read_text()
    assert PASSWORD not in text
    assert "stocklab_session=" not in text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"email=" + b"a" * 20_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % number for number in range(100)), "application/x-www-form-urlencoded"),
        (b"email=a&email=b", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b'{"email": "a"}', "application/json"),
        (b"email=a", "text/plain"),
        (b"", "multipart/form-data; boundary=x"),
    ],
)
def test_what_no_page_of_ours_sends_is_refused(app: Any, body: bytes, kind: str) -> None:
    for path in ("/auth/login", "/auth/signup"):
        assert app.ask(path, "POST", body, Content_Type=kind).status == 400


def test_passwords_of_any_size_and_kind_cost_no_more(browser: Any) -> None:
    for password in ("", "x" * 9_000, "\0" * 20, "🙂" * 200):
        answer = browser().log_in("no-such-person", password)
        assert answer.status in (422, 429)


def test_a_token_answers_as_a_program_expects(browser: Any, app: Any, inside: Any) -> None:
    person = browser()
    person.sign_up("coder")
    user = inside.users.by_email("coder@example.com")
    _line, reads = inside.tokens.create(user.id, "reads", [Scope.ACCOUNT_READ], days=1)
    line, lists = inside.tokens.create(user.id, "lists", [Scope.RUNS_READ], days=1)

    def ask(path: str, token: str | None, **headers: str) -> tuple[int, Any, dict[str, str]]:
        sent = {**headers, **({} if token is None else {"Authorization": f"Bearer {token}"})}
        answer = app.ask(path, **sent)
        return answer.status, json.loads(answer.body), answer.headers

    status, me, headers = ask("/api/v1/me", reads)
    assert (status, me["nickname"], me["scopes"], me["plan"]["backtests_today"]) == (200, "coder", ["account:read"], 0)
    assert headers["cache-control"] == "no-store"
    assert ask("/api/v1/runs", lists)[:2] == (200, {"runs": []})
    status, told, headers = ask("/api/v1/me", lists)
    assert (status, told["error"]) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in headers["www-authenticate"]
    for token in (None, "", "slk_" + "A" * 43, reads[:-1], reads + "A", person.cookies["stocklab_session"]):
        status, told, headers = ask("/api/v1/me", token)
        assert (status, told["error"], headers["www-authenticate"][:6]) == (401, "unauthorized", "Bearer")
    assert ask("/api/v1/me", None, Cookie=f"stocklab_session={person.cookies['stocklab_session']}")[0] == 401
    assert ask("/api/v1/no-such", reads)[0] == 404
    inside.tokens.revoke(user.id, line.id)
    assert ask("/api/v1/runs", lists)[0] == 401
    assert browser().get("/", Authorization=f"Bearer {reads}").status == 303  # opens no page


def test_ids_of_others_are_strangers_ids(inside: Any, browser: Any) -> None:
    for name in ("owner1", "thief1"):
        browser().sign_up(name)
    owner, thief = (inside.users.by_email(f"{name}@example.com") for name in ("owner1", "thief1"))
    session = inside.sessions.list(owner.id)[0].id
    token = inside.tokens.create(owner.id, "x", [Scope.RUNS_READ], days=1)[0].id
    message = inside.feedback.send(owner.id, FeedbackKind.WISH, "w")
    for attempt in (
        lambda: inside.sessions.end(thief.id, session),
        lambda: inside.tokens.revoke(thief.id, token),
        lambda: inside.feedback.answer(thief.id, message, "x"),
        lambda: inside.administration.get(thief.id, owner.id),
        lambda: inside.administration.reset_token(thief.id, owner.id),
    ):
        with pytest.raises(AccountFault) as caught:
            attempt()
        assert caught.value.code in ("unknown_session", "unknown_token", "not_admin")


def test_a_reset_link_is_tried_once(browser: Any, inside: Any, problem: Any) -> None:
    browser().sign_up("forgetful")
    user = inside.users.by_email("forgetful@example.com")
    token = inside.resets.begin(user.id, by=None)
    page = browser().get(f"/auth/reset?token={token}&lang=en")
    assert b"New password for forgetful" in page.body
    new = {"token": token, "password": "a wholly new password", "password_repeat": "a wholly new password"}
    assert "differ" in problem(browser().post("/auth/reset", {**new, "password_repeat": "x"}))
    done = browser().post("/auth/reset", new)
    assert done.headers["location"].startswith("/auth/login?")
    assert not done.cookies
    assert "used or is too old" in problem(browser().post("/auth/reset", new))
    assert browser().log_in("forgetful", "a wholly new password").status == 303
    assert token not in browser().server.log.read_text()


def test_many_half_open_log_ins_do_not_hold_the_app(app: Any, browser: Any) -> None:
    lines = [socket.create_connection(("127.0.0.1", app.port)) for _ in range(60)]
    try:
        for line in lines:
            line.sendall(
                b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                b"Content-Length: 10000\r\n\r\nemail="
            )
        assert browser().log_in("boss").status == 303
        assert app.ask("/healthz").status == 200
    finally:
        for line in lines:
            line.close()
