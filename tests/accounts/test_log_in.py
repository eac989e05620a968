"""Who is let in: limits that outlive the process and lock nobody out, answers that tell nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import bcrypt
import pytest
from people import PASSWORD, limits_of

from stocklab.accounts import Accounts, NewAccount, Role
from stocklab.db import Database, open_database
from stocklab.errors import AccountFault, LimitReached
from stocklab.operations.audit import AuditLog
from stocklab.settings import Settings

Join = Any  # of conftest.py
HERE, THERE = "192.0.2.1", "198.51.100.7"


def fail(accounts: Accounts, email: str, address: str, device: str = "") -> str:
    """What a wrong password is answered with: the code, or "wait"."""
    try:
        accounts.log_in.password(email, "wrong horse battery", address=address, device=device)
    except AccountFault as fault:
        return fault.code
    except LimitReached:
        return "wait"
    raise AssertionError("let in")


def test_ten_tries_in_a_quarter_of_an_hour_also_across_a_restart(
    accounts: Accounts, join: Join, empty_url: str, settings: Settings
) -> None:
    join("kim")
    assert [fail(accounts, "kim@example.com", HERE) for _ in range(10)] == ["login_wrong"] * 10
    reopened = open_database(empty_url)
    try:
        restarted = Accounts(reopened, settings, limits_of(reopened))
        with pytest.raises(LimitReached) as caught:  # also with the right password: guessing on must not pay
            restarted.log_in.password("KIM@example.com", PASSWORD, address=HERE)
        assert timedelta(0) < caught.value.wait <= timedelta(minutes=15)
        assert restarted.log_in.password("kim@example.com", PASSWORD, address=THERE).nickname == "kim"
    finally:
        reopened.close()


def test_a_name_nobody_has_is_answered_and_worked_on_alike(
    dear_passwords: None, accounts: Accounts, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    join("kim")
    compared: list[tuple[int, str]] = []
    check = bcrypt.checkpw

    def counting(password: bytes, hashed: bytes) -> bool:
        compared.append((len(hashed), hashed[:7].decode()))
        return len(compared) in {1, 11} and check(password, hashed)  # the first of each; the others are as dear

    monkeypatch.setattr(bcrypt, "checkpw", counting)
    known = [fail(accounts, "kim@example.com", HERE) for _ in range(12)]
    unknown = [fail(accounts, "nobody@example.com", THERE) for _ in range(12)]
    assert known == unknown == ["login_wrong"] * 10 + ["wait"] * 2
    assert compared == [(60, "$2b$12$")] * 20


def test_many_addresses_cannot_guess_on_and_cannot_keep_the_person_out(accounts: Accounts, join: Join) -> None:
    user = join("kim")
    device = accounts.log_in.device(user.id)  # of a browser in which kim logged in before
    for number in range(60):  # as if 60 addresses had failed
        accounts.limits.spend(f"login-account:{_hashed('kim@example.com')}", most=60, per=timedelta(hours=1))
        del number
    assert fail(accounts, "kim@example.com", THERE) == "wait"
    assert accounts.log_in.password("kim@example.com", PASSWORD, address=HERE, device=device).id == user.id
    for _ in range(10):
        assert fail(accounts, "kim@example.com", HERE, device) == "login_wrong"
    assert fail(accounts, "kim@example.com", HERE, device) == "wait"  # a stolen note guesses no further either


def test_the_note_of_a_device_is_worth_nothing_for_another_account(accounts: Accounts, join: Join) -> None:
    join("kim")
    attacker = join("mallory")
    note = accounts.log_in.device(attacker.id)
    answers = [fail(accounts, "kim@example.com", HERE, note) for _ in range(11)]
    assert answers == ["login_wrong"] * 10 + ["wait"]
    for forged in ("x", "gAAAAA", accounts.log_in.half_way(attacker)):
        assert fail(accounts, "mallory@example.com", HERE, forged) in ("login_wrong", "wait")


def test_success_is_not_counted(accounts: Accounts, join: Join) -> None:
    kim = join("kim")
    came_in = [accounts.log_in.password("kim@example.com", PASSWORD, address=HERE) for _ in range(15)]
    assert {user.id for user in came_in} == {kim.id}


def test_who_is_switched_off_or_banned_hears_so_only_with_the_right_password(accounts: Accounts, join: Join) -> None:
    admin, off, banned = join("admin1"), join("off1"), join("ban1")
    accounts.administration.set_active(admin.id, off.id, active=False)
    accounts.administration.ban(admin.id, banned.id, until=datetime.now(UTC) + timedelta(days=1))
    for name, code in (("off1", "account_off"), ("ban1", "account_banned")):
        assert fail(accounts, f"{name}@example.com", HERE) == "login_wrong"
        with pytest.raises(AccountFault) as caught:
            accounts.log_in.password(f"{name}@example.com", PASSWORD, address=HERE)
        assert caught.value.code == code
    accounts.administration.ban(admin.id, banned.id, until=datetime.now(UTC) - timedelta(seconds=1))
    assert accounts.log_in.password("ban1@example.com", PASSWORD, address=HERE).role is Role.MEMBER


def test_the_note_between_the_steps_is_for_one_account_and_one_password(
    accounts: Accounts, join: Join, database: Database
) -> None:
    kim = join("kim")
    note = accounts.log_in.half_way(kim)
    assert accounts.log_in.open_half_way(note) == kim.id
    for forged in ("", "x", note[:-4] + "AAAA", accounts.log_in.device(kim.id)):
        with pytest.raises(AccountFault):
            accounts.log_in.open_half_way(forged)
    accounts.users.change_password(kim.id, old=PASSWORD, new="another long one")
    with pytest.raises(AccountFault):
        accounts.log_in.open_half_way(note)


def _hashed(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:32]


def test_who_came_in_and_who_could_not_stand_in_the_audit_log(database: Database, settings: Settings) -> None:
    log = AuditLog(database)
    accounts = Accounts(database, settings, limits_of(database), log.write)
    kim = accounts.users.sign_up(NewAccount(email="kim@example.com", nickname="kim", password=PASSWORD))
    accounts.sessions.begin(
        accounts.log_in.password("kim@example.com", PASSWORD, address=HERE).id,
        address=HERE,
        agent="browser",
        confirmed=False,
    )
    assert fail(accounts, "kim@example.com", HERE) == "login_wrong"
    accounts.leaving.leave(kim.id, PASSWORD)
    rows = log.page()
    done = ["account.left", "login.refused", "session.begun", "account.opened"]
    assert [(row.action, row.actor_id) for row in rows] == [(action, kim.id) for action in done]
    assert log.verify().broken is None
    assert PASSWORD not in repr(rows)
    assert "kim@example.com" not in repr(rows)
