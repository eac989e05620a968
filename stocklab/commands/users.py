"""``stocklab users``: accounts from the machine itself, for the first admin and for when nobody gets in."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stocklab.accounts import Accounts, NewAccount, Role, User
from stocklab.commands.arguments import add_command, print_json, say
from stocklab.db import database_url, open_database, upgrade
from stocklab.errors import AccountFault
from stocklab.operations import RateLimits
from stocklab.operations.audit import AuditLog
from stocklab.settings import Settings

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    users = commands.add_parser("users", help="accounts of this home")
    parts = users.add_subparsers(title="commands about accounts", metavar="COMMAND", required=True)
    add_command(parts, "list", _list, "all accounts").add_argument("--json", action="store_true")
    adding = add_command(parts, "add", _add, "open an account; the password is asked for, or read from standard input")
    adding.add_argument("email")
    adding.add_argument("nickname")
    adding.add_argument("--admin", action="store_true")
    resetting = add_command(parts, "reset-password", _reset, "print a link to set a new password, good for a day")
    resetting.add_argument("email")
    resetting.add_argument("--without-second-step", action="store_true", help="also turn off the second step")
    changing = add_command(parts, "set-role", _set_role, "make an account admin or member, and let it in again")
    changing.add_argument("email")
    changing.add_argument("role", choices=[role.value for role in Role])


@contextmanager
def _accounts(settings: Settings) -> Iterator[Accounts]:
    database = open_database(database_url(settings))
    try:
        upgrade(database)
        yield Accounts(database, settings, RateLimits(database), AuditLog(database).write)
    finally:
        database.close()


def _list(arguments: argparse.Namespace, settings: Settings) -> int:
    with _accounts(settings) as accounts:
        found = list(accounts.users.all())
    if arguments.json:
        print_json(
            [
                {
                    "id": user.id,
                    "email": user.email,
                    "nickname": user.nickname,
                    "role": user.role,
                    "plan": user.plan,
                    "active": user.is_active,
                    "second_step": user.has_second_factor,
                    "created_at": user.created_at,
                    "last_seen_at": user.last_seen_at,
                }
                for user in found
            ]
        )
        return 0
    for user in found:
        marks = [user.role.value, *(() if user.is_active else ("off",))]
        print(f"{user.email:<32} {user.nickname:<20} {', '.join(marks)}")
    say(f"{len(found):,} accounts.")
    return 0


def _add(arguments: argparse.Namespace, settings: Settings) -> int:
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Again: "):
            raise AccountFault("password_repeat", "The two passwords differ.")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    new = NewAccount(email=arguments.email, nickname=arguments.nickname, password=password)
    with _accounts(settings) as accounts:
        user = accounts.users.sign_up(new, role=Role.ADMIN if arguments.admin else Role.MEMBER)
    print(f"{user.email} {user.role}")
    return 0


def _reset(arguments: argparse.Namespace, settings: Settings) -> int:
    with _accounts(settings) as accounts:
        user = _named(accounts, arguments.email)
        if arguments.without_second_step:
            accounts.second_factor.drop(user.id, by=None)
        link = accounts.reset_link(accounts.resets.begin(user.id, by=None))
    print(link if settings.public_url else f"http://{settings.host}:{settings.port}{link}")
    return 0


def _set_role(arguments: argparse.Namespace, settings: Settings) -> int:
    with _accounts(settings) as accounts:
        user = accounts.users.set_role(_named(accounts, arguments.email).id, Role(arguments.role))
    print(f"{user.email} {user.role}")
    return 0


def _named(accounts: Accounts, email: str) -> User:
    user = accounts.users.by_email(email)
    if user is None:
        raise AccountFault("unknown_account", f"There is no account {email!r}. Hint: `stocklab users list`.")
    return user
