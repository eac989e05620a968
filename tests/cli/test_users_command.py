"""`stocklab users` as a person at the machine calls it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from stocklab.accounts import Accounts
from stocklab.cli import main
from stocklab.db import open_database
from stocklab.operations import RateLimits
from stocklab.settings import load_settings

PASSWORD = "correct horse battery"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STOCKLAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STOCKLAB_DATABASE_URL", raising=False)
    return tmp_path / "home"


def test_the_way_in_from_the_machine(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def add(email: str, nickname: str, password: str = PASSWORD, *more: str) -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        return main(["users", "add", email, nickname, *more])

    assert add("kim@example.com", "kim") == 0
    assert add("lee@example.com", "lee") == 0
    assert add("short@example.com", "short", "short") == 1
    assert add("KIM@example.com", "kim2") == 1
    capsys.readouterr()
    assert main(["users", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["email"], one["role"]) for one in found] == [
        ("kim@example.com", "admin"),
        ("lee@example.com", "member"),
    ]
    assert "password" not in json.dumps(found)
    assert main(["users", "set-role", "Lee@example.com", "admin"]) == 0
    assert main(["users", "set-role", "nobody@example.com", "admin"]) == 1
    capsys.readouterr()
    assert main(["users", "reset-password", "lee@example.com", "--without-second-step"]) == 0
    address, token = capsys.readouterr().out.strip().split("/auth/reset?token=")
    assert address == "http://127.0.0.1:8501"
    database = open_database(f"sqlite:///{home / 'stocklab.db'}")
    accounts = Accounts(database, load_settings(), RateLimits(database))
    user = accounts.resets.take(token, "a wholly new password")
    assert accounts.users.get(user.id).role == "admin"
    database.close()
    assert main(["users", "list"]) == 0
    assert "lee@example.com" in capsys.readouterr().out
