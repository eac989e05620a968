"""Routes for machines: alive, ready, metrics; prefixes `/api` and `/auth` say 404 themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from stocklab import __version__
from stocklab.caches import cache_figures
from stocklab.db import head_revision, revision
from stocklab.errors import StockLabError
from stocklab.portfolios import Lab, shared_lab
from stocklab.web.lab_metrics import lab_metrics
from stocklab.web.metrics import RequestMetrics

__all__ = ["build_routes", "readiness"]

_NO_STORE = {"Cache-Control": "no-store"}


def build_routes(metrics: RequestMetrics) -> list[BaseRoute]:
    """The routes, in the order they are tried."""

    async def show_metrics(_request: Request) -> Response:
        body = metrics.text() + await run_in_threadpool(_lab_part)
        return PlainTextResponse(body, headers=_NO_STORE, media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/healthz", _alive),
        Route("/readyz", _ready),
        Route("/metrics", show_metrics),
        Route("/auth", _ApiNotFound()),
        Mount("/auth", app=_ApiNotFound()),
        Route("/api", _ApiNotFound()),
        Mount("/api", app=_ApiNotFound()),
    ]


def readiness(lab: Lab) -> tuple[bool, dict[str, Any]]:
    """Whether visitors can be served, and the checks behind it.

    A home without data is ready: the data page says what to do. A store or database that cannot be read is not.
    """
    database: dict[str, Any] = {"ok": True}
    store: dict[str, Any] = {"ok": True, "state": "empty"}
    try:
        lab.database.ping()
        database |= {"backend": lab.database.backend, "revision": revision(lab.database)}
        database["ok"] = database["revision"] == head_revision()
    except StockLabError as error:
        database = {"ok": False, "error": type(error).__name__}
    try:
        snapshot = lab.store.current()
        if snapshot is not None:
            store |= {"state": "loaded", "snapshot": snapshot.id, "synthetic": snapshot.manifest.synthetic}
    except (StockLabError, OSError) as error:
        store = {"ok": False, "state": "broken", "error": type(error).__name__}
    ready = bool(database["ok"] and store["ok"])
    caches = cache_figures()
    return ready, {
        "status": "ready" if ready else "not ready",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "database": database,
        "store": store,
        "caches": {
            "entries": sum(one.entries or 0 for one in caches),
            "hits": sum(one.hits for one in caches),
            "misses": sum(one.misses for one in caches),
        },
    }


async def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "ok", "version": __version__}, headers=_NO_STORE)


async def _ready(_request: Request) -> Response:
    ready, report = await run_in_threadpool(lambda: readiness(shared_lab()))
    return JSONResponse(report, status_code=200 if ready else 503, headers=_NO_STORE)


def _lab_part() -> bytes:
    return lab_metrics(shared_lab(), datetime.now(UTC))


class _ApiNotFound:
    """Streamlit answers unknown paths with its page and 200; a program needs to hear that it asked wrongly."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        body = {"error": "not_found", "message": f"There is no {scope['path']} here."}
        await JSONResponse(body, status_code=404, headers=_NO_STORE)(scope, receive, send)
