"""E-mail, nickname and phone: what is taken, and the folded form under which each is unique."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from stocklab.errors import AccountFault

__all__ = ["Name", "email_name", "folded", "nickname_name", "phone_name"]

_EMAIL: Final = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}")
_NICKNAME: Final = re.compile(r"[0-9A-Za-z가-힣ぁ-んァ-ヶー一-龥._ -]{2,20}")
_NICKNAME_CORE: Final = re.compile(r"[0-9A-Za-z가-힣ぁ-んァ-ヶ一-龥]")
_RESERVED: Final = frozenset(
    {"admin", "administrator", "anonymous", "leftuser", "moderator", "official", "operator", "root", "stocklab"}
    | {"support", "system", "관리자", "운영자", "운영진", "익명", "탈퇴한사용자", "공식"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """How it is shown, and the form that must be unique."""

    shown: str
    key: str


def folded(text: str) -> str:
    """The same for texts that differ only in case, width, composition and spaces.

    >>> folded(" Ｋim  Lee"), folded("STRASSE") == folded("straße")
    ('kimlee', True)
    """
    folded_once = _folded_once(text)
    while folded_once != text:  # a sign that stood apart by a space may now join the letter before
        text, folded_once = folded_once, _folded_once(folded_once)
    return folded_once


def _folded_once(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def email_name(text: str) -> Name:
    """An e-mail address.

    Raises
    ------
    AccountFault
        It has not the form ``name@host.example`` or is longer than 254 characters.
    """
    shown = unicodedata.normalize("NFKC", text).strip()
    key = folded(shown)
    if len(key) > 254 or not _EMAIL.fullmatch(key) or len(shown) != len(key) or ".." in key:
        raise AccountFault(
            "email_form", "Expected an e-mail address such as name@example.com; it has another form.", field="email"
        )
    return Name(shown=shown, key=key)


def nickname_name(text: str) -> Name:
    """A nickname: 2 to 20 letters (Latin, Hangul, Kana, Han), digits, and ``. _ -`` or single spaces between.

    Letters of other scripts are left out because many look like Latin ones.

    Raises
    ------
    AccountFault
        It has another form, or others would take it for the people who run this.
    """
    shown = " ".join(unicodedata.normalize("NFKC", text).split())
    if not _NICKNAME.fullmatch(shown) or not _NICKNAME_CORE.search(shown):
        raise AccountFault(
            "nickname_form",
            "Expected 2 to 20 letters or digits, with . _ - or single spaces between; found something else.",
            field="nickname",
        )
    key = folded(shown)
    if re.sub(r"[._-]", "", key) in _RESERVED:
        raise AccountFault("nickname_reserved", "This nickname is reserved. Hint: choose another.", field="nickname")
    return Name(shown=shown, key=key)


def phone_name(text: str) -> Name | None:
    """A phone number, None where nothing was entered. A number without a country is Korean.

    >>> phone_name("010-1234-5678").key, phone_name("+82 10 1234 5678").key
    ('+821012345678', '+821012345678')

    Raises
    ------
    AccountFault
        It is not 8 to 15 digits.
    """
    shown = " ".join(unicodedata.normalize("NFKC", text).split())
    if not shown:
        return None
    digits = re.sub(r"[\s().-]", "", shown)
    if digits.startswith("0") and not digits.startswith("00"):
        digits = f"+82{digits[1:]}"
    elif digits.startswith("00"):
        digits = f"+{digits[2:]}"
    digits = re.sub(r"^\+820", "+82", digits)
    if not re.fullmatch(r"\+[1-9][0-9]{7,14}", digits) or len(shown) > 32:
        raise AccountFault("phone_form", "Expected a phone number such as 010-1234-5678.", field="phone")
    return Name(shown=shown, key=digits)
