from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from stocklab.logs import configure_logging
from stocklab.settings import Settings


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_json_has_one_object_per_line_for_ours_and_the_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="json"))
    structlog.get_logger("stocklab.x").info("backtest_done", run_id="ab", seconds=0.4, name="전략")
    structlog.get_logger("stocklab.x").debug("hidden")
    logging.getLogger("some.library").warning("careful %s", 3)
    first, second = (json.loads(line) for line in lines(capsys))
    assert (first["event"], first["run_id"], first["seconds"], first["name"]) == ("backtest_done", "ab", 0.4, "전략")
    assert (first["level"], first["logger"]) == ("info", "stocklab.x")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"], second["logger"]) == ("careful 3", "warning", "some.library")


def test_the_web_server_writes_in_our_format(capsys: pytest.CaptureFixture[str]) -> None:
    server = logging.getLogger("streamlit.of.this.test")
    server.propagate = False
    server.addHandler(logging.StreamHandler())
    configure_logging(Settings(log_format="json"))
    server.warning("slow page")
    (line,) = lines(capsys)
    assert json.loads(line)["event"] == "slow page"


def test_secrets_are_never_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="json"))
    structlog.get_logger().info("login", access_token="t-123", Password="p-123", kis_app_key="k-123", user="kim")
    (line,) = lines(capsys)
    assert "123" not in line
    assert json.loads(line)["user"] == "kim"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_reaches_the_log(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    configure_logging(Settings(log_format=log_format))  # type: ignore[arg-type]
    held = "s3cret"
    try:
        assert held
        raise ZeroDivisionError("by nought")
    except ZeroDivisionError:
        structlog.get_logger("stocklab.x").exception("job_failed", reference="r1")
    text = "\n".join(lines(capsys))
    assert "job_failed" in text
    assert "r1" in text
    assert "by nought" in text
    assert held not in text


def test_setting_up_again_does_not_write_twice(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="console"))
    configure_logging(Settings(log_format="console"))
    structlog.get_logger().warning("once")
    assert len(lines(capsys)) == 1
