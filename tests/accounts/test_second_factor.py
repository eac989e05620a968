"""Codes of RFC 6238, each step once, whatever is tried at the same time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from stocklab.accounts import Accounts
from stocklab.db import Database, RecoveryCodeRow, UserRow
from stocklab.errors import AccountFault
from stocklab.operations import open_sealer
from stocklab.settings import Settings

Join = Any  # of conftest.py
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890", RFC 6238 appendix B
RFC_CODES = {  # the last six of its eight digits (SHA-1)
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
}


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.fixture
def user_id(accounts: Accounts, join: Join, database: Database, settings: Settings) -> str:
    """An account whose second factor has the RFC's secret."""
    user = join("kim")
    accounts.second_factor.begin(user.id)
    with database.write() as session:
        session.get_one(UserRow, user.id).totp_secret = open_sealer(settings).seal(RFC_SECRET)
    return str(user.id)


def ok(accounts: Accounts, user_id: str, code: str, now: datetime) -> bool:
    try:
        accounts.second_factor.check(user_id, code, now)
    except AccountFault:
        return False
    return True


def test_the_codes_are_those_of_the_rfc(accounts: Accounts, user_id: str) -> None:
    accounts.second_factor.enable(user_id, RFC_CODES[59], at(59))
    assert [ok(accounts, user_id, code, at(seconds)) for seconds, code in RFC_CODES.items()] == [False] + [True] * 4


def test_a_step_counts_once_and_never_after_a_later_one(accounts: Accounts, user_id: str) -> None:
    accounts.second_factor.enable(user_id, RFC_CODES[1111111109], at(1111111109))
    assert not ok(accounts, user_id, RFC_CODES[1111111109], at(1111111109))  # it turned it on
    assert ok(accounts, user_id, RFC_CODES[1111111111], at(1111111111))
    assert not ok(accounts, user_id, RFC_CODES[1111111111], at(1111111111 + 20))
    assert not ok(accounts, user_id, RFC_CODES[1111111109], at(1111111111))  # the step before, still within reach
    assert ok(accounts, user_id, RFC_CODES[1234567890], at(1234567890 + 30))  # a slow person
    assert ok(accounts, user_id, RFC_CODES[2000000000], at(2000000000 - 30))  # a clock that is ahead
    assert not ok(accounts, user_id, RFC_CODES[1234567890], at(1234567890 + 60))


def test_of_many_at_once_one_is_let_in(accounts: Accounts, user_id: str) -> None:
    codes = accounts.second_factor.enable(user_id, RFC_CODES[59], at(59))
    for attempt, now in ((RFC_CODES[1234567890], at(1234567890)), (codes[0], at(0))):
        answers: list[bool] = []
        threads = [
            threading.Thread(target=lambda a=attempt, n=now, all_=answers: all_.append(ok(accounts, user_id, a, n)))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [False] * 5 + [True]


def test_ten_recovery_codes_are_kept_as_hashes_and_work_once(
    accounts: Accounts, user_id: str, database: Database
) -> None:
    codes = accounts.second_factor.enable(user_id, RFC_CODES[59], at(59))
    assert (len(set(codes)), accounts.second_factor.recovery_codes_left(user_id)) == (10, 10)
    with database.read() as session:
        stored = "".join(session.scalars(select(RecoveryCodeRow.code_hash)))
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)
    now = at(70)
    assert ok(accounts, user_id, codes[3].upper().replace("-", " "), now)
    assert not ok(accounts, user_id, codes[3], now)
    assert accounts.second_factor.recovery_codes_left(user_id) == 9
    fresh = accounts.second_factor.new_recovery_codes(user_id, codes[4])
    assert not ok(accounts, user_id, codes[5], now)
    assert ok(accounts, user_id, fresh[0], now)


def test_the_secret_is_sealed_and_the_factor_goes_only_with_a_code(
    accounts: Accounts, join: Join, database: Database
) -> None:
    user = join("lee")
    begun = accounts.second_factor.begin(user.id)
    assert begun.address.startswith("otpauth://totp/Stock%20Lab:lee%40example.com?secret=" + begun.secret)
    with database.read() as session:
        stored = session.get_one(UserRow, user.id).totp_secret
    assert stored is not None
    assert begun.secret not in stored
    assert not accounts.users.get(user.id).has_second_factor  # not before a code was right
    for wrong in ("", "000000", "12345", "abcdef", "１２３４５６"):
        with pytest.raises(AccountFault):
            accounts.second_factor.enable(user.id, wrong, datetime.now(UTC) - timedelta(days=400))
    import pyotp

    codes = accounts.second_factor.enable(user.id, pyotp.TOTP(begun.secret).now())
    assert accounts.users.get(user.id).has_second_factor
    for work in (accounts.second_factor.disable, accounts.second_factor.new_recovery_codes):
        with pytest.raises(AccountFault):
            work(user.id, "000000")
    with pytest.raises(AccountFault):
        accounts.second_factor.begin(user.id)  # replacing it needs a code as well
    accounts.second_factor.disable(user.id, codes[0])
    assert not accounts.users.get(user.id).has_second_factor
