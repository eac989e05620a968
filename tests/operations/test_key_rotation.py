"""Exchanging the secret: every sealed column, all or nothing, and again after a kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from stocklab.cli import main
from stocklab.db import Base, Database, OwnerRow, UserRow
from stocklab.errors import SettingsError
from stocklab.operations import AuditLog, Sealer, SourceKeys, open_sealer
from stocklab.operations.key_rotation import SEALED_COLUMNS, exchange_secret, reseal
from stocklab.operations.sealing import encryption_file
from stocklab.settings import Settings

OLD = "o" * 40


def fill(database: Database, sealer: Sealer) -> None:
    SourceKeys(database, sealer).set("opendart_key", "planted-dart")
    with database.write() as session:
        session.add(OwnerRow(id="ada", name="Ada"))
        session.flush()
        values = {"email": "a@b.c", "email_key": "a@b.c", "nickname": "Ada", "nickname_key": "ada"}
        session.add(UserRow(id="ada", **values, totp_secret=sealer.seal("planted-totp")))


def opened(database: Database, sealer: Sealer) -> set[str]:
    with database.read() as session:
        totp = session.get_one(UserRow, "ada").totp_secret
    assert totp is not None
    return {*SourceKeys(database, sealer).values().values(), sealer.open(totp)}


def test_every_column_that_sounds_sealed_is_rotated() -> None:
    """A new column with a secret is either sealed and listed, or it is a hash."""
    sounding = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(word in column.name for word in ("secret", "sealed", "credential", "password", "token"))
        and not column.name.endswith(("_hash", "_at"))
    }
    assert {(table.__tablename__, column) for table, column in SEALED_COLUMNS} == sounding


def test_the_command_exchanges_the_secret_of_the_home(
    database: Database,
    empty_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("STOCKLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("STOCKLAB_DATABASE_URL", empty_url)
    settings = Settings(home=tmp_path / "home")
    before = open_sealer(settings)
    fill(database, before)
    assert main(["keys", "rotate"]) == 0
    assert "2 stored texts" in capsys.readouterr().out
    assert opened(database, open_sealer(settings)) == {"planted-dart", "planted-totp"}
    with pytest.raises(SettingsError, match="another key"):
        opened(database, before)
    file = encryption_file(settings)
    assert (file.stat().st_mode & 0o777, "," in file.read_text(encoding="ascii")) == (0o600, False)
    assert [path.name for path in file.parent.iterdir()] == ["encryption"]
    assert AuditLog(database).page()[0].action == "keys.rotated"


def test_a_rotation_that_was_killed_goes_on(database: Database, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    fill(database, open_sealer(settings))
    file = encryption_file(settings)
    file.write_text(f"{'n' * 40},{file.read_text(encoding='ascii')}", encoding="ascii")  # killed before the new seals
    assert opened(database, open_sealer(settings)) == {"planted-dart", "planted-totp"}
    assert exchange_secret(database, settings) == 2
    assert opened(database, open_sealer(settings)) == {"planted-dart", "planted-totp"}
    assert "," not in file.read_text(encoding="ascii")


def test_what_cannot_be_opened_changes_nothing(database: Database) -> None:
    fill(database, Sealer((OLD,)))
    with database.write() as session:
        session.get_one(UserRow, "ada").totp_secret = Sealer(("x" * 40,)).seal("of another installation")
    with pytest.raises(SettingsError, match="another key"):
        reseal(database, Sealer(("n" * 40, OLD)))
    assert SourceKeys(database, Sealer((OLD,))).values() == {"opendart_key": "planted-dart"}
