"""What is taken as an e-mail, nickname, phone and password, and what counts as the same."""

from __future__ import annotations

import unicodedata

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stocklab.accounts import check_policy, email_name, folded, hash_password, matches, nickname_name, phone_name
from stocklab.errors import AccountFault


def code_of(work, *given_: str, **named: str) -> str:
    with pytest.raises(AccountFault) as caught:
        work(*given_, **named)
    return caught.value.code


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kim", "kIM"),
        ("Kim", "Ｋｉｍ"),  # full width
        ("김철수", unicodedata.normalize("NFD", "김철수")),
        ("Kim Lee", "kim  lee"),
        ("straße", "STRASSE"),
    ],
)
def test_names_that_look_the_same_have_one_key(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize("text", ["kim@example.com", " Kim.Lee+lab@Mail.Example.co.kr ", "ｋｉｍ＠example.com"])
def test_emails_that_are_taken(text: str) -> None:
    assert email_name(text).key == folded(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kim",
        "kim@",
        "@example.com",
        "kim@example",
        "kim@exa mple.com",
        "a@b.c\r\nBcc: x@y.zz",
        "<b>@example.com",
        "김@example.com",
        f"{'a' * 250}@b.co",
        "a..b@example.com",
        'kim"@example.com',
        "kim@example.com,x@example.com",
    ],
)
def test_emails_that_are_refused(text: str) -> None:
    assert code_of(email_name, text) == "email_form"


def test_a_nickname_keeps_its_case_and_single_spaces() -> None:
    assert nickname_name("  Kim   철수 ").shown == "Kim 철수"
    assert nickname_name("Kim 철수").key == "kim철수"


@pytest.mark.parametrize(
    "text",
    ["", "k", "k" * 21, "<script>", "a\u202eb", "a\u200bb", "Кіm", "kim&lee", "--", "🙂🙂", "a'b", 'a"b'],
)
def test_nicknames_that_are_refused(text: str) -> None:
    assert code_of(nickname_name, text) == "nickname_form"


@pytest.mark.parametrize("text", ["Admin", "ＡＤＭＩＮ", "관리자", "stock-lab", "익 명", "Left User"])
def test_nicknames_of_the_house_are_reserved(text: str) -> None:
    assert code_of(nickname_name, text) == "nickname_reserved"


def test_phones_are_the_same_with_and_without_the_country() -> None:
    keys = {
        phone_name(text).key for text in ("010-1234-5678", "+82 10 1234 5678", "0082-10-1234-5678", "+82-010-1234-5678")
    }  # type: ignore[union-attr]
    assert keys == {"+821012345678"}
    assert phone_name("  ") is None
    for text in ("12345", "010-12a4-5678", "+0012345678", "1" * 40):
        assert code_of(phone_name, text) == "phone_form"


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("elevenchars", "password_short"),
        ("가나다라마바사아자차카", "password_short"),
        ("x7!" * 24 + "y", "password_long"),  # 73 bytes
        ("가나다라마바사아자차카타파하거너더러머버서어저처커", "password_long"),  # 25 letters, 75 bytes
        ("tab\tinside it", "password_characters"),
        ("password1234", "password_common"),
        ("P@SSWORD12345", "password_common"),
        ("qwertyuiop12", "password_common"),
        ("abcdabcdabcd", "password_common"),
        ("aaaaaaaaaaaa", "password_common"),
        ("１２３４５６７８９０１２", "password_common"),
        ("kim.minsoo99", "password_is_name"),
        ("kim.minsoo@example", "password_is_name"),
    ],
)
def test_passwords_that_are_refused(password: str, code: str) -> None:
    assert code_of(check_policy, password, email="kim.minsoo@example.com", nickname="minsoo") == code


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "말 배터리 스테이플 정답", "xz" + "7!q" * 23, "kim minsoo likes tall old trees"],
)
def test_passwords_that_are_good(password: str) -> None:
    check_policy(password, email="kim.minsoo@example.com", nickname="minsoo")


def test_hashes_are_bcrypts_and_know_a_password_however_it_is_composed(dear_passwords: None) -> None:
    stored = hash_password("말 배터리 스테이플 정답")
    assert stored.startswith("$2b$12$")
    assert bcrypt.checkpw("말 배터리 스테이플 정답".encode(), stored.encode())
    assert matches(unicodedata.normalize("NFD", "말 배터리 스테이플 정답"), stored)
    assert not matches("말 배터리 스테이플 오답", stored)
    for strange in ("", "\0", "\ud800", "x" * 5000, "nobody"):
        assert not matches(strange, stored)
        assert not matches(strange, None)


def test_an_overlong_password_does_not_match_its_first_72_bytes() -> None:
    stored = hash_password("a1!" * 24)
    assert matches("a1!" * 24, stored)
    assert not matches("a1!" * 24 + "x", stored)
