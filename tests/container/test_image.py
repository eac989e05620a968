"""The container's files say what they must, and its entrypoint really gives up root."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.routing import Route

from stocklab.settings import PREFIX, Settings
from stocklab.web.metrics import RequestMetrics
from stocklab.web.routes import build_routes

ROOT = Path(__file__).resolve().parents[2]
ENTRYPOINT = ROOT / "container" / "entrypoint.sh"
SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up root")


def instructions(stage: str) -> list[tuple[str, str]]:
    """Instructions of a stage of the Dockerfile: name and text, continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word == "FROM":
            name = rest.split(" AS ")[1]
        found.setdefault(name, []).append((word, rest.strip()))
    return found[stage]


def of(word: str, stage: str = "final") -> list[str]:
    return [rest for name, rest in instructions(stage) if name == word]


def environment() -> dict[str, str]:
    return dict(part.split("=", 1) for text in of("ENV") for part in shlex.split(text))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8")))


def test_the_image_is_small_pinned_and_of_no_particular_processor() -> None:
    for stage in ("build", "final"):
        (base,) = of("FROM", stage)
        assert re.fullmatch(r"python:3\.\d+-slim-\w+ AS \w+", base), base
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert not re.search(r"latest|--platform|TARGETARCH|amd64|arm64|x86|aarch64|curl|wget|dpkg -i", code)
    assert not any("pip install" in text or "uv " in text for text in of("RUN"))  # tools of the build stay there
    assert any("compile_ahead" in text for text in of("RUN", "build"))


def test_everything_that_lasts_is_in_one_volume() -> None:
    (volume,) = of("VOLUME")
    values = environment()
    assert json.loads(volume) == [values["STOCKLAB_HOME"]] == ["/data"]
    assert values["NUMBA_CACHE_DIR"].startswith("/data/")
    assert values["STOCKLAB_ENV"] == "prod"
    assert values["STOCKLAB_PORT"] == of("EXPOSE")[0]
    assert {name for name in values if name.startswith(PREFIX)} <= SETTINGS
    assert not [name for name in values if re.search("KEY|SECRET|PASSWORD|TOKEN", name)]


def test_its_health_is_a_route_of_the_app() -> None:
    (check,) = of("HEALTHCHECK")
    path = re.search(r"\+ '(/\w+)'", check)
    assert path is not None
    routes = {route.path for route in build_routes(RequestMetrics()) if isinstance(route, Route)}
    assert path[1] == "/readyz"
    assert path[1] in routes


def test_the_program_starts_through_the_entrypoint() -> None:
    assert json.loads(of("ENTRYPOINT")[0]) == ["stocklab-entrypoint"]
    assert json.loads(of("CMD")[0]) == ["stocklab", "up"]
    assert {"PUID", "PGID"} <= environment().keys()
    assert int(environment()["PUID"]) > 0
    copied = [text.split() for text in of("COPY") if "container/" in text]
    assert {words[-1] for words in copied} == {"/usr/local/bin/stocklab-entrypoint", "/usr/local/bin/stocklab"}
    for words in copied:
        assert "--chmod=0755" in words
        subprocess.run(["sh", "-n", ROOT / words[-2]], check=True)
    assert environment()["PATH"].startswith("$PATH:")  # /usr/local/bin first: the wrapper that gives up root


def enter(data: Path, *command: str, **values: str) -> subprocess.CompletedProcess[str]:
    plain = {
        "PATH": os.environ["PATH"],
        "STOCKLAB_HOME": str(data),
        "NUMBA_CACHE_DIR": str(data / "cache" / "compiled"),
    }
    return subprocess.run(
        ["sh", str(ENTRYPOINT), *command], env=plain | values, capture_output=True, text=True, check=False
    )


@pytest.fixture
def volume() -> Iterator[Path]:
    """A volume of root's with a file in it, where another user may look (pytest's own folders are closed to others)."""
    with tempfile.TemporaryDirectory(prefix="volume-") as folder:
        data = Path(folder) / "data"
        (data / "market").mkdir(parents=True)
        (data / "market" / "CURRENT").write_text("x")
        Path(folder).chmod(0o755)
        yield data


@as_root
def test_it_hands_the_volume_over_and_gives_up_root(volume: Path) -> None:
    script = 'id -u; id -g; id -G; grep -E "^(CapEff|NoNewPrivs)" /proc/self/status; echo ok > "$STOCKLAB_HOME/new"'
    done = enter(volume, "sh", "-c", script, PUID="12345", PGID="23456")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["12345", "23456", "23456", "CapEff:", "0000000000000000", "NoNewPrivs:", "1"]
    for path in (volume, volume / "market", volume / "market" / "CURRENT", volume / "new"):
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)
    assert not stat.S_IMODE((volume / "new").stat().st_mode) & 0o007  # nothing for others
    again = enter(volume, "id", "-u", PUID="12346", PGID="23456")  # another owner takes all of it over
    assert (again.stdout.strip(), (volume / "new").stat().st_uid) == ("12346", 12346)


@as_root
@pytest.mark.parametrize(
    ("name", "value"), [("PUID", "0"), ("PUID", "abc"), ("PGID", "0"), ("PGID", "1 2"), ("PUID", "-1")]
)
def test_an_owner_that_is_root_or_no_number_is_refused(volume: Path, name: str, value: str) -> None:
    done = enter(volume, "id", "-u", **({"PUID": "12345", "PGID": "12345"} | {name: value}))
    assert (done.returncode, done.stdout) == (64, "")
    assert name in done.stderr
    assert (volume / "market").stat().st_uid == 0  # nothing was changed


@as_root
def test_the_exit_code_and_arguments_of_the_program_come_through(volume: Path) -> None:
    done = enter(volume, "sh", "-c", 'printf "%s|" "$@"; exit 7', "x", "a b", "", "c*", PUID="12345", PGID="12345")
    assert (done.returncode, done.stdout) == (7, "a b||c*|")


def test_the_compose_file_names_real_settings_and_stays_closed(compose: dict[str, Any]) -> None:
    service = compose["services"]["stocklab"]
    named = {text.split("=")[0] for text in service["environment"]}
    assert {name for name in named if name.startswith(PREFIX)} <= SETTINGS
    assert {"PUID", "PGID"} <= named
    (port,) = service["ports"]
    assert port.startswith("127.0.0.1:")
    assert port.endswith(f":{environment()['STOCKLAB_PORT']}")
    (mount,) = service["volumes"]
    assert mount.endswith(":/data")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(service["cap_add"]) == {"CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"}
    assert "no-new-privileges:true" in service["security_opt"]
    for each in compose["services"].values():
        assert re.fullmatch(r"[\w./-]+:[\w.-]+", each["image"])
        assert not each["image"].endswith(":latest")
    assert compose["services"]["database"]["profiles"] == ["postgres"]  # an option: not started unasked
    assert set(compose["volumes"]) == {"stocklab", "database"}


def test_the_build_context_holds_what_is_copied_and_nothing_private() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if line and not line.startswith("#")) == "*"
    kept = {line[1:] for line in lines if line.startswith("!")}
    for stage in ("build", "final"):
        for text in of("COPY", stage):
            if "--from=" in text:
                continue
            for source in [word for word in text.split() if not word.startswith("--")][:-1]:
                assert source.split("/")[0] in kept, source
    assert not kept & {".git", ".env", "data", "tests"}
