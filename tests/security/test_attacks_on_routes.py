"""Every route that changes something, asked from elsewhere; the same code many times at once; names of hosts."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from isolation_services import make, services
from people import PASSWORD
from sqlalchemy import func, select
from starlette.routing import Mount, Route

from stocklab.accounts import Accounts, NewAccount, Role, Scope
from stocklab.db import AuditRow, Base, Database, PublicationRow, UserRow
from stocklab.errors import AccountFault, LimitReached, StockLabError
from stocklab.operations import RateLimits
from stocklab.operations.audit import AuditLog
from stocklab.settings import Settings
from stocklab.sharing import Clones, Likes, PublicationNotFound
from stocklab.sharing.admission import SHARING_LIMITS
from stocklab.strategy import PRESETS
from stocklab.web import web_parts

SESSION = "stocklab_session"
SAFE = {"GET", "HEAD"}


def unsafe_routes() -> list[tuple[str, str]]:
    """Method and path of every route of ours that may change something, as the app registers them."""
    found = []
    for route in web_parts(Settings(single_user=False)).routes:
        if isinstance(route, Mount):
            found += [(method, f"{route.path}/anything") for method in ("POST", "PUT", "DELETE")]
        elif isinstance(route, Route):
            methods = set(route.methods or {"POST"}) - SAFE
            found += [(method, route.path) for method in sorted(methods)]
    return found


def test_every_route_that_changes_something_refuses_other_sites(browser: Any, app: Any) -> None:
    routes = unsafe_routes()
    assert {"/auth/login", "/auth/signup", "/auth/logout", "/auth/second-step"} <= {path for _method, path in routes}
    assert len(routes) >= 10
    victim = browser()
    victim.log_in("boss")
    cookie = {"Cookie": f"{SESSION}={victim.cookies[SESSION]}"}
    elsewhere = (
        "https://evil.example",
        "null",
        "",
        f"http://127.0.0.1:{app.port + 1}",
        f"http://127.0.0.1:{app.port}.evil.example",
        f"http://evil.example#127.0.0.1:{app.port}",
        f"http://evil.example@127.0.0.1:{app.port}",
        "file://",
    )
    for method, path in routes:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        for origin in elsewhere:
            answer = app.ask(path, method, b"", Origin=origin, **cookie, **kind)
            assert answer.status == 403, (method, path, origin)
        assert app.ask(path, method, b"", **cookie, **kind).status == 403, (method, path)  # with a cookie, silent
    assert victim.is_in()


def test_uploads_and_sockets_of_streamlit_refuse_other_sites_too(browser: Any, app: Any) -> None:
    victim = browser()
    victim.log_in("boss")
    sent = {"Cookie": f"{SESSION}={victim.cookies[SESSION]}", "Origin": "https://evil.example"}
    for method in ("PUT", "DELETE", "POST"):
        answer = app.ask("/_stcore/upload_file/00000000-0000-0000-0000-000000000000/1", method, b"x", **sent)
        assert answer.status >= 400, method
        assert "access-control-allow-origin" not in answer.headers or (
            answer.headers["access-control-allow-origin"] not in ("*", "https://evil.example")
        )


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "evil.example:8501", "127.0.0.1@evil.example", "", "[::1].evil", "a b"],
)
def test_another_name_for_this_machine_opens_nothing(app: Any, host: str) -> None:
    for path in ("/", "/auth/login", "/api/v1/me", "/healthz", "/_stcore/health"):
        answer = app.ask(path, Host=host)
        assert answer.status == 400, path
        assert b"evil" not in answer.body


def test_two_hosts_or_a_whole_address_are_no_way_around(app: Any) -> None:
    line = http.client.HTTPConnection("127.0.0.1", app.port, timeout=20)
    line.putrequest("GET", "/auth/login", skip_host=True)
    for host in (f"127.0.0.1:{app.port}", "evil.example"):
        line.putheader("Host", host)
    line.endheaders()
    assert line.getresponse().status == 400
    line.close()
    answer = app.ask("/auth/login", X_Forwarded_Host="evil.example", Forwarded="host=evil.example")
    assert answer.status == 200
    assert b"evil.example" not in answer.body


def at_once(count: int, act: Callable[[int], int]) -> list[int]:
    """What each of many answers when all ask in the same moment."""
    begin, answers = threading.Barrier(count), [0] * count

    def run(number: int) -> None:
        begin.wait()
        answers[number] = act(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


def half_way(browser: Any, name: str) -> Any:
    person = browser()
    person.log_in(name)
    assert "stocklab_step" in person.cookies
    return person


def test_a_code_counts_once_however_many_send_it_at_once(browser: Any, inside: Any) -> None:
    browser().sign_up("twostep")
    user = inside.users.by_email("twostep@example.com")
    totp = pyotp.TOTP(inside.second_factor.begin(user.id).secret)
    codes = inside.second_factor.enable(user.id, totp.at(time.time() - 30))
    crowd = [half_way(browser, "twostep") for _ in range(6)]

    def send(code: str) -> Callable[[int], int]:
        return lambda number: crowd[number].post("/auth/second-step", {"code": code}).status

    now = time.time()
    assert at_once(6, send(totp.at(now))) == [303] + [422] * 5
    inside.limits.forget(f"second:{user.id}")
    late = half_way(browser, "twostep")
    for code in (totp.at(now), totp.at(now - 30)):  # again, and its neighbour before
        assert late.post("/auth/second-step", {"code": code}).status == 422
    crowd = [half_way(browser, "twostep") for _ in range(6)]
    answers = at_once(6, send(codes[0].upper().replace("-", " ")))
    assert answers.count(303) == 1
    assert inside.second_factor.recovery_codes_left(user.id) == len(codes) - 1


def test_the_note_between_the_steps_is_for_one_person_and_one_password(browser: Any, inside: Any) -> None:
    for name in ("first2", "second2"):
        browser().sign_up(name)
    ids = {name: inside.users.by_email(f"{name}@example.com").id for name in ("first2", "second2")}
    apps = {}
    for name, user_id in ids.items():
        apps[name] = pyotp.TOTP(inside.second_factor.begin(user_id).secret)
        inside.second_factor.enable(user_id, apps[name].at(time.time() - 30))
    thief = half_way(browser, "first2")  # knows one password, and has an app of another account
    assert thief.post("/auth/second-step", {"code": apps["second2"].now()}).status == 422
    for forged in ("", "x", thief.cookies["stocklab_step"][:-2], thief.cookies["stocklab_step"].swapcase()):
        other = browser()
        other.cookies["stocklab_step"] = forged
        assert other.post("/auth/second-step", {"code": apps["first2"].now()}).status == 422
        assert not other.is_in()
    inside.users.change_password(ids["first2"], old=PASSWORD, new="another long enough one")
    assert thief.post("/auth/second-step", {"code": apps["first2"].now()}).status == 422
    assert not thief.is_in()


def test_a_log_in_takes_as_long_for_names_that_nobody_has(browser: Any, inside: Any) -> None:
    """Medians of turns that alternate, so that what else the machine does falls on both; the work alone is 0.2 s."""
    browser().sign_up("timed")

    def seconds(name: str) -> float:
        visitor = browser()
        begun = time.perf_counter()
        assert visitor.log_in(name, "wrong horse battery").status == 422
        return time.perf_counter() - begun

    names = ("timed", "nobody-is-called-so")
    for name in names:
        seconds(name)
    turns = [[seconds(name) for name in names] for _ in range(4)]
    known, unknown = (statistics.median(turn[which] for turn in turns) for which in range(2))
    assert 1 / 3 < known / unknown < 3  # without work for unknown names: about 20


# What a member may not do, and what an account may not do any more.


@pytest.fixture
def house(database: Database, tmp_path: Any) -> Accounts:
    return Accounts(
        database, Settings(home=tmp_path, encryption_key="k" * 40), RateLimits(database), AuditLog(database).write
    )


def test_no_method_of_admins_serves_a_member(house: Accounts, database: Database, tmp_path: Any) -> None:
    """Every public method whose first argument is an admin, found by its signature."""
    people = [
        house.users.sign_up(NewAccount(email=f"{name}@example.com", nickname=name, password=PASSWORD))
        for name in ("boss", "member", "victim")
    ]
    boss, member, victim = (person.id for person in people)

    def state() -> list[Any]:
        with database.engine.connect() as connection:
            kept = (table for name, table in sorted(Base.metadata.tables.items()) if name != "rate_windows")
            return [connection.execute(select(table)).all() for table in kept]

    before, tried = state(), []
    for service in services():
        first = service.cls.__dict__[service.method].__code__.co_varnames[1]
        if first != "admin_id":
            continue
        tried.append(service.name)
        for whose in (victim, boss, member):
            with pytest.raises(StockLabError) as caught:
                service.call(make(service.cls, database, tmp_path), member, whose)
            assert getattr(caught.value, "code", "") in ("not_admin", "admins_only"), service.name
    assert state() == before
    assert len(tried) >= 10, tried
    assert {user.role for user in house.users.all()} == {Role.ADMIN, Role.MEMBER}


def test_who_is_banned_or_off_shares_nothing_and_no_token_speaks_for_them(
    house: Accounts, database: Database, tmp_path: Any
) -> None:
    from stocklab.sharing import Clones, Likes

    boss, bad = (
        house.users.sign_up(NewAccount(email=f"{name}@example.com", nickname=name, password=PASSWORD))
        for name in ("boss", "naughty")
    )
    _line, token = house.tokens.create(bad.id, "t", [Scope.ACCOUNT_READ], days=1)
    cookie = house.sessions.begin(bad.id, address="192.0.2.1", agent="a", confirmed=False)
    assert house.tokens.holder(token) is not None
    house.administration.ban(boss.id, bad.id, until=datetime.now(UTC) + timedelta(days=1))
    assert house.tokens.holder(token) is None
    with database.read() as session:
        lines = session.scalar(select(func.count()).select_from(AuditRow))
    for act in (Clones(database).clone, Likes(database).like, Likes(database).unlike):
        with pytest.raises(AccountFault):
            act(bad.id, "any")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(AuditRow)) == lines
    house.administration.set_active(boss.id, bad.id, active=False)
    house.sessions.forget()
    assert house.sessions.by_token(cookie) is None
    assert house.tokens.holder(token) is None
    with database.read() as session:
        assert session.get_one(UserRow, bad.id).role == "member"


def test_sharing_has_limits_and_lines_in_the_audit_log(house: Accounts, database: Database) -> None:
    person = house.users.sign_up(NewAccount(email="boss@example.com", nickname="boss", password=PASSWORD))
    values = {"version": 1, "visibility": "public", "metrics": {}, "curve": {}}
    rules = PRESETS["rsi_reversal"].strategy.model_dump(mode="json")
    with database.write() as session:
        session.add(PublicationRow(id="pub", owner_id=person.id, name="P", document=rules, **values))
    likes, clones = Likes(database), Clones(database)
    assert likes.like(person.id, "pub")
    assert not likes.like(person.id, "pub")  # changes nothing, and says nothing
    assert likes.unlike(person.id, "pub")
    clones.clone(person.id, "pub")
    with pytest.raises(PublicationNotFound):
        clones.clone(person.id, "gone")
    lines = [(line.action, line.subject) for line in AuditLog(database).page(actor_id=person.id)]
    shared = [line for line in reversed(lines) if line[0].startswith("sharing.")]
    assert shared == [("sharing.liked", "pub"), ("sharing.unliked", "pub"), ("sharing.cloned", "pub")]
    for action, (most, per) in SHARING_LIMITS.items():
        now = datetime.now(UTC)
        limits = RateLimits(database)
        while limits.spend(f"{action}:{person.id}", most=most, per=per, now=now).allowed:
            continue
    acts = (lambda: likes.like(person.id, "pub"), lambda: clones.clone(person.id, "pub"))
    for act in acts:
        with pytest.raises(LimitReached) as caught:
            act()
        assert timedelta(0) < caught.value.wait <= timedelta(hours=1)
