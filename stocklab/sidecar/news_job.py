"""The jobs that fetch disclosures and news: DART's list of the day, and what the press writes about one company."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stocklab.data.company import press_names
from stocklab.data.sources.filing_feeds import open_dart, open_naver
from stocklab.data.store import Store
from stocklab.errors import InputError, SourceError, SourceOff, StockLabError
from stocklab.operations import DatabaseCalls, SourceKeys, open_sealer, with_source_keys
from stocklab.operations.news import News
from stocklab.operations.news_state import NewsCounts, news_line
from stocklab.settings import Settings
from stocklab.sidecar.work import JobContext, NothingToDo, stop_event

__all__ = ["NewsFailed", "disclosures_work", "news_work"]


class NewsFailed(StockLabError):
    """A source that is on did not answer; what others answered is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """What a client of a source is opened with."""

    settings: Settings
    calls: DatabaseCalls
    stop: threading.Event


def disclosures_work(context: JobContext) -> str:
    """Read what was filed since the last poll; the work of both disclosure jobs.

    Raises
    ------
    NothingToDo
        OpenDART has no key.
    SourceError
        OpenDART did not answer; whole days read before stay stored.
    Cancelled
        It was told to stop; whole days read before stay stored.
    """
    with _asking(context) as asking:
        try:
            filings = _filings(context, asking)
        except SourceOff as error:
            raise NothingToDo(
                f"{error}. Hint: set STOCKLAB_OPENDART_KEY, or enter the key on the Data page (docs/filings.md)."
            ) from error
    return news_line(NewsCounts(filings=filings))


def news_work(context: JobContext) -> str:
    """Fetch news of the symbol an intent names and, where OpenDART is on, the disclosures of the day.

    Raises
    ------
    SourceOff
        Neither Naver nor OpenDART has a key.
    NewsFailed
        One that is on did not answer.
    Cancelled
        It was told to stop; what was answered until then is stored.
    """
    found: dict[str, int] = {}
    troubles: list[str] = []
    with _asking(context) as asking:
        for name, ask in (("articles", _articles), ("filings", _filings)):
            try:
                found[name] = ask(context, asking)
            except SourceOff:
                continue
            except (SourceError, InputError) as error:
                troubles.append(str(error))
    line = news_line(NewsCounts(**found))
    if troubles:
        raise NewsFailed(" ".join(troubles) + (f" Stored: {line}." if line else ""))
    if not found:
        raise SourceOff("news", "neither Naver nor OpenDART has a key. Hint: enter one on the Data page.")
    return line


def _articles(context: JobContext, asking: _Asking) -> int:
    symbol = str(context.document["symbol"])
    with open_naver(asking.settings, asking.calls, stop=asking.stop, clock=context.clock) as naver:
        context.tell(0.0, naver.endpoint.source)
        snapshot = Store(Path(context.settings.home)).current()
        if snapshot is None or snapshot.synthetic:
            raise InputError("There is no market of real companies here, so that there is no name to search for.")
        name, *aliases = press_names(snapshot, symbol)
        return News(context.database).poll_news(naver, symbol, name, aliases=aliases)


def _filings(context: JobContext, asking: _Asking) -> int:
    dart = open_dart(asking.settings, asking.calls, stop=asking.stop, clock=context.clock)
    with dart.client:
        context.tell(0.5, dart.client.source)
        return News(context.database).poll_disclosures(dart, context.clock())


@contextmanager
def _asking(context: JobContext) -> Iterator[_Asking]:
    keys = SourceKeys(context.database, open_sealer(context.settings))
    with stop_event(context.stop) as stop:
        yield _Asking(
            settings=with_source_keys(context.settings, keys),
            calls=DatabaseCalls(context.database, clock=context.clock),
            stop=stop,
        )
