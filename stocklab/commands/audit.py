"""``stocklab audit verify | export``: proof that nobody changed the audit log, and the log as JSON lines."""

from __future__ import annotations

import argparse
import os
import re
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from stocklab.commands.arguments import add_command, say
from stocklab.errors import InputError
from stocklab.settings import Settings

__all__ = ["add_commands"]

_HEAD: Final = re.compile(r"(\d+):([0-9a-f]{64})")


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    audit = commands.add_parser("audit", help="prove or export the log of who did what")
    parts = audit.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verify = add_command(parts, "verify", _verify, "follow the chain of hashes; exit code 1 where it is broken")
    verify.add_argument("--file", type=Path, metavar="FILE", help="an export instead of the app database")
    verify.add_argument(
        "--head", type=_head, metavar="NUMBER:HASH", help="what an earlier look ended with: it must still be there"
    )
    export = add_command(parts, "export", _export, "write the log as JSON lines, oldest first")
    export.add_argument("--out", type=Path, metavar="FILE", help="a new file; default: standard output")


def _verify(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.db import database_url, open_database
    from stocklab.operations import AuditLog
    from stocklab.operations.audit_chain import read_export, verify_chain

    if arguments.file is not None:
        report = verify_chain(read_export(arguments.file), expected=arguments.head)
    else:
        with closing(open_database(database_url(settings))) as database:
            report = AuditLog(database).verify(expected=arguments.head)
    if report.broken is not None:
        print(f"Row {report.broken.number} is broken: {report.broken.reason}.")
        return 1
    print(f"{report.rows:,} rows, none changed. Head: {report.rows}:{report.head}")
    return 0


def _export(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.db import database_url, open_database
    from stocklab.operations import AuditLog

    with closing(open_database(database_url(settings))) as database:
        if arguments.out is None:
            AuditLog(database).export(sys.stdout)
            return 0
        try:
            handle = os.open(arguments.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise InputError(f"{arguments.out} cannot be made ({error.strerror}). Hint: name a new file.") from error
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            rows = AuditLog(database).export(stream)
    say(f"{arguments.out}: {rows:,} rows.")
    return 0


def _head(text: str) -> tuple[int, str]:
    found = _HEAD.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected NUMBER:HASH as `audit verify` prints it, found {text!r}")
    return int(found[1]), found[2]
