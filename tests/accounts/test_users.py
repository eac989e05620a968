"""Opening and changing accounts."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from people import PASSWORD

from stocklab.accounts import Accounts, NewAccount, Role, User
from stocklab.db import LOCAL_OWNER_ID, Database, OwnerRow, StrategyRow
from stocklab.errors import AccountFault

Join = Any  # of conftest.py


def code_of(work, *given: Any, **named: Any) -> str:
    with pytest.raises(AccountFault) as caught:
        work(*given, **named)
    return caught.value.code


def test_the_first_account_is_admin_and_has_what_was_saved_before(
    accounts: Accounts, join: Join, database: Database
) -> None:
    with database.write() as session:
        session.add(StrategyRow(id="s1", owner_id=LOCAL_OWNER_ID, name="mine", document={}, fingerprint="f", tags=[]))
    assert accounts.users.is_empty()
    first, second = join("kim"), join("lee")
    assert not accounts.users.is_empty()
    assert (first.id, first.role, second.role) == (LOCAL_OWNER_ID, Role.ADMIN, Role.MEMBER)
    assert len(second.id) == 32
    with database.read(first.id) as session:
        assert session.get(StrategyRow, "s1") is not None
        assert session.get_one(OwnerRow, first.id).name == "kim"
    with database.read(second.id) as session:
        assert session.get(StrategyRow, "s1") is None


def test_of_several_at_once_one_is_the_first(accounts: Accounts, join: Join) -> None:
    opened: list[User] = []
    threads = [threading.Thread(target=lambda name=f"user{n}": opened.append(join(name))) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(user.role for user in opened) == ["admin", "member", "member", "member", "member"]
    assert len({user.id for user in opened}) == 5


def test_names_are_unique_without_case_width_and_spaces(accounts: Accounts, join: Join) -> None:
    join("kim", nickname="Kim Lee", phone="010-1234-5678")

    def again(email: str, nickname: str, phone: str = "") -> str:
        new = NewAccount(email=email, nickname=nickname, phone=phone, password=PASSWORD)
        return code_of(accounts.users.sign_up, new)

    assert again("other@example.com", "ｋｉｍ lee") == "nickname_taken"
    assert again("KIM@Example.com", "other") == "contact_taken"
    assert again("other@example.com", "other", "+82 10 1234 5678") == "contact_taken"  # and not which of the two
    assert accounts.administration.page(LOCAL_OWNER_ID).following is None
    assert len(accounts.administration.page(LOCAL_OWNER_ID).users) == 1


def test_the_same_name_at_the_same_moment_is_given_once(accounts: Accounts, join: Join) -> None:
    join("admin1")
    codes: list[str] = []

    def enter(number: int) -> None:
        try:
            accounts.users.sign_up(NewAccount(email=f"{number}@example.com", nickname="Same", password=PASSWORD))
        except AccountFault as fault:
            codes.append(fault.code)

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == ["nickname_taken"] * 3


def test_a_profile_changes_and_stays_unique(accounts: Accounts, join: Join, database: Database) -> None:
    first, second = join("kim", phone="010-1111-2222"), join("lee")
    wanted = {"email": "Lee2@example.com", "nickname": "Lee Two", "phone": "010 3333 4444", "language": "en"}
    for password in ("", "wrong horse battery"):  # reset links go to the e-mail
        assert code_of(accounts.users.change_profile, second.id, **wanted, password=password) == "password_wrong"
    assert accounts.users.get(second.id).email == "lee@example.com"
    changed = accounts.users.change_profile(second.id, **wanted, password=PASSWORD)
    assert (changed.email, changed.nickname, changed.phone, changed.language) == (
        "Lee2@example.com",
        "Lee Two",
        "010 3333 4444",
        "en",
    )
    with database.read() as session:
        assert session.get_one(OwnerRow, second.id).name == "Lee Two"
    keep = {"email": "lee@example.com", "nickname": "lee", "phone": "", "language": None, "password": PASSWORD}
    assert code_of(accounts.users.change_profile, second.id, **{**keep, "nickname": "KIM"}) == "nickname_taken"
    assert code_of(accounts.users.change_profile, second.id, **{**keep, "email": "kim@example.com"}) == "contact_taken"
    assert code_of(accounts.users.change_profile, second.id, **{**keep, "phone": "01011112222"}) == "contact_taken"
    assert accounts.users.get(second.id).nickname == "Lee Two"
    own = accounts.users.change_profile(first.id, email="KIM@example.com", nickname="Kim", phone="", language="xx")
    assert (own.email, own.nickname, own.phone, own.language) == ("KIM@example.com", "Kim", None, None)


def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(accounts: Accounts, join: Join) -> None:
    user = join("kim")
    here, there = (
        accounts.sessions.begin(user.id, address="192.0.2.1", agent=agent, confirmed=False) for agent in ("a", "b")
    )
    kept = accounts.sessions.by_token(here)
    assert kept is not None
    change = accounts.users.change_password
    assert (
        code_of(change, user.id, old="wrong horse battery", new="another long one", keep_session=kept.id)
        == "password_wrong"
    )
    assert code_of(change, user.id, old=PASSWORD, new="short", keep_session=kept.id) == "password_short"
    assert accounts.sessions.by_token(there) is not None
    change(user.id, old=PASSWORD, new="another long one", keep_session=kept.id)
    accounts.sessions.forget()
    assert accounts.sessions.by_token(here) is not None
    assert accounts.sessions.by_token(there) is None
    assert accounts.log_in.password("kim@example.com", "another long one", address="192.0.2.1").id == user.id
    with pytest.raises(AccountFault):
        accounts.log_in.password("kim@example.com", PASSWORD, address="192.0.2.1")
