"""The app with an empty home, and a small one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from app_process import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with an empty home, started from another directory; stopped at the end of the module."""
    with serving(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with room for two sessions and bodies of one megabyte, and with log files."""
    with serving(tmp_path_factory.mktemp("small"), MAX_SESSIONS="2", MAX_BODY_MB="1", LOG_FILE="logs/lab.log") as app:
        yield app
