"""The account page of somebody who is logged in: what is done on it, what is refused, and who is logged out."""

from __future__ import annotations

import pyotp
import pytest
from house import House
from people import PASSWORD
from streamlit.testing.v1 import AppTest

from stocklab.accounts import Scope
from stocklab.errors import AccountFault
from stocklab.portfolios import StrategyNotFound
from stocklab.strategy import PRESETS

NEW_PASSWORD = "nine green boats in a row"


def problems(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(str(part.value) for part in (*page.error, *page.warning))


def type_in(page: AppTest, **values: str) -> AppTest:
    for key, value in values.items():
        page.text_input(key=f"field_{key}").input(value)
    return page


def test_the_profile_is_changed_and_what_is_wrong_is_not_stored(house: House) -> None:
    user, other = house.join("profile"), house.join("neighbour")
    page = house.pages("account", who=house.enter(user), lang="en")
    for wrong, words in (
        ({"nickname": "a"}, "2 to 20 letters"),
        ({"nickname": "Neighbour"}, "taken"),
        ({"nickname": "profile", "email": other.email.upper()}, "password is not right"),
        ({"profile_password": "wrong"}, "password is not right"),
        ({"profile_password": PASSWORD}, "cannot be used"),
        ({"email": "nobody"}, "not an e-mail address"),
        ({"email": user.email, "phone": "12"}, "not a phone number"),
    ):
        type_in(page, **wrong).button(key="save_profile").click().run()
        assert words in problems(page)
        kept = house.accounts.users.get(user.id)
        assert (kept.nickname, kept.email, kept.phone) == (user.nickname, user.email, user.phone)
    type_in(page, nickname="새 이름", email="new@example.com", phone="010-1234-5678")
    page.button(key="save_profile").click().run()
    assert problems(page) == ""
    found = house.accounts.users.get(user.id)
    assert (found.nickname, found.email, found.phone) == ("새 이름", "new@example.com", "010-1234-5678")


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(house: House) -> None:
    user = house.join("password")
    here, elsewhere = house.enter(user), house.enter(user)
    page = house.pages("account", who=here, section="security", lang="en")
    for old, new, again, words in (
        ("wrong", NEW_PASSWORD, NEW_PASSWORD, "password is not right"),
        (PASSWORD, NEW_PASSWORD, "another", "two passwords differ"),
        (PASSWORD, "short", "short", "12 characters"),
    ):
        type_in(page, old=old, new=new, again=again).button(key="change_password").click().run()
        assert words in problems(page)
        house.accounts.users.confirm_password(user.id, PASSWORD)
    type_in(page, old=PASSWORD, new=NEW_PASSWORD, again=NEW_PASSWORD).button(key="change_password").click().run()
    assert problems(page) == ""
    house.accounts.users.confirm_password(user.id, NEW_PASSWORD)
    assert [line.id for line in house.accounts.sessions.list(user.id)] == [here["sid"]] != [elsewhere["sid"]]


def test_the_second_step_is_set_up_and_turned_off(house: House) -> None:
    user = house.join("second")
    page = house.pages("account", who=house.enter(user), section="security", lang="en")
    page.button(key="begin_second").click().run()
    secret = page.code[0].value.replace(" ", "")
    code = pyotp.TOTP(secret).now()
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    type_in(page, code=wrong).button(key="enable_second").click().run()
    assert "code is not right" in problems(page)
    assert not house.accounts.users.get(user.id).has_second_factor
    type_in(page, code=pyotp.TOTP(secret).now()).button(key="enable_second").click().run()
    assert house.accounts.users.get(user.id).has_second_factor
    recovery = page.code[0].value.split()
    assert len(recovery) == house.accounts.second_factor.recovery_codes_left(user.id) == 10
    assert page.run().code == []  # shown once
    type_in(page, change=recovery[3]).button(key="disable_second").click().run()
    assert problems(page) == ""
    assert not house.accounts.users.get(user.id).has_second_factor


def test_sessions_are_ended_one_by_one_and_all(house: House) -> None:
    user, other = house.join("sessions"), house.join("bystander")
    here, phone, office, foreign = (house.enter(one) for one in (user, user, user, other))
    page = house.pages("account", who=here, section="sessions")
    shown = {str(part.key) for part in page.button if str(part.key).startswith("end_")}
    assert f"end_{foreign['sid']}" not in shown
    page.button(key=f"end_{phone['sid']}").click().run()
    assert {line.id for line in house.accounts.sessions.list(user.id)} == {here["sid"], office["sid"]}
    page.button(key="end_others").click().run()
    assert [line.id for line in house.accounts.sessions.list(user.id)] == [here["sid"]]
    assert len(house.accounts.sessions.list(other.id)) == 1


def test_a_token_is_shown_once_and_lets_in_until_it_is_revoked(house: House) -> None:
    user = house.join("tokens")
    page = house.pages("account", who=house.enter(user), section="tokens", lang="en")
    type_in(page, token_name="Report").button(key="make_token").click().run()
    assert "Choose what the token may do" in problems(page)
    assert house.accounts.tokens.list(user.id) == ()
    page.multiselect(key="account_scopes").set_value([Scope.ACCOUNT_READ])
    type_in(page, token_name="Report")
    page.button(key="make_token").click().run()
    token = page.code[0].value
    holder = house.accounts.tokens.holder(token)
    assert holder is not None
    assert holder.user.id == user.id
    assert token not in str([part.value for part in page.run().code])
    page.button(key=f"revoke_{house.accounts.tokens.list(user.id)[0].id}").click().run()
    assert house.accounts.tokens.holder(token) is None


def test_leaving_needs_the_box_and_the_password_and_takes_everything_along(house: House) -> None:
    user = house.join("leaver")
    saved = house.lab.strategies.save(user.id, next(iter(PRESETS.values())).strategy)
    page = house.pages("account", who=house.enter(user), section="leave", lang="en")
    type_in(page, leave=PASSWORD).button(key="leave_now").click().run()
    assert "Tick the box first" in problems(page)
    page.checkbox(key="account_sure").check()
    type_in(page, leave="wrong").button(key="leave_now").click().run()
    assert "password is not right" in problems(page)
    house.accounts.users.get(user.id)
    page.checkbox(key="account_sure").check()
    type_in(page, leave=PASSWORD).button(key="leave_now").click().run()
    assert [said.value for said in page.success] == ["Your account is deleted. Good-bye."]
    assert "You are logged out" in problems(page.run())
    with pytest.raises(AccountFault):
        house.accounts.users.get(user.id)
    with pytest.raises(StrategyNotFound):
        house.lab.strategies.get(user.id, saved.id)


@pytest.mark.parametrize("name", ["account", "admin", "community", "shared", "ranking", "start", "watch", "help"])
def test_who_is_not_logged_in_sees_no_page(house: House, name: str) -> None:
    page = house.pages(name, lang="ko")
    assert "로그아웃된 상태입니다" in problems(page)
    assert "/auth/login" in "".join(str(part.proto.body) for part in page.get("html"))
    assert not [part for part in page.title if part.value]
    assert not page.button


def test_an_identity_counts_only_with_a_session_of_its_own_that_goes_on(house: House) -> None:
    admin, session = house.boss()
    member = house.join("pretender")
    mine = house.enter(member)
    for claim in ({"uid": admin.id, "sid": mine["sid"]}, {"uid": admin.id}, {"uid": admin.id, "sid": "nothing"}):
        assert "You are logged out" in problems(house.pages("account", who=claim, lang="en"))
    assert problems(house.pages("account", who=mine, lang="en")) == ""
    house.accounts.sessions.end(member.id, mine["sid"])
    assert "You are logged out" in problems(house.pages("account", who=mine, lang="en"))
    switched = house.enter(member)
    house.accounts.administration.set_active(admin.id, member.id, active=False)
    page = house.pages("account", who=switched, lang="en")
    assert "logged out" in problems(page) or "switched off" in problems(page)
    assert session["uid"] == admin.id
