"""`cut_after`: the panel as a person had it at one close, with the future gone and the next session replaced by noise.

What is cut: every field, index, series and list of members after the session; dividends, bonus and rights issues of
later, and the days on which earlier ones are paid or listed, if these lie ahead; company reports, share events and
views that became public later; delistings and listings of later. One more session stays, because a run decides nothing
in its last one: its date is the calendar's, all its values are drawn. On raw bars the adjusted prices carry the splits
that come later as a scale; that scale is drawn too, as a power of two, which leaves every ratio of prices as it is to
the last bit.

What stays, because the data have it only as of the snapshot: names, sectors and kinds of instruments. On adjusted bars
the scale stays as well: a run trades in those prices, and its share counts are labelled hypothetical.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from stocklab.data.fundamentals_build import restate
from stocklab.factors.one_symbol import VIEW_ARRAYS
from stocklab.market.fundamentals import Fundamentals, StatementMode
from stocklab.market.panel import Instruments, Panel, PriceBasis
from stocklab.types import AnyArray, BoolArray, FloatArray, IntArray

__all__ = ["CutFields", "cut_after"]

_PRICES: Final = ("open", "high", "low", "close")
_PER_REPORT: Final = (
    *("report_day", "report_slot", "report_end", "report_quarter"),
    *("consolidated", "from_deadline", "restated"),
)
_SPLITS: Final = 0.05
"""Share of symbols that are given a split in the drawn session."""


def cut_after(panel: Panel, session: int, *, seed: int = 0, as_filed: Fundamentals | None = None) -> Panel:
    """The panel without what came after the close of a session.

    Parameters
    ----------
    session : index of the session; one must follow it
    seed : of what is drawn; the same seed and session draw the same
    as_filed : the statements in strict mode, where those of the panel are restated: what was corrected later is found
        by restating again what had been filed by then

    Returns
    -------
    Panel with ``session + 2`` sessions and a key of its own; fields are made when they are first read.
    """
    if not 0 <= session < panel.n_sessions - 1:
        raise IndexError(f"Expected a session with one after it, found {session} of {panel.n_sessions}.")
    stop = session + 2
    draw = _Draw(seed, session, panel.n_symbols)
    scale = _later_scale(panel, session, draw)
    return replace(
        panel,
        sessions=panel.sessions[:stop],
        fields=CutFields(panel.fields, session, draw, scale),
        by_symbol=MappingProxyType({}),
        indices=MappingProxyType({name: _line(values, stop, draw, name) for name, values in panel.indices.items()}),
        series=MappingProxyType({name: _line(values, stop, draw, name) for name, values in panel.series.items()}),
        rf=_line(panel.rf, stop, draw, "rf"),
        instruments=_known_by(panel.instruments, panel.sessions[session]),
        fundamentals=_statements(panel, session, as_filed),
        entitlements=panel.entitlements.between(0, session + 1),  # paid or listed later: not known when
        memberships=panel.memberships.until(session, draw.members),
        key=f"{panel.key}-until-{panel.sessions[session]}-{seed}",
    )


class _Draw:
    """What stands for the session that nobody can know yet: the same for the same seed, session and name."""

    def __init__(self, seed: int, session: int, n_symbols: int) -> None:
        self._seed = (seed, session)
        self._n_symbols = n_symbols

    def generator(self, name: str) -> np.random.Generator:
        """Numbers for one field."""
        return np.random.default_rng([*self._seed, zlib.crc32(name.encode())])

    def factors(self, name: str, size: int | None = None) -> FloatArray:
        """(size,) factors that differ from 1: 0.5 to 0.8, or 1.25 to 2."""
        generator = self.generator(name)
        size = self._n_symbols if size is None else size
        low, high = generator.uniform(0.5, 0.8, size), generator.uniform(1.25, 2.0, size)
        return np.where(generator.random(size) < 0.5, low, high)

    def members(self, kind: str, name: str) -> IntArray:
        """Columns of half of the symbols: the members of a group on the session nobody can know yet."""
        chosen: IntArray = np.flatnonzero(self.generator(f"{kind} {name}").random(self._n_symbols) < 0.5)
        return chosen


class CutFields(Mapping[str, AnyArray]):
    """Fields up to a session and one drawn row, each copied when it is first asked for.

    ``scale`` (n_symbols,) multiplies adjusted prices and divides adjusted volume.
    """

    def __init__(self, fields: Mapping[str, AnyArray], session: int, draw: _Draw, scale: FloatArray | None) -> None:
        self._fields = fields
        self._session = session
        self._draw = draw
        self._scale = scale
        self._made: dict[str, AnyArray] = {}

    def __getitem__(self, name: str) -> AnyArray:
        if name not in self._made:
            self._made[name] = self._make(name, self._fields[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def _make(self, name: str, values: AnyArray) -> AnyArray:
        out = np.array(values[: self._session + 2])
        out[-1] = _drawn_row(name, out[-1], self._draw)
        if self._scale is not None and name in (*_PRICES, "volume"):
            out *= (self._scale if name in _PRICES else 1.0 / self._scale).astype(out.dtype)
        out.flags.writeable = False
        return out


def _drawn_row(name: str, row: AnyArray, draw: _Draw) -> AnyArray:
    generator = draw.generator(name)
    by_kind: Mapping[str, Callable[[], AnyArray]] = {
        "listed": lambda: row & (generator.random(len(row)) < 0.9),
        "traded": lambda: row ^ (generator.random(len(row)) < 0.3),
        "market": lambda: np.where(
            (row > 0) & (generator.random(len(row)) < 0.3), generator.integers(1, 3, len(row)), row
        ),
        "split_ratio": lambda: np.where(generator.random(len(row)) < _SPLITS, 2.0, 1.0),
        "list_age": lambda: np.where(row > 0, generator.integers(1, 5_000, len(row)), row),
    }
    if name in by_kind:
        return by_kind[name]().astype(row.dtype)
    if row.dtype == np.uint8:
        return generator.choice(np.array([0, 1, 255], dtype=np.uint8), len(row))
    if name.removesuffix("_raw") in _PRICES or name == "base_price":
        return np.maximum(np.round(row * draw.factors("price")), 1.0).astype(row.dtype)
    return (row * draw.factors(name)).astype(row.dtype)


def _later_scale(panel: Panel, session: int, draw: _Draw) -> FloatArray | None:
    """(n_symbols,) powers of two for symbols whose adjusted price is not the traded one yet; None on adjusted bars."""
    if panel.basis is not PriceBasis.RAW:
        return None
    traded, adjusted = panel.fields["close_raw"][: session + 1], panel.fields["close"][: session + 1]
    known = ~np.isnan(traded)
    last = session - np.argmax(known[::-1], axis=0)
    columns = np.arange(panel.n_symbols)
    moved = known.any(axis=0) & (traded[last, columns] != adjusted[last, columns])
    powers = draw.generator("scale").choice(np.array([-2.0, -1.0, 1.0, 2.0]), panel.n_symbols)
    scale: FloatArray = np.where(moved, np.exp2(powers), 1.0)
    return scale


def _line(values: AnyArray, stop: int, draw: _Draw, name: str) -> AnyArray:
    out = np.array(values[:stop], dtype=np.float64)
    out[-1] *= draw.factors(name, 1)[0]
    out.flags.writeable = False
    return out


def _known_by(known: Instruments, day: np.datetime64) -> Instruments:
    """The instruments without delistings and listings after a day."""
    later = known.delisted_on > day  # False where there is none
    nothing = np.datetime64("NaT", "D")
    return replace(
        known,
        listed_on=np.where(known.listed_on > day, nothing, known.listed_on),
        delisted_on=np.where(later, nothing, known.delisted_on),
        delisting_reason=tuple(
            "" if hidden else reason for hidden, reason in zip(later.tolist(), known.delisting_reason, strict=True)
        ),
        pays_last_close=known.pays_last_close & ~later,
    )


def _statements(panel: Panel, session: int, as_filed: Fundamentals | None) -> Fundamentals | None:
    known = panel.fundamentals
    if known is None:
        return None
    day = int(panel.sessions[session].astype("datetime64[D]").astype(np.int64))
    if known.mode is StatementMode.STRICT or as_filed is None:
        return _public_by(known, session, day)
    stop = session + 2
    return restate(_public_by(as_filed, session, day), panel.sessions[:stop], np.asarray(panel.fields["market"][:stop]))


def _public_by(known: Fundamentals, session: int, day: int) -> Fundamentals:
    """Reports, share events and views of up to a session, which is on ``day`` (days since 1970)."""
    reports, events = known.report_day <= day, known.event_day <= day
    views = (known.view_day <= day) & (known.view_row <= session)
    kept: dict[str, Any] = {name: _kept(getattr(known, name), reports) for name in _PER_REPORT}
    kept |= {name: _kept(getattr(known, name), events) for name in ("event_day", "event_ratio")}
    kept |= {name: _kept(getattr(known, name), views) for name in VIEW_ARRAYS}
    return replace(
        known,
        first_report=_firsts(known.first_report, reports),
        first_event=_firsts(known.first_event, events),
        first_view=_firsts(known.first_view, views),
        **kept,
        quarter_amounts=_all_kept(known.quarter_amounts, reports),
        cumulative_amounts=_all_kept(known.cumulative_amounts, reports),
        balances=_all_kept(known.balances, reports),
    )


def _firsts(first: IntArray, kept: BoolArray) -> IntArray:
    counts = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)[first]
    counts.flags.writeable = False
    return counts


def _kept(values: AnyArray, kept: BoolArray) -> AnyArray:
    out = values[kept]
    out.flags.writeable = False
    return out


def _all_kept(amounts: Mapping[str, FloatArray], kept: BoolArray) -> Mapping[str, FloatArray]:
    return MappingProxyType({item: _kept(values, kept) for item, values in amounts.items()})
