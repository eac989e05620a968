"""`stocklab up`: a ready home, then the UI and the scheduler, kept running until told to stop."""

from __future__ import annotations

import http.client
import socket
import sys
import threading
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import structlog

import stocklab
from stocklab.data.demo import build_demo
from stocklab.data.store import Store
from stocklab.db import open_database, upgrade
from stocklab.errors import SettingsError, StockLabError, StoreError
from stocklab.logs import configure_logging
from stocklab.portfolios import database_url
from stocklab.secret_files import cookie_secret
from stocklab.settings import Settings
from stocklab.sidecar.processes import Child, Patience, supervise

__all__ = ["address", "children", "ensure_data", "find_app", "migrate", "prepare", "supervise", "up"]

log = structlog.get_logger(__name__)

_DATABASE_PATIENCE_SECONDS = 30.0
_READY_PATIENCE_SECONDS = 120.0


class PortTaken(StockLabError):
    """Another program listens on the port."""


def up(settings: Settings, argv: Sequence[str] = (), *, patience: Patience | None = None) -> int:
    """Prepare the home, run the children until a signal, and return the exit code.

    ``argv`` is handed on to ``streamlit run``.

    Raises
    ------
    SettingsError
        A setting, a secret or the place of ``app.py`` is wrong.
    StockLabError
        The port is taken, or the database does not answer.
    """
    configure_logging(settings, process="up")
    prepare(settings)
    url = address(settings)

    def announce(child: Child) -> None:
        if child.name == "ui":
            threading.Thread(target=_say_when_ready, args=(settings, url), daemon=True).start()

    return supervise(children(settings, argv), patience=patience, on_start=announce)


def prepare(settings: Settings) -> None:
    """Everything that must be right before a child starts, so that a mistake is one message and not a crash loop."""
    Path(settings.home).mkdir(parents=True, exist_ok=True)
    find_app()
    if not settings.allowed_hosts and settings.host not in ("127.0.0.1", "::1", "localhost"):
        log.warning("only_loopback_names_are_answered", host=settings.host, hint="set STOCKLAB_ALLOWED_HOSTS")
    cookie_secret(settings)
    _check_port(settings)
    migrate(settings)
    ensure_data(settings)


def children(settings: Settings, argv: Sequence[str] = ()) -> tuple[Child, ...]:
    """The processes, in the order in which they start and stop."""
    app = find_app()
    home = Path(settings.home).resolve()
    command = (
        *(sys.executable, "-m", "streamlit", "run", str(app)),
        *("--server.port", str(settings.port), "--server.address", settings.host),
        *(("--client.showErrorDetails", "full") if settings.debug else ()),
        *argv,
    )
    environment = {
        "STOCKLAB_HOME": str(home),  # absolute: the child's directory is the app's
        "STOCKLAB_HOST": settings.host,
        "STOCKLAB_PORT": str(settings.port),
        "STREAMLIT_SERVER_COOKIE_SECRET": cookie_secret(settings),
    }
    ui = Child(name="ui", command=command, environment=environment, directory=app.parent, grace_seconds=15.0)
    if settings.scheduler == "off":
        return (ui,)
    scheduler = Child(
        name="scheduler",
        command=(sys.executable, "-m", "stocklab.cli", "scheduler"),
        environment={"STOCKLAB_HOME": str(home)},
        directory=app.parent,
        grace_seconds=20.0,
        essential=False,  # pages and backtests go on without it, and the system page says that it is away
    )
    return ui, scheduler


def find_app() -> Path:
    """Path of ``app.py``: beside the package, else in the working directory.

    Raises
    ------
    SettingsError
        It is in neither place.
    """
    places = (Path(stocklab.__file__).resolve().parents[1], Path.cwd())
    for place in places:
        if (place / "app.py").is_file() and (place / "pages").is_dir():
            return place / "app.py"
    raise SettingsError(f"app.py was not found in {places[0]} or {places[1]}. Hint: start from the repository.")


def ensure_data(settings: Settings) -> bool:
    """Make the demo market when the home holds no data; True when it was made."""
    store = Store(Path(settings.home))
    if store.current() is not None:
        return False
    started = time.perf_counter()
    _say(f"No market data in {settings.home}: making demo data (synthetic, {settings.demo_symbols} symbols) ...")
    try:
        build_demo(store, symbols=settings.demo_symbols, until=date.today())  # noqa: DTZ011 (the person's own day)
    except StoreError:
        if store.current() is None:  # else another process made or imported data meanwhile
            raise
        return False
    _say(f"Demo data ready in {time.perf_counter() - started:.0f} s. Import real data with `stocklab data import`.")
    return True


def address(settings: Settings) -> str:
    """Where a browser on this machine finds the app."""
    host = "localhost" if settings.host in ("0.0.0.0", "::", "127.0.0.1") else settings.host  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _check_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise PortTaken(
                f"Cannot listen on {settings.host}:{settings.port} ({error.strerror}). "
                "Hint: stop the other program, or set STOCKLAB_PORT or STOCKLAB_HOST."
            ) from error


def migrate(settings: Settings, *, patience_seconds: float = _DATABASE_PATIENCE_SECONDS) -> None:
    """Bring the database up to date; a database server that starts at the same time gets half a minute."""
    deadline = time.monotonic() + patience_seconds
    database = open_database(database_url(settings))
    try:
        while True:
            try:
                upgrade(database)
            except SettingsError:
                raise
            except StockLabError as error:
                if time.monotonic() >= deadline or database.backend == "sqlite":
                    raise
                log.warning("database_not_ready", message=str(error))
                time.sleep(1.0)
            else:
                return
    finally:
        database.close()


def _say_when_ready(settings: Settings, url: str) -> None:
    host = "127.0.0.1" if settings.host == "0.0.0.0" else "::1" if settings.host == "::" else settings.host  # noqa: S104
    deadline = time.monotonic() + _READY_PATIENCE_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(host, settings.port, timeout=2.0)
        try:
            connection.request("GET", "/healthz", headers={"Host": f"localhost:{settings.port}"})
            if connection.getresponse().status == http.HTTPStatus.OK:
                _say(f"Stock Lab is ready: {url}  (Ctrl-C stops it)")
                return
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()


def _say(line: str) -> None:
    """A line for the person at the terminal; logs go to standard error."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
