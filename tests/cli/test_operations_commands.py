"""`stocklab db init`, `scheduler`, `backup` and `restore` as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stocklab.cli import main
from stocklab.operations.leadership import FileLeadership


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("STOCKLAB_HOME", str(home))
    monkeypatch.delenv("STOCKLAB_DATABASE_URL", raising=False)
    return home


def test_one_job_by_hand_and_what_the_scheduler_says(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        assert main(["db", "init"]) == 0
    assert main(["scheduler", "--once", "sync", "--key", "2026-11-20"]) == 0
    assert "none is set up" in capsys.readouterr().out
    for _ in range(2):
        assert main(["scheduler", "--once", "backup", "--key", "2026-11-20"]) == 0
    assert len(list((home / "backups").iterdir())) == 1  # done is done
    assert main(["scheduler", "--once", "dance"]) == 2
    assert main(["scheduler", "--key", "2026-11-20"]) == 2
    capsys.readouterr()
    assert main(["scheduler", "status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jobs = {job["name"]: job for job in found["jobs"]}
    assert (found["alive"], found["intents"]) == (False, [])
    assert (jobs["backup"]["last"]["key"], jobs["backup"]["last"]["state"]) == ("2026-11-20", "done")
    assert (jobs["presets"]["last"], jobs["sync"]["last_done"]) == (None, None)
    assert all(job["next_due"].endswith("+09:00") for job in found["jobs"])
    assert main(["doctor", "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert (checks["scheduler"]["state"], checks["backup"]["state"]) == ("off", "ok")
    assert checks["sources"]["state"] == "off"
    monkeypatch.setenv("STOCKLAB_KRX_OPENAPI_KEY", "k")
    assert main(["doctor", "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["sources"]["state"] == "ok"
    assert "krx_openapi 0" in checks["sources"]["detail"]
    assert main(["scheduler", "status"]) == 0
    assert "sync" in (said := capsys.readouterr().out)
    assert "none is set up" not in said
    assert "one was entered since" in said


def test_backup_and_restore_in_one_command_each(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, other = str(tmp_path / "b.tar.zst"), str(tmp_path / "other")
    assert main(["backup", "--out", file]) == 2  # nothing there
    assert main(["db", "init"]) == 0
    assert main(["backup", "--out", file]) == 0
    assert "keep it where only you can read it" in capsys.readouterr().err
    assert main(["restore", file, "--home", other]) == 0
    assert (tmp_path / "other" / "stocklab.db").is_file()
    assert main(["restore", file, "--home", other, "--replace"]) == 0
    running = FileLeadership(tmp_path / "other" / "scheduler.lock")
    assert running.try_take()
    assert main(["restore", file, "--home", other, "--replace"]) == 2
    assert "stop it" in capsys.readouterr().err
    running.release()
    assert main(["warm"]) == 3  # no market data
