"""Logs: one event per unit of work, for a person (console) or a machine (JSON). Only process entry points call this."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import SecretStr

from stocklab.log_files import DailyFile, open_daily_file
from stocklab.settings import Settings

__all__ = ["configure_logging"]

_SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie", "account_number", "app_key")
_SERVERS = ("streamlit", "uvicorn", "websockets")  # they give each of their loggers a handler of its own
_QUIET = (
    "alembic",
    "apscheduler",
    "asyncio",
    "httpcore",
    "httpx",
    "numba",
    "uvicorn.access",
    "uvicorn.error",
    "watchdog",
    "websockets",
)


_SECRET_TEXT: Final = (
    re.compile(
        r"(?i)((?:api|app|auth|service|crtfc|access)[_-]?(?:key|token)|password|client[_-]?secret)=[^&\s\"'\\]+"
    ),
    re.compile(r"(?<=://)([^/\s:@\"'\\]*):[^/\s@\"'\\]+(?=@)"),
)
_LEAST_SECRET: Final = 8  # shorter ones would blot out ordinary words
_file: list[DailyFile] = []


def configure_logging(settings: Settings, *, process: str | None = None) -> None:
    """Send every log record of this process, ours and the libraries', to standard error in one format.

    With ``process``, the name of a process that stays, and ``settings.log_file``, also to a daily file of its own, as
    JSON. Calling it again replaces what the last call set up.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _hide_secrets,
    ]
    hide = _Hide(settings)
    handler = logging.StreamHandler(sys.stderr)
    last = _as_json() if settings.log_format == "json" else _for_people()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*last, hide]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name, logger in logging.root.manager.loggerDict.items():
        if name.split(".")[0] in _SERVERS and isinstance(logger, logging.Logger):
            logger.handlers.clear()
            logger.propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    while _file:
        _file.pop().close()
    if process is not None and settings.log_file is not None:
        _add_file(
            settings,
            process,
            structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*_as_json(), hide]),
        )


def _add_file(settings: Settings, process: str, formatter: logging.Formatter) -> None:
    """A log that cannot be written is said on standard error; the program goes on."""
    assert settings.log_file is not None  # noqa: S101 - asked by the caller
    path = Path(settings.home).resolve() / settings.log_file
    try:
        file = open_daily_file(path, process, keep_days=settings.log_keep_days)
    except OSError as error:
        structlog.get_logger(__name__).error("log_file_failed", path=str(path), error=str(error))
        return
    file.setFormatter(formatter)
    _file.append(file)
    logging.getLogger().addHandler(file)


def _as_json() -> list[structlog.typing.Processor]:
    # Locals stay out: they would write panels of megabytes, and whatever secret a function holds.
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.ExceptionRenderer(frames),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _for_people() -> list[structlog.typing.Processor]:
    plain = structlog.dev.plain_traceback
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain),
    ]


class _Hide:
    """Takes secrets out of a finished line: the values of the settings, and what looks like a key or a password."""

    def __init__(self, settings: Settings) -> None:
        values = (getattr(settings, name) for name in type(settings).model_fields)
        texts = (value.get_secret_value() for value in values if isinstance(value, SecretStr))
        self._known = sorted((text for text in texts if len(text) >= _LEAST_SECRET), key=len, reverse=True)

    def __call__(self, _logger: object, _method: str, line: Any) -> Any:
        for text in self._known:
            line = line.replace(text, "***")
        line = _SECRET_TEXT[0].sub(r"\1=***", line)
        return _SECRET_TEXT[1].sub(r"\1:***", line)


def _hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A field whose name says that it is a secret is never written out."""
    for name in event:
        if any(word in name.lower() for word in _SECRET_WORDS):
            event[name] = "***"
    return event
