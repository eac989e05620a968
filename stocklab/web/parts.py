"""Everything ``app.py`` hands to ``st.App``."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from stocklab.counts import COUNTS
from stocklab.settings import Settings
from stocklab.web.admission import Admission
from stocklab.web.api import api_routes
from stocklab.web.assets import content_security_policy, front_end
from stocklab.web.body_limit import BodyLimit
from stocklab.web.client_errors import SCRIPT_PATH, ClientErrors
from stocklab.web.door_entry import Entries
from stocklab.web.door_forms import Gate
from stocklab.web.doors import Doors
from stocklab.web.identity import Identity
from stocklab.web.lifespan import Lifespan, build_lifespan
from stocklab.web.metrics import RequestMetrics
from stocklab.web.middleware import HostCheck, OriginCheck, PageLanguage, RequestLog, SecurityHeaders, StaticGzip
from stocklab.web.routes import build_routes

__all__ = ["WebParts", "web_parts"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """Arguments of ``st.App``."""

    lifespan: Lifespan
    routes: tuple[BaseRoute, ...]
    middleware: tuple[Middleware, ...]
    on_script_error: Callable[[Exception], bool | None]


def web_parts(settings: Settings) -> WebParts:
    """Build them for these settings."""
    metrics = RequestMetrics()
    gate = Gate()
    folder = front_end()
    policy = content_security_policy((folder / "index.html").read_text(encoding="utf-8"))
    return WebParts(
        lifespan=build_lifespan(settings),
        routes=(
            *ClientErrors().routes(),
            *Doors(settings, gate).routes(),
            *Entries(settings, gate).routes(),
            *api_routes(),
            *build_routes(metrics),
        ),
        middleware=(
            Middleware(RequestLog, metrics=metrics),
            Middleware(SecurityHeaders, policy=policy),
            Middleware(HostCheck, allowed=settings.allowed_hosts),
            Middleware(BodyLimit, most_bytes=settings.max_body_mb * 1_000_000),
            Middleware(OriginCheck, allowed=settings.allowed_origins),
            Middleware(Identity, settings=settings, folder=folder),
            Middleware(Admission, most=settings.max_sessions),
            Middleware(StaticGzip, folder=folder),
            Middleware(PageLanguage, language=settings.language, title="Stock Lab", script=SCRIPT_PATH),
        ),
        on_script_error=report_script_error,
    )


def report_script_error(error: Exception) -> None:
    """Log and count a fault of a page under a reference; the visitor sees Streamlit's sentence without details."""
    COUNTS.page_error("program")
    log.error("page_failed", reference=secrets.token_hex(4), error=type(error).__name__, exc_info=error)
