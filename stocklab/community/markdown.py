"""Texts of strangers as HTML: a small part of Markdown, and nothing a reader did not ask for.

No HTML of the writer's, no images, nothing loaded from elsewhere; links go to web addresses alone, open apart and tell
the target nothing. What comes out is drawn as HTML, not by Streamlit's Markdown, so none of its own signs (colours,
icons, badges, formulas) mean anything in it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from stocklab.operations.inserting import storable

__all__ = ["plain_text", "safe_html"]

_SCHEMES: Final = ("http", "https")
_BARE: Final = re.compile(r"https?://[^\s<>\"'`\\]+[^\s<>\"'`\\.,:;!?)\]}]")
_HOST: Final = re.compile(r"[a-z0-9.-]+\.[a-z0-9-]{2,63}", re.IGNORECASE)
_INVISIBLE: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Signs that turn the direction of the text: what is read would not be what is written."""
_LONGEST_ADDRESS: Final = 2_000
_MOST_QUOTES: Final = 20


class _Renderer(RendererHTML):
    """Tags without attributes, links aside."""

    def renderToken(  # noqa: N802 - the library's name
        self, tokens: Sequence[Token], idx: int, options: Any, env: Any
    ) -> str:
        """Drop every attribute a token carries; headings become smaller ones than the page's."""
        token = tokens[idx]
        tag = {"h1": "h4", "h2": "h4", "h3": "h5", "h4": "h5", "h5": "h6", "h6": "h6"}.get(token.tag, token.tag)
        kept = Token(**{**token.as_dict(children=False), "attrs": {}, "children": token.children, "tag": tag})
        changed = [*tokens[:idx], kept, *tokens[idx + 1 :]]
        return str(super().renderToken(changed, idx, options, env))


def _link_open(self: Any, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
    del self, options
    env["in_link"] = True
    return _anchor(str(tokens[idx].attrGet("href") or ""))


def _link_close(self: Any, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
    del self, tokens, idx, options
    env["in_link"] = False
    return "</a>"


def _fence(self: Any, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
    del self, options, env
    return f"<pre><code>{html.escape(tokens[idx].content)}</code></pre>\n"


def _text(self: Any, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
    """Words, in which a bare web address becomes a link unless it stands in one."""
    del self, options
    content = tokens[idx].content
    if env.get("in_link"):
        return html.escape(content)
    parts: list[str] = []
    after = 0
    for match in _BARE.finditer(content):
        parts.append(html.escape(content[after : match.start()]))
        address = match.group()
        parts.append(f"{_anchor(address)}{html.escape(address)}</a>" if _is_web(address) else html.escape(address))
        after = match.end()
    return "".join([*parts, html.escape(content[after:])])


def _is_web(address: str) -> bool:
    """Whether an address is one of the web: a scheme and a host of the usual letters, no user name."""
    if len(address) > _LONGEST_ADDRESS:
        return False
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    del port
    host = parts.hostname or ""
    return parts.scheme in _SCHEMES and "@" not in parts.netloc and _HOST.fullmatch(host) is not None


def _anchor(address: str) -> str:
    return f'<a href="{html.escape(address)}" target="_blank" rel="noopener noreferrer nofollow ugc">'


def _parser() -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark",
        {"html": False, "linkify": False, "typographer": False, "maxNesting": _MOST_QUOTES},
        renderer_cls=_Renderer,
    )
    parser.enable(["table", "strikethrough"])
    parser.disable(["image", "html_block", "html_inline"])
    parser.validateLink = _is_web  # type: ignore[method-assign, assignment]
    for name, rule in (
        *(("link_open", _link_open), ("link_close", _link_close), ("fence", _fence), ("code_block", _fence)),
        ("text", _text),
    ):
        parser.add_render_rule(name, rule)
    return parser


_PARSER: Final = _parser()


def safe_html(text: str) -> str:
    """HTML of a text in Markdown.

    >>> safe_html("**a** <b>c</b> [x](javascript:alert(1)) ![y](https://e.org/z.png)")
    '<p><strong>a</strong> &lt;b&gt;c&lt;/b&gt; [x](javascript:alert(1)) !<a href="https://e.org/z.png" \
target="_blank" rel="noopener noreferrer nofollow ugc">y</a></p>\\n'
    """
    return str(_PARSER.render(_INVISIBLE.sub("", storable(text)), {}))


def plain_text(text: str, *, most: int = 200) -> str:
    """The beginning of a text without its marks, on one line.

    >>> plain_text("# A\\n\\n**b** `c`")
    'A b c'
    """
    words: list[str] = []
    for token in _PARSER.parse(_INVISIBLE.sub("", storable(text[: 4 * most]))):
        parts = [token, *(token.children or [])] if token.type != "inline" else list(token.children or [])
        words += [part.content for part in parts if part.type in ("text", "code_inline", "fence", "code_block")]
        words.append(" ")
    line = " ".join("".join(words).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
