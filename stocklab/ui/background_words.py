"""What the background process wrote about its work, in the user's language.

Jobs and sources leave one line of English in the ledger, which the command line shows as it is. Pages recognise these
lines by their form and say them in their own words; a line of another form is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from stocklab.ui import format as fmt
from stocklab.ui.data.names import SOURCES, feed_name, source_name
from stocklab.ui.text import N_, _

__all__ = ["told"]

_FEED_ENDS: Final = r"[a-z_]+\.[a-z_]+ (?:left|denied|exhausted|blocked|failed)\b"
_BETWEEN: Final = re.compile(rf"; (?={_FEED_ENDS})")
_TROUBLE: Final = re.compile(r"(?P<feed>[a-z_]+\.[a-z_]+) (?P<how>[a-z]+)(?:: (?P<why>.*))?", re.DOTALL)
_SYNCED: Final = re.compile(
    r"(?:(?P<rows>[\d,]+) rows added|nothing new)(?:, (?P<corrected>[\d,]+) corrected)?"
    r"(?:, (?P<differ>[\d,]+) values differ between sources)?"
)
_SOURCE: Final = re.compile(r"(?P<source>[a-z_]+): (?P<rest>.*)", re.DOTALL)
_FINDINGS: Final = re.compile(r"Snapshot \S+, newest bar (?P<days>\d+) days old: (?P<listed>.*)\.")
_HOW: Final[Mapping[str, str]] = {
    "left": N_("the rest follows in the next sync"),
    "denied": N_("the key is refused"),
    "exhausted": N_("the day's requests are spent; the rest follows tomorrow"),
    "blocked": N_("left alone for a while"),
    "failed": N_("no usable answer"),
}
_DENIED: Final[Mapping[str, str]] = {
    "010": N_("The key is not registered. Look at it on the Data page."),
    "011": N_("The key is suspended. Look at it on the Data page."),
    "012": N_("The key may not be used from this address."),
    "901": N_("The key has expired. Enter a new one on the Data page."),
}


def told(message: str) -> str:
    """A message of the ledger in the user's language, as plain text: escape it before it becomes Markdown or HTML.

    >>> from stocklab.ui.text import speaking
    >>> with speaking("en"):
    ...     told("3 presets ready.")
    'Presets ready: 3'
    """
    message = message.strip()
    return _synced(message) or _findings(message) or _counted(message) or _of_source(message) or message


def _synced(message: str) -> str | None:
    """The line of a sync: what came in, and the feeds that are not done, those with one reason together."""
    first, *rest = _BETWEEN.split(message)
    found = _SYNCED.fullmatch(first)
    troubles = [_TROUBLE.fullmatch(part) for part in rest]
    if found is None or None in troubles:
        return None
    parts = [_("Rows added: {count}").format(count=found["rows"]) if found["rows"] else _("Nothing new")]
    if found["corrected"]:
        parts.append(_("corrected: {count}").format(count=found["corrected"]))
    if found["differ"]:
        parts.append(_("values on which sources differ: {count}").format(count=found["differ"]))
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in troubles:
        if one is None:
            continue
        source = one["feed"].partition(".")[0]
        reasons.setdefault((source, _reason(one["how"], one["why"] or "")), []).append(one["feed"])
    said = [
        f"{source_name(source)} ({', '.join(feed_name(feed, alone=True) for feed in feeds)}): {why}"
        for (source, why), feeds in reasons.items()
    ]
    return ". ".join([", ".join(parts), *(one.rstrip(".") for one in said)]) + "."


def _reason(how: str, why: str) -> str:
    given = _SOURCE.fullmatch(why)
    rest = given["rest"] if given is not None and given["source"] in SOURCES else why
    return _why(rest, several=True) or (rest if rest and how in ("denied", "failed") else _(_HOW.get(how, how)))


def _of_source(message: str) -> str | None:
    """What a source answered, or why it was not asked."""
    found = _SOURCE.fullmatch(message)
    if found is None or found["source"] not in (*SOURCES, "sources"):
        return None
    why = _why(found["rest"], several=False)
    if why is None:
        return f"{source_name(found['source'])}: {found['rest']}" if found["source"] in SOURCES else None
    return why if found["source"] == "sources" else f"{source_name(found['source'])}: {why}"


def _why(text: str, *, several: bool) -> str | None:
    """Why a source gave nothing; None for what has no words here. ``several`` services may have the reason."""
    for pattern, say in _WHYS.items():
        found = re.match(pattern, text, re.DOTALL)
        if found is not None:
            return say(found, several)
    return None


def _unapproved(found: re.Match[str], several: bool) -> str:
    if several:
        return _("The key is not approved for these services: apply for each (API 이용신청), or check the key.")
    return _("The key is not approved for {service}: apply for it (API 이용신청), or check the key.").format(
        service=found["service"]
    )


_WHYS: Final[Mapping[str, Callable[[re.Match[str], bool], str]]] = {
    r"the key is not approved for the service '(?P<service>[^']*)'": _unapproved,
    r"no(?: key|ne) is set": lambda *_args: _("No key is set. Enter one on the Data page."),
    r".*\(status (?P<status>010|011|012|901)\)": lambda found, _several: _(_DENIED[found["status"]]),
    r"no answer after (?P<tries>\d+) tries \((?P<why>.*)\)": lambda found, _several: _(
        "No answer after {tries} tries ({why})."
    ).format(tries=found["tries"], why=found["why"]),
    r"not asked before (?P<when>\d{4}-\d\d-\d\d \d\d:\d\d)": lambda found, _several: _(
        "Left alone until {moment}"
    ).format(moment=found["when"]),
    r"(?:the day's (?:quota|[\d,]+ requests) (?:is|are) spent|the service says)": lambda *_args: _(
        "The day's requests are spent; the rest follows tomorrow."
    ),
    r"the portal says '(?P<said>[^']*)' \((?P<code>\d+)\)\. Hint: apply": lambda found, _several: _(
        "The portal refuses the key ({code} {said}). Apply there for 금융위원회_주식시세정보; a new key works after "
        "some minutes, an expired one must be renewed."
    ).format(code=found["code"], said=found["said"]),
    r"the key is refused \(status (?P<status>\d+)\)": lambda found, _several: _(
        "The service refuses the key (status {status})."
    ).format(status=found["status"]),
    r"the log-in was refused": lambda *_args: _(
        "The log-in was refused and is not tried again by itself: try the account at KRX, then enter it here."
    ),
    r"its password must be changed at KRX": lambda *_args: _("KRX wants the password of the account changed first."),
    r"what is set cannot be a key": lambda *_args: _(
        "What was entered has blanks or letters that no key has. Copy the key again."
    ),
    r"(?P<what>.+; found .+)": lambda found, _several: _("An answer that was not expected: {what}").format(
        what=found["what"]
    ),
}


def _findings(message: str) -> str | None:
    """The line of the check of the newest data: details are on the data page."""
    found = _FINDINGS.fullmatch(message)
    if found is None:
        return None
    counts = [int(one.replace(",", "")) for one in re.findall(r" ([\d,]*\d)(?:,|$)", found["listed"])]
    if not counts:
        return _("Age of the newest bar in days: {days}, no findings").format(days=found["days"])
    return _("Age of the newest bar in days: {days}, findings: {count} (Data page, quality)").format(
        days=found["days"], count=fmt.count(sum(counts))
    )


def _counted(message: str) -> str | None:
    """Lines that are one sentence with numbers."""
    for pattern, form in _COUNTED.items():
        found = re.fullmatch(pattern, message)
        if found is not None:
            return _(form).format(**found.groupdict())
    return None


_COUNTED: Final[Mapping[str, str]] = {
    r"(?P<count>\d+) (?:saved )?strategies warmed\.": N_("Strategies prepared: {count}"),
    r"(?P<count>\d+) (?:saved )?strategies warmed, (?P<refused>\d+) cannot run on these data\.": N_(
        "Strategies prepared: {count}; {refused} cannot run on these data"
    ),
    r"(?P<count>[\d,]+) publications marked, (?P<waiting>[\d,]+) waiting, (?P<failed>[\d,]+) failed(?: .*|\.)": N_(
        "Shared strategies marked: {count}, waiting: {waiting}, failed: {failed}"
    ),
    r"(?P<count>[\d,]+) rules checked, (?P<fired>[\d,]+) alerts\.": N_("Rules checked: {count}, alerts: {fired}"),
    r"(?P<count>[\d,]+) notes written\.": N_("Daily notes written: {count}"),
    r"(?P<count>\d+) presets ready\.": N_("Presets ready: {count}"),
    r"(?P<count>\d+) presets ready, (?P<refused>\d+) cannot run on these data\.": N_(
        "Presets ready: {count}; {refused} cannot run on these data"
    ),
    r"(?P<file>\S+): (?P<files>[\d,]+) files, (?P<size>[\d,.]+) MB\. (?P<gone>\d+) old ones removed\.": N_(
        "{file}: {files} files, {size} MB; old ones removed: {gone}"
    ),
    r"(?P<file>\S+): (?P<files>[\d,]+) files, (?P<size>[\d,.]+) MB\.": N_("{file}: {files} files, {size} MB"),
    r"Removed (?P<snapshots>\d+) snapshots, (?P<results>\d+) results, (?P<sweeps>\d+) sweeps, "
    r"(?P<uploads>\d+) uploads, (?P<rows>\d+) old records\.": N_(
        "Removed: snapshots {snapshots}, results {results}, sweeps {sweeps}, uploads {uploads}, old records {rows}"
    ),
    r"(?P<count>[\d,]+) new filings of all companies": N_("New filings of all companies: {count}"),
    r"a sync runs and may be using the account; try again when it is done\.": N_(
        "A sync runs and may be using the account. Try again when it is done."
    ),
    r"The home holds no market data\.": N_("There is no market data yet."),
    r"The sync was stopped; what was answered until then is stored\.": N_(
        "Stopped; what was answered until then is stored."
    ),
    r"A fault of the program; the log has it as (?P<reference>\S+)\.": N_(
        "A fault of the program; the log has it as {reference}."
    ),
}
