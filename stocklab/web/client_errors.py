"""Errors of the front end, as browsers report them: a small script in every page, and the route it posts to."""

from __future__ import annotations

import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from importlib.resources import files
from typing import Final, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from stocklab.counts import COUNTS, ProcessCounts

__all__ = ["SCRIPT_PATH", "ClientErrors", "Rate"]

log = structlog.get_logger(__name__)

SCRIPT_PATH: Final = "/client-errors.js"
PATH: Final = "/client-errors"
_MOST_BYTES: Final = 8_000
_QUERY: Final = re.compile(r"[?#][^\s)'\":]*")
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e\u00a0-\ud7ff\ue000-\uffef]+")
_SCRIPT: Final = (files("stocklab.web") / "client-errors.js").read_text(encoding="utf-8")


class _Report(BaseModel):
    model_config = ConfigDict(extra="ignore")

    kind: Literal["error", "rejection", "policy"]
    message: str = Field(max_length=2000)
    source: str = Field(default="", max_length=2000)
    line: int = Field(default=0, ge=0, le=10_000_000)
    stack: str = Field(default="", max_length=4000)
    page: str = Field(default="", max_length=500)


class Rate:
    """At most ``each`` events a minute from one client, and ``all_together`` from all."""

    def __init__(
        self, each: int = 20, all_together: int = 120, clock: Callable[[], float] = time.monotonic, clients: int = 1000
    ) -> None:
        self._each = each
        self._all = all_together
        self._clock = clock
        self._clients = clients
        self._minute = 0
        self._seen: OrderedDict[str, int] = OrderedDict()
        self._total = 0

    def allows(self, client: str) -> bool:
        """Count an event; False when it is one too many."""
        minute = int(self._clock() // 60)
        if minute != self._minute:
            self._minute, self._total = minute, 0
            self._seen.clear()
        if self._total >= self._all or self._seen.get(client, 0) >= self._each:
            return False
        if client not in self._seen and len(self._seen) >= self._clients:
            return False
        self._total += 1
        self._seen[client] = self._seen.get(client, 0) + 1
        return True


class ClientErrors:
    """The script and the route."""

    def __init__(self, counts: ProcessCounts = COUNTS, rate: Rate | None = None) -> None:
        self._counts = counts
        self._rate = Rate() if rate is None else rate

    def routes(self) -> list[BaseRoute]:
        """`GET /client-errors.js` and `POST /client-errors`."""
        return [Route(SCRIPT_PATH, self._script), Route(PATH, self._take, methods=["POST"])]

    async def _script(self, _request: Request) -> Response:
        return PlainTextResponse(_SCRIPT, media_type="text/javascript", headers={"Cache-Control": "max-age=3600"})

    async def _take(self, request: Request) -> Response:
        if not self._rate.allows(request.client.host if request.client else ""):
            return PlainTextResponse("Too many.\n", status_code=429, headers={"Retry-After": "60"})
        body = bytearray()
        async for piece in request.stream():
            body.extend(piece)
            if len(body) > _MOST_BYTES:
                return PlainTextResponse("Too large.\n", status_code=413, headers={"Connection": "close"})
        try:
            report = _Report.model_validate(json.loads(body))
        except (ValidationError, ValueError, RecursionError):
            return PlainTextResponse("Not a report.\n", status_code=400)
        self._counts.browser_error()
        log.warning(
            "browser_error",
            kind=report.kind,
            message=_plain(report.message, 500),
            source=_plain(report.source, 200),
            line=report.line,
            trace=_plain(report.stack, 1000),
            page=_plain(report.page, 200),
            agent=_plain(request.headers.get("user-agent", ""), 200),
        )
        return Response(status_code=204)


def _plain(text: str, most: int) -> str:
    """Printable, on one line, without the queries of addresses, which may name what a visitor looks at."""
    return _UNPRINTABLE.sub(" ", _QUERY.sub("", text))[:most]
