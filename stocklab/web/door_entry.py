"""Sign-up and setting a new password."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import structlog
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from stocklab.accounts import Accounts, Limit, NewAccount, hashed, network_of, spend_all
from stocklab.accounts.names import folded
from stocklab.errors import AccountFault, LimitReached, SourceError
from stocklab.portfolios import shared_lab
from stocklab.settings import Settings
from stocklab.ui.text import Language
from stocklab.web.door_forms import Busy, Gate, address_of, language_of, read_form
from stocklab.web.door_page import Door, Field, door_address, draw_door, word
from stocklab.web.doors import enter, guarded, turned_back
from stocklab.web.own_path import own_path

__all__ = ["Entries"]

log = structlog.get_logger(__name__)

_HOUR: Final = timedelta(hours=1)
_FAULTY_TRIES: Final = 60


class Entries:
    """The routes."""

    def __init__(self, settings: Settings, gate: Gate) -> None:
        self._settings = settings
        self._gate = gate

    def routes(self) -> list[BaseRoute]:
        """GET and POST of each page."""
        pages = {"/auth/signup": self.sign_up, "/auth/forgot": self.forgot, "/auth/reset": self.reset}
        return [Route(path, guarded(self._settings, page), methods=["GET", "POST"]) for path, page in pages.items()]

    async def sign_up(self, request: Request) -> Response:
        """Open an account and enter."""
        form = await read_form(request) if request.method == "POST" else request.query_params
        language, goal = language_of(form.get("lang")), own_path(form.get("next", "/"))
        door = _sign_up_door(language, goal, form if request.method == "POST" else {})
        if not self._settings.sign_ups_an_hour:
            closed = Door(title="sign_up_title", language=language, path="/auth/signup", links=door.links)
            return turned_back(AccountFault("sign_up_closed", "Sign-up is closed."), closed)
        if request.method != "POST":
            return draw_door(door)
        accounts = shared_lab().accounts
        entered = NewAccount(
            email=form.get("email", ""),
            nickname=form.get("nickname", ""),
            phone=form.get("phone", ""),
            password=form.get("password", ""),
            language=language if language != self._settings.language else None,
        )
        network = hashed(network_of(address_of(request)))
        tries = Limit(
            subject=f"signup-tries:{network}", most=max(_FAULTY_TRIES, self._settings.sign_ups_an_hour), per=_HOUR
        )
        opened = Limit(subject=f"signup:{network}", most=self._settings.sign_ups_an_hour, per=_HOUR)
        try:
            _same(form)
            await run_in_threadpool(spend_all, accounts.limits, (tries, opened))
            try:
                user = await self._gate.run(accounts.users.sign_up, entered)
            except (AccountFault, Busy) as error:
                if not (isinstance(error, AccountFault) and error.code == "contact_taken"):  # asking who is here counts
                    await run_in_threadpool(accounts.limits.give_back, opened.subject, per=_HOUR)
                raise
        except (AccountFault, LimitReached, Busy) as error:
            return turned_back(error, door)
        return await enter(request, accounts, user, goal, confirmed=False)

    async def forgot(self, request: Request) -> Response:
        """Mail a link. The answer is the same whether there is an account or not, and comes before the mail goes."""
        form = await read_form(request) if request.method == "POST" else request.query_params
        language = language_of(form.get("lang"))
        accounts = shared_lab().accounts
        back = ((door_address("/auth/login", language), "to_log_in"),)
        if not accounts.can_mail:
            return draw_door(
                Door(title="forgot_title", lead="forgot_no_mail", language=language, path="/auth/forgot", links=back)
            )
        door = Door(
            title="forgot_title",
            lead="forgot_lead",
            language=language,
            path="/auth/forgot",
            fields=(Field(name="email", label="email", kind="email", autocomplete="username"),),
            submit="send",
            links=back,
        )
        if request.method != "POST":
            return draw_door(door)
        email = form.get("email", "")
        limit = Limit(subject=f"forgot-address:{hashed(network_of(address_of(request)))}", most=10, per=_HOUR)
        try:
            await run_in_threadpool(spend_all, accounts.limits, (limit,))
        except LimitReached as error:
            return turned_back(error, door)
        sent = Door(
            title="forgot_title",
            language=language,
            path="/auth/forgot",
            notice=word(language, "forgot_sent"),
            links=back,
        )
        answer = draw_door(sent)
        answer.background = BackgroundTask(run_in_threadpool, _mail_link, accounts, email, language)
        return answer

    async def reset(self, request: Request) -> Response:
        """Take the link and a new password."""
        form = await read_form(request) if request.method == "POST" else request.query_params
        language, token = language_of(form.get("lang")), form.get("token", "")
        accounts = shared_lab().accounts
        back = ((door_address("/auth/login", language), "to_log_in"),)
        limit = Limit(subject=f"reset:{hashed(network_of(address_of(request)))}", most=60, per=_HOUR)
        again = (door_address("/auth/forgot", language), "forgot_again")
        bare = Door(title="forgot_title", language=language, path="/auth/reset", links=(again, *back))
        try:
            await run_in_threadpool(spend_all, accounts.limits, (limit,))
            user = await run_in_threadpool(accounts.resets.whose, token)
        except (AccountFault, LimitReached) as error:
            return turned_back(error, bare)
        door = Door(
            title="reset_title",
            language=language,
            path="/auth/reset",
            values={"nickname": user.nickname},
            fields=_new_passwords("new_password"),
            submit="set_password",
            hidden={"token": token},
            links=back,
        )
        if request.method != "POST":
            return draw_door(door)
        try:
            _same(form)
            await self._gate.run(accounts.resets.take, token, form.get("password", ""))
        except AccountFault as error:
            return turned_back(error, bare if error.code == "reset_over" else door)
        except Busy as error:
            return turned_back(error, door)
        accounts.sessions.forget()
        return RedirectResponse(door_address("/auth/login", language, said="password_set"), status_code=303)


def _sign_up_door(language: Language, goal: str, entered: Mapping[str, str]) -> Door:
    return Door(
        title="sign_up_title",
        lead="sign_up_lead",
        language=language,
        path="/auth/signup",
        fields=(
            Field(
                name="email", label="email", kind="email", autocomplete="username", value=entered.get("email", "")[:254]
            ),
            Field(
                name="nickname",
                label="nickname",
                autocomplete="nickname",
                hint="nickname_hint",
                value=entered.get("nickname", "")[:40],
                longest=40,
            ),
            Field(
                name="phone",
                label="phone",
                kind="tel",
                autocomplete="tel",
                value=entered.get("phone", "")[:32],
                required=False,
                longest=32,
            ),
            *_new_passwords("password"),
        ),
        submit="sign_up",
        hidden={"next": goal},
        links=((door_address("/auth/login", language, next=goal), "sign_up_have"),),
    )


def _new_passwords(label: str) -> tuple[Field, Field]:
    return (
        Field(
            name="password",
            label=label,
            hint="password_hint",
            kind="password",
            autocomplete="new-password",
            longest=1000,
        ),
        Field(
            name="password_repeat", label="password_repeat", kind="password", autocomplete="new-password", longest=1000
        ),
    )


def _same(form: Mapping[str, str]) -> None:
    if form.get("password") != form.get("password_repeat"):
        raise AccountFault("password_repeat", "The two passwords differ.", field="password_repeat")


def _mail_link(accounts: Accounts, email: str, language: Language) -> None:
    """Three an hour to one address; what goes wrong is logged, as the person hears the same in any case."""
    limit = Limit(subject=f"forgot:{hashed(folded(email))}", most=3, per=_HOUR)
    user = accounts.users.by_email(email)
    try:
        spend_all(accounts.limits, (limit,))
        if user is None or not user.is_active:
            return
        link = accounts.reset_link(accounts.resets.begin(user.id, by=user.id))
        text = word(language, "mail_text", link=link)
        accounts.mail(to=user.email, subject=word(language, "mail_subject"), text=text)
    except (AccountFault, LimitReached, SourceError) as error:
        log.warning("reset_mail_not_sent", error=type(error).__name__)
