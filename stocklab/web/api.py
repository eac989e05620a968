"""`/api/v1`: what programs may read, with a token of their owner (``Authorization: Bearer slk_...``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from stocklab.accounts import Limit, Scope, TokenHolder, hashed, network_of, spend_all
from stocklab.errors import LimitReached, StockLabError
from stocklab.portfolios import shared_lab
from stocklab.web.door_forms import address_of

__all__ = ["api_routes"]

log = structlog.get_logger(__name__)

_NO_STORE: Final = {"Cache-Control": "no-store"}
_MINUTE: Final = timedelta(minutes=1)
Read = Callable[[TokenHolder], dict[str, Any]]


def api_routes() -> list[BaseRoute]:
    """The routes; whatever else begins with ``/api`` is answered with 404 after them."""
    return [
        Route("/api/v1/me", _answer(Scope.ACCOUNT_READ, _me), methods=["GET"]),
        Route("/api/v1/runs", _answer(Scope.RUNS_READ, _runs), methods=["GET"]),
    ]


def _answer(scope: Scope, read: Read) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await answered(request)
        except StockLabError as error:
            log.error("api_failed", path=request.url.path, error=type(error).__name__, message=str(error))
            return _fault(503, "unavailable", "Something outside failed. Try again later.", {"Retry-After": "5"})

    async def answered(request: Request) -> Response:
        accounts = shared_lab().accounts
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        limit = Limit(subject=f"api:{hashed(network_of(address_of(request)))}", most=300, per=_MINUTE)
        try:
            await run_in_threadpool(spend_all, accounts.limits, (limit,))
        except LimitReached as error:
            wait = str(max(1, round(error.wait.total_seconds())))
            return _fault(429, "too_many", f"Try again in {wait} seconds.", {"Retry-After": wait})
        known = kind.lower() == "bearer" and token.strip()
        holder = await run_in_threadpool(accounts.tokens.holder, token.strip()) if known else None
        if holder is None:
            needed = {"WWW-Authenticate": 'Bearer realm="stocklab"'}
            return _fault(401, "unauthorized", "Send a token: Authorization: Bearer slk_...", needed)
        if scope not in holder.scopes:
            needed = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
            return _fault(403, "insufficient_scope", f"This token has not the scope {scope}.", needed)
        return JSONResponse(await run_in_threadpool(read, holder), headers=_NO_STORE)

    return answer


def _me(holder: TokenHolder) -> dict[str, Any]:
    user = holder.user
    allowance = shared_lab().accounts.plans.allowance(user.id)
    return {
        "id": user.id,
        "nickname": user.nickname,
        "email": user.email,
        "role": user.role,
        "created_at": user.created_at.isoformat(timespec="seconds"),
        "scopes": sorted(holder.scopes),
        "plan": {
            "name": allowance.plan.name,
            "backtests_a_minute": allowance.backtests_a_minute,
            "backtests_a_day": allowance.plan.backtests_a_day,
            "backtests_today": allowance.backtests_today,
            "live_slots": allowance.plan.live_slots,
        },
    }


def _runs(holder: TokenHolder) -> dict[str, Any]:
    found = shared_lab().runs.list(holder.user.id, limit=20)
    return {
        "runs": [
            {
                "run_id": run.run_id,
                "name": run.name,
                "start": run.start.isoformat(),
                "end": run.end.isoformat(),
                "initial_cash_krw": run.initial_cash_krw,
                "metrics": dict(run.metrics),
                "created_at": run.created_at.isoformat(timespec="seconds"),
            }
            for run in found
        ]
    }


def _fault(status: int, code: str, message: str, headers: dict[str, str]) -> Response:
    return JSONResponse({"error": code, "message": message}, status_code=status, headers={**_NO_STORE, **headers})
