from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    return dict(flat(tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))))


def test_every_option_is_read_as_written_from_any_directory(written: dict[str, Any], tmp_path: Path) -> None:
    code = """
import json, sys
from streamlit import config
config._main_script_path = sys.argv[1]
config.get_config_options(force_reparse=True)
print(json.dumps({name: config.get_option(name) for name in json.loads(sys.argv[2])}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "app.py"), json.dumps(sorted(written))],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    headers = {"server.trustedUserHeaders": json.loads(written["server.trustedUserHeaders"])}  # Streamlit unpacks it
    assert json.loads(done.stdout.splitlines()[-1]) == {**written, **headers}
    assert "not a valid config option" not in done.stdout + done.stderr


def test_the_measured_decisions_are_there(written: dict[str, Any]) -> None:
    assert written["runner.postScriptGC"] is False  # hidden option: 75 ms CPU per page run when it is on
    assert written["server.fileWatcherType"] == "none"
    assert written["client.toolbarMode"] == "viewer"
    assert written["client.showErrorDetails"] == "none"
    assert written["browser.gatherUsageStats"] is False
    assert written["server.enableWebsocketCompression"] is False
    assert written["server.enableAgentApi"] is False
    assert not [name for name, value in written.items() if "http" in str(value)]
