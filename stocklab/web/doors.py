"""Log-in, second step and log-out: plain forms posted to our own routes, sessions kept on the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from stocklab.accounts import Accounts, User
from stocklab.errors import AccountFault, LimitReached, StockLabError
from stocklab.portfolios import shared_lab
from stocklab.settings import Settings
from stocklab.ui.text import Language, headline, speaking
from stocklab.web.cookies import DEVICE, SESSION, STEP, cookie_of, drop_cookie, write_cookie
from stocklab.web.door_forms import Busy, Gate, NotAForm, address_of, language_of, read_form
from stocklab.web.door_page import STYLE, Door, Field, door_address, draw_door, word
from stocklab.web.identity import session_of
from stocklab.web.own_path import own_path, with_language

__all__ = ["Doors", "enter", "guarded", "say", "turned_back"]

log = structlog.get_logger(__name__)

_EMAIL: Final = Field(name="email", label="email", kind="email", autocomplete="username")
_PASSWORD: Final = Field(
    name="password", label="password", kind="password", autocomplete="current-password", longest=1000
)
_CODE: Final = Field(name="code", label="code", autocomplete="one-time-code", hint="code_hint", longest=40)
Handler = Callable[[Request], Awaitable[Response]]


class Doors:
    """The routes. ``settings`` decide whether there are accounts at all."""

    def __init__(self, settings: Settings, gate: Gate) -> None:
        self._settings = settings
        self._gate = gate

    def routes(self) -> list[BaseRoute]:
        """GET and POST of each page, and the style sheet."""
        pages = (("log-in", "/auth/login", self.log_in), ("step", "/auth/second-step", self.second_step))
        return [
            Route("/auth/style.css", _style),
            Route("/auth/closed", guarded(self._settings, self.closed), methods=["GET"]),
            Route("/auth/logout", guarded(self._settings, self.log_out), methods=["GET", "POST"]),
            *(Route(path, guarded(self._settings, page), methods=["GET", "POST"]) for _name, path, page in pages),
        ]

    async def log_in(self, request: Request) -> Response:
        """E-mail and password."""
        if request.method != "POST":
            goal = own_path(request.query_params.get("next", "/"))
            if session_of(request.scope) is not None:
                return RedirectResponse(goal, status_code=303)
            language = language_of(request.query_params.get("lang"))
            said = request.query_params.get("said")
            notice = word(language, said) if said in ("logged_out", "password_set") else ""
            if not notice and await run_in_threadpool(shared_lab().accounts.users.is_empty):
                notice = word(language, "first_account")
            return draw_door(self._log_in_door(language, goal, notice=notice))
        form = await read_form(request)
        language, goal = language_of(form.get("lang")), own_path(form.get("next", "/"))
        accounts = shared_lab().accounts
        try:
            user = await self._gate.run(
                accounts.log_in.password,
                form.get("email", ""),
                form.get("password", ""),
                address=address_of(request),
                device=cookie_of(request.scope, DEVICE),
            )
        except (AccountFault, LimitReached, Busy) as error:
            return turned_back(error, self._log_in_door(language, goal, email=form.get("email", "")))
        if not user.has_second_factor:
            return await enter(request, accounts, user, goal, confirmed=False)
        note = await run_in_threadpool(accounts.log_in.half_way, user)
        answer = RedirectResponse(door_address("/auth/second-step", language, next=goal), status_code=303)
        answer.headers.append("Set-Cookie", write_cookie(request.scope, STEP, note))
        return answer

    async def second_step(self, request: Request) -> Response:
        """The code, after the password."""
        form = await read_form(request) if request.method == "POST" else request.query_params
        language, goal = language_of(form.get("lang")), own_path(form.get("next", "/"))
        accounts = shared_lab().accounts
        try:
            user_id = await run_in_threadpool(accounts.log_in.open_half_way, cookie_of(request.scope, STEP))
        except AccountFault as error:
            return turned_back(error, self._log_in_door(language, goal))
        door = Door(
            title="second_title",
            language=language,
            path="/auth/second-step",
            fields=(_CODE,),
            submit="log_in",
            hidden={"next": goal},
            links=((door_address("/auth/login", language, next=goal), "to_log_in"),),
        )
        if request.method != "POST":
            return draw_door(door)
        try:
            user = await run_in_threadpool(
                accounts.log_in.second,
                user_id,
                form.get("code", ""),
                address=address_of(request),
                device=cookie_of(request.scope, DEVICE),
            )
        except (AccountFault, LimitReached) as error:
            return turned_back(error, door)
        return await enter(request, accounts, user, goal, confirmed=True)

    async def log_out(self, request: Request) -> Response:
        """Asks first: a link alone, which another site could set, ends nothing."""
        live = session_of(request.scope)
        form = await read_form(request) if request.method == "POST" else request.query_params
        language = language_of(form.get("lang"))
        if live is None:
            return RedirectResponse(door_address("/auth/login", language), status_code=303)
        if request.method != "POST":
            return draw_door(
                Door(
                    title="log_out_title",
                    lead="log_out_lead",
                    values={"nickname": live.nickname},
                    language=language,
                    path="/auth/logout",
                    submit="log_out",
                    links=(("/", "to_start"),),
                )
            )
        try:
            await run_in_threadpool(shared_lab().accounts.sessions.end, live.user_id, live.id)
        except AccountFault:
            log.info("session_gone", session=live.id)  # ended elsewhere a moment ago
        answer = RedirectResponse(door_address("/auth/login", language, said="logged_out"), status_code=303)
        answer.headers.append("Set-Cookie", drop_cookie(request.scope, SESSION))
        return answer

    async def closed(self, request: Request) -> Response:
        """What a banned person sees."""
        live = session_of(request.scope)
        language = language_of(request.query_params.get("lang"))
        if live is None or live.banned_until is None:
            return RedirectResponse("/", status_code=303)
        problem = say(AccountFault("account_banned", "", until=live.banned_until.isoformat()), language)
        links = ((door_address("/auth/logout", language), "log_out"),)
        door = Door(title="closed_title", language=language, path="/auth/closed", problem=problem, links=links)
        return draw_door(door, status=403)

    def _log_in_door(self, language: Language, goal: str, *, email: str = "", notice: str = "") -> Door:
        onward = {"next": goal}
        return Door(
            title="log_in_title",
            language=language,
            path="/auth/login",
            fields=(_with_value(_EMAIL, email), _PASSWORD),
            submit="log_in",
            hidden=onward,
            notice=notice,
            links=(
                *(
                    ((door_address("/auth/signup", language, **onward), "sign_up"),)
                    if self._settings.sign_ups_an_hour
                    else ()
                ),
                (door_address("/auth/forgot", language), "forgot"),
            ),
        )


def guarded(settings: Settings, handler: Handler) -> Handler:
    """A page that exists only with accounts, and that answers a body of strangers' making with 400."""

    async def answer(request: Request) -> Response:
        if settings.is_single_user:
            return RedirectResponse("/", status_code=303)
        try:
            return await handler(request)
        except NotAForm as error:
            return PlainTextResponse(f"{error}\n", status_code=400, headers={"Connection": "close"})
        except StockLabError as error:
            log.error("door_failed", error=type(error).__name__, message=str(error))
            return PlainTextResponse("Something outside failed. Try again later.\n", status_code=503)

    return answer


async def enter(
    request: Request, accounts: Accounts, user: User, goal: str, *, confirmed: bool, after: BackgroundTask | None = None
) -> Response:
    """Begin a session under a new token, end the one this browser had, and go on."""
    old = session_of(request.scope)

    def begin() -> tuple[str, str]:
        if old is not None:
            try:
                accounts.sessions.end(old.user_id, old.id)
            except AccountFault:
                log.info("session_gone", session=old.id)
        agent = request.headers.get("user-agent", "")
        token = accounts.sessions.begin(user.id, address=address_of(request), agent=agent, confirmed=confirmed)
        return token, accounts.log_in.device(user.id)

    token, device = await run_in_threadpool(begin)
    answer = RedirectResponse(with_language(goal, user.language), status_code=303, background=after)
    answer.headers["Cache-Control"] = "no-store"
    for cookie in (
        write_cookie(request.scope, SESSION, token),
        write_cookie(request.scope, DEVICE, device),
        drop_cookie(request.scope, STEP),
    ):
        answer.headers.append("Set-Cookie", cookie)
    return answer


def turned_back(error: StockLabError, door: Door) -> Response:
    """The form again, with what was wrong."""
    headers: dict[str, str] = {}
    status = 422
    if isinstance(error, LimitReached):
        status, headers = 429, {"Retry-After": str(max(1, round(error.wait.total_seconds())))}
    elif isinstance(error, Busy):
        status, headers = 503, {"Retry-After": "5"}
    problem = word(door.language, "busy") if isinstance(error, Busy) else say(error, door.language)
    fault = error.field if isinstance(error, AccountFault) else ""
    shown = Door(
        title=door.title,
        language=door.language,
        lead=door.lead,
        path=door.path,
        fields=door.fields,
        submit=door.submit,
        hidden=door.hidden,
        links=door.links,
        values=door.values,
        problem=problem,
        fault=fault,
    )
    return draw_door(shown, status=status, headers=headers)


def say(error: StockLabError, language: Language) -> str:
    """What is wrong, in a language."""
    with speaking(language):
        return headline(error)


def _with_value(field: Field, value: str) -> Field:
    return Field(
        name=field.name,
        label=field.label,
        kind=field.kind,
        autocomplete=field.autocomplete,
        hint=field.hint,
        value=value[: field.longest],
        required=field.required,
        longest=field.longest,
    )


async def _style(_request: Request) -> Response:
    return PlainTextResponse(STYLE, media_type="text/css", headers={"Cache-Control": "max-age=3600"})
