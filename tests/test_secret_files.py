from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from stocklab.errors import SettingsError
from stocklab.secret_files import cookie_secret, own_secret
from stocklab.settings import Settings


def test_the_secret_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    first = cookie_secret(settings)
    file = tmp_path / "home" / "secrets" / "cookie"
    assert len(first) >= 32
    assert cookie_secret(settings) == first == file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in file.parent.iterdir()] == ["cookie"]


def test_two_homes_have_different_secrets(tmp_path: Path) -> None:
    assert own_secret(tmp_path / "a", strict=True) != own_secret(tmp_path / "b", strict=True)


def test_processes_that_start_together_read_one_secret(tmp_path: Path) -> None:
    found: list[str] = []
    begin = threading.Barrier(8)

    def read() -> None:
        begin.wait()
        found.append(own_secret(tmp_path / "s" / "cookie", strict=True))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_secret_that_others_can_read_is_refused_in_prod_and_closed_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "cookie"
    secret = own_secret(file, strict=True)
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        own_secret(file, strict=True)
    assert own_secret(file, strict=False) == secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_secret_that_is_too_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cookie"
    file.touch(mode=0o600)
    file.write_text("short")
    with pytest.raises(SettingsError, match="fewer than 32"):
        own_secret(file, strict=False)


def test_a_secret_that_was_set_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    given = "0123456789abcdef0123456789abcdef"
    assert cookie_secret(Settings(home=tmp_path, cookie_secret=given)) == given  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
