"""Passwords: which are good enough, and their bcrypt hashes."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache
from importlib.resources import files
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final

from stocklab.accounts.names import folded
from stocklab.errors import AccountFault, StockLabError

__all__ = ["LEAST_CHARACTERS", "MOST_BYTES", "check_policy", "hash_password", "matches"]

LEAST_CHARACTERS: Final = 12
MOST_BYTES: Final = 72
"""bcrypt reads no further."""
_AT_ONCE: Final = threading.BoundedSemaphore(2)  # 0.2 s of a core each: a flood of log-ins leaves the pages their time
_NOBODYS_HASH: Final = "$2b$12$jGeko4jsCyd5M.bw5hXAhufhMO6kp4JsprrcYklflQbh7vLzSwBaC"
"""Compared with when there is no account, so that this takes as long as when there is one. No password has it."""


def check_policy(password: str, *, email: str = "", nickname: str = "") -> None:
    """Accept a new password or say what is wrong with it.

    Raises
    ------
    AccountFault
        Shorter than 12 characters, longer than 72 bytes of UTF-8, one of the commonest, made of few characters, or
        built on the e-mail or nickname.
    """
    plain = _normal(password)
    if len(plain) < LEAST_CHARACTERS:
        _refuse("password_short", f"A password needs {LEAST_CHARACTERS} characters or more.")
    if len(plain.encode("utf-8", "replace")) > MOST_BYTES:
        _refuse("password_long", f"A password has at most {MOST_BYTES} bytes (24 Korean characters).")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in plain):
        _refuse("password_characters", "A password holds characters that can be typed.")
    key = folded(plain)
    core = re.sub(r"^[^a-z가-힣]+|[^a-z가-힣]+$", "", key)
    if key in _common() or core in _common() or len(set(key)) < 5 or _is_repeated(key):
        _refuse("password_common", "This is among the first passwords anybody would try.")
    names = [folded(name) for name in (email, email.rpartition(".")[0], email.partition("@")[0], nickname)]
    if any(len(name) >= 4 and name in key and len(key) - len(name) < 8 for name in names):
        _refuse("password_is_name", "The password is built on the e-mail or nickname.")


def hash_password(password: str) -> str:
    """bcrypt, by streamlit-authenticator's hasher. About 0.2 s; two at a time in this process."""
    with _AT_ONCE:
        return str(_hasher().hash(_normal(password)))


def matches(password: str, stored: str | None) -> bool:
    """Whether the password has that hash; as slow with none (None) as with one."""
    plain = _normal(password)
    usable = stored is not None and len(plain.encode()) <= MOST_BYTES
    attempt = plain if usable else "nobody"
    with _AT_ONCE:
        same = bool(_hasher().check_pw(attempt, stored if usable else _NOBODYS_HASH))
    return same and usable


def _normal(password: str) -> str:
    """The same password, however the keyboard composes Hangul. Halves of surrogate pairs cannot be typed."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode())


def _is_repeated(key: str) -> bool:
    """Whether a text is a short piece over and over ("abcdabcdabcd")."""
    return key in (key + key)[1:-1]


def _refuse(code: str, message: str) -> None:
    raise AccountFault(code, message, field="password")


@cache
def _common() -> frozenset[str]:
    text = (files("stocklab.accounts") / "common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(folded(line) for line in text.splitlines() if line and not line.startswith("#"))


@cache
def _hasher() -> Any:
    """The library's hasher alone: importing the package as a whole would start Streamlit's components."""
    package = find_spec("streamlit_authenticator")
    if package is None or package.origin is None:
        raise StockLabError("streamlit-authenticator is not installed. Hint: run `make setup`.")
    file = Path(package.origin).parent / "utilities" / "hasher.py"
    spec = spec_from_file_location("stocklab_bcrypt_hasher", file)
    if spec is None or spec.loader is None:
        raise StockLabError(f"{file.name} of streamlit-authenticator cannot be read.")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Hasher
