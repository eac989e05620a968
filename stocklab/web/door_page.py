"""The pages in front of the app: plain forms, drawn on the server, without any script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final
from urllib.parse import urlencode

from jinja2 import Environment, StrictUndefined
from starlette.responses import HTMLResponse, Response

from stocklab.ui.door_words import DOOR_WORDS
from stocklab.ui.text import LANGUAGES, Language, _, speaking

__all__ = ["STYLE", "Door", "Field", "door_address", "draw_door", "word"]

_TEMPLATES: Final = files("stocklab.web") / "templates"
STYLE: Final = (_TEMPLATES / "door.css").read_text(encoding="utf-8")
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_ENVIRONMENT: Final = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_TEMPLATE: Final = _ENVIRONMENT.from_string((_TEMPLATES / "door.html").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One input of a form; ``label`` and ``hint`` are names of `DOOR_WORDS`."""

    name: str
    label: str
    kind: str = "text"
    autocomplete: str = "off"
    hint: str = ""
    value: str = ""
    required: bool = True
    longest: int = 254


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A page: words are names of `DOOR_WORDS`; ``problem`` and ``notice`` are texts; ``fault`` the field at fault."""

    title: str
    language: Language
    lead: str = ""
    path: str = ""
    fields: Sequence[Field] = ()
    submit: str = ""
    hidden: Mapping[str, str] = field(default_factory=dict)
    links: Sequence[tuple[str, str]] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    notice: str = ""
    fault: str = ""


def word(language: Language, name: str, **values: str) -> str:
    """A word of these pages in a language."""
    with speaking(language):
        text = _(DOOR_WORDS[name])
    return text.format(**values) if values else text


def door_address(path: str, language: Language, **parameters: str) -> str:
    """The address of a page in front, in a language; what is empty or the start page is left out."""
    kept = {name: value for name, value in parameters.items() if value and not (name == "next" and value == "/")}
    return f"{path}?{urlencode({'lang': language, **kept})}"


def draw_door(
    door: Door, *, status: int = 200, cookies: Sequence[str] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """The page as an answer that nobody keeps."""
    say: Callable[[str], str] = lambda name: word(door.language, name, **door.values) if name else ""  # noqa: E731
    fields = [
        {
            "name": one.name,
            "label": say(one.label),
            "hint": say(one.hint),
            "kind": one.kind,
            "value": one.value,
            "autocomplete": one.autocomplete,
            "required": one.required,
            "longest": one.longest,
        }
        for one in door.fields
    ]
    body = _TEMPLATE.render(
        language=door.language,
        languages=LANGUAGES,
        here=lambda code: door_address(door.path, code, **door.hidden),
        title=say(door.title),
        lead=say(door.lead),
        notice=door.notice,
        problem=door.problem,
        fault=door.fault,
        focus=door.fault or next((one.name for one in door.fields if not one.value), ""),
        action=door.path,
        hidden=door.hidden,
        fields=fields,
        submit=say(door.submit),
        links=[(address, say(words)) for address, words in door.links],
        tagline=say("tagline"),
    )
    answer = HTMLResponse(body, status_code=status, headers=dict(headers or {}))
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Cache-Control"] = "no-store"
    for cookie in cookies:
        answer.headers.append("Set-Cookie", cookie)
    return answer
