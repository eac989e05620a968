"""Who is on the demo market: symbols, names, markets, sectors, when each lists and leaves, and its story."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Final
from zlib import crc32

import numpy as np

from stocklab.market.calendar import sessions_between
from stocklab.market.panel import KIND_CODES, MARKET_CODES
from stocklab.types import AnyArray, BoolArray, DateArray, FloatArray, IntArray

__all__ = ["FINANCIAL_SECTOR", "FUND_NAMES", "SECTORS", "Cast", "Story", "make_cast", "stream"]

KOSPI, KOSDAQ, KONEX = MARKET_CODES["KOSPI"], MARKET_CODES["KOSDAQ"], MARKET_CODES["KONEX"]

# sector and the noun its companies carry in their names
SECTORS: Final = (
    ("전기전자", "전자"),
    ("화학", "화학"),
    ("제약바이오", "바이오"),
    ("운수장비", "모빌리티"),
    ("기계", "기계"),
    ("철강금속", "금속"),
    ("금융", "금융"),
    ("건설", "건설"),
    ("유통", "상사"),
    ("음식료", "식품"),
    ("소프트웨어", "소프트"),
    ("미디어", "미디어"),
    ("부동산", "리츠"),
)
FINANCIAL_SECTOR: Final = 6
# what the ETFs follow, in the order of their codes
FUND_NAMES: Final = ("코스피", "코스닥", "코스피200", "코스피200인버스", *(name for name, _ in SECTORS[:-1]))
REIT_SECTOR: Final = 12
_SECTOR_WEIGHTS = np.array([0.16, 0.10, 0.14, 0.08, 0.11, 0.06, 0.06, 0.05, 0.06, 0.05, 0.09, 0.04, 0.0])
_STEMS: Final = (
    "가람", "가온", "나래", "누리", "다온", "도담", "라온", "마루", "미르", "바름", "새온", "샛별",
    "소담", "슬기", "아라", "여울", "예솔", "온새", "우람", "은솔", "이든", "자람", "지음", "찬솔",
    "참빛", "초롱", "큰솔", "터울", "토담", "푸름", "하람", "한결", "해솔", "햇살", "휘영", "힘찬",
)  # fmt: skip


class Story(StrEnum):
    """What happens to a symbol; at most one thing each, so that no two events meet."""

    PLAIN = "plain"
    MERGED = "merged"
    VOLUNTARY = "voluntary"
    FAILED = "failed"
    ERODED = "eroded"
    DISQUALIFIED = "disqualified"
    SPAC_MERGED = "spac_merged"
    SPAC_DISSOLVED = "spac_dissolved"
    LONG_HALT = "long_halt"
    SPLIT = "split"
    CONSOLIDATION = "consolidation"
    BONUS = "bonus"
    RIGHTS = "rights"
    REDUCTION = "reduction"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Every issue of the demo market; arrays have one entry per symbol, in the order of ``symbols`` (ascending).

    ``listed_at`` is the session index of the first bar (-1: listed before the first session), ``gone_at`` that of the
    first session without one (n_sessions: still listed). ``parent`` is the index of a preferred share's common share,
    ``successor`` that of the issuer which absorbs it, -1 = none. ``moves_at`` is the session of a change of market to
    ``moves_to`` (n_sessions: never). Markets and kinds are MARKET_CODES and KIND_CODES; sector -1 = none.
    """

    symbols: AnyArray
    names: AnyArray
    market: IntArray
    kind: IntArray
    sector: IntArray
    story: AnyArray
    parent: IntArray
    successor: IntArray
    listed_at: IntArray
    gone_at: IntArray
    moves_at: IntArray
    moves_to: IntArray
    listed_on: DateArray
    settle_month: IntArray
    price: FloatArray
    shares: IntArray

    def __len__(self) -> int:
        return len(self.symbols)

    def of_kind(self, *names: str) -> BoolArray:
        """Which symbols are of one of these kinds, (n_symbols,)."""
        return np.isin(self.kind, [KIND_CODES[name] for name in names])

    def with_story(self, *stories: Story) -> IntArray:
        """Indices of the symbols with one of these stories, ascending."""
        return np.flatnonzero(np.isin(self.story, [story.value for story in stories]))

    def take(self, order: IntArray) -> Cast:
        """The cast re-ordered or cut to ``order``; parents and successors follow (to -1 where cut)."""
        place = np.full(len(self) + 1, -1, dtype=np.int64)
        place[order] = np.arange(len(order))
        changed = {field.name: getattr(self, field.name)[order] for field in fields(self)}
        changed["parent"] = place[changed["parent"]]
        changed["successor"] = place[changed["successor"]]
        return Cast(**changed)


def stream(seed: int, name: str) -> np.random.Generator:
    """The random generator of one named part, so that changing one part leaves the others alone."""
    return np.random.Generator(np.random.PCG64([seed, crc32(name.encode())]))


def make_cast(n_symbols: int, seed: int, sessions: DateArray) -> Cast:
    """Draw the cast of ``n_symbols`` issues for these sessions."""
    rng = stream(seed, "cast")
    kinds, markets, parent_wanted = _composition(n_symbols)
    n = len(kinds)
    listed_at = _listings(rng, kinds, len(sessions))
    sector = rng.choice(len(SECTORS), size=n, p=_SECTOR_WEIGHTS)
    sector[kinds == KIND_CODES["reit"]] = REIT_SECTOR
    sector[kinds == KIND_CODES["spac"]] = FINANCIAL_SECTOR
    sector[kinds == KIND_CODES["etf"]] = -1
    price, shares = _sizes(rng, kinds, markets)
    cast = Cast(
        symbols=np.full(n, "", dtype="U6"),
        names=np.full(n, "", dtype="U24"),
        market=markets,
        kind=kinds,
        sector=sector,
        story=np.full(n, Story.PLAIN.value, dtype="U16"),
        parent=np.full(n, -1),
        successor=np.full(n, -1),
        listed_at=listed_at,
        gone_at=np.full(n, len(sessions)),
        moves_at=np.full(n, len(sessions)),
        moves_to=markets.copy(),
        listed_on=_listing_days(rng, listed_at, sessions),
        settle_month=rng.choice([12, 3, 6, 9], size=n, p=[0.94, 0.03, 0.02, 0.01]),
        price=price,
        shares=shares,
    )
    _assign_stories(rng, cast, len(sessions))
    _pair_preferred(rng, cast, parent_wanted)
    _name(rng, cast)
    return cast.take(np.argsort(cast.symbols, kind="stable"))


def _composition(n: int) -> tuple[IntArray, IntArray, BoolArray]:
    """Kind and market of each symbol, and which want a common share as parent; the common shares come first."""
    counts = {
        ("preferred", KOSPI): max(2, round(0.04 * n)),
        ("spac", KOSDAQ): max(4, round(0.03 * n)),
        ("reit", KOSPI): max(2, round(0.02 * n)),
        ("etf", KOSPI): min(16, max(4, round(0.02 * n))),
        ("foreign", KOSDAQ): max(1, round(0.01 * n)),
        ("common", KONEX): max(4, round(0.025 * n)),
    }
    left = n - sum(counts.values())
    counts = {("common", KOSPI): round(0.4 * left), ("common", KOSDAQ): left - round(0.4 * left), **counts}
    kinds = np.concatenate([np.full(count, KIND_CODES[kind]) for (kind, _), count in counts.items()])
    markets = np.concatenate([np.full(count, market) for (_, market), count in counts.items()])
    return kinds, markets, kinds == KIND_CODES["preferred"]


def _listings(rng: np.random.Generator, kinds: IntArray, n_sessions: int) -> IntArray:
    """Session index of each first bar, -1 where listed before; a SPAC's is up to 500 before, to fix its age."""
    old_share = np.select([kinds == KIND_CODES["reit"], kinds == KIND_CODES["etf"]], [0.4, 0.5], 0.72)
    old = rng.random(len(kinds)) < old_share
    listed = np.where(old, -1, rng.integers(20, n_sessions - 60, size=len(kinds)))
    spacs = np.flatnonzero(kinds == KIND_CODES["spac"])
    listed[spacs] = np.linspace(-500, n_sessions - 60, len(spacs)).astype(np.int64)
    return listed.astype(np.int64)


def _listing_days(rng: np.random.Generator, listed_at: IntArray, sessions: DateArray) -> DateArray:
    first = sessions[0].astype(object)
    past = sessions_between(date(1996, 1, 3), first, expected=True)[:-30]
    days = past[rng.integers(0, len(past), size=len(listed_at))]
    recent = listed_at < -1
    days[recent] = past[listed_at[recent]]
    return np.where(listed_at >= 0, sessions[np.maximum(listed_at, 0)], days)


def _sizes(rng: np.random.Generator, kinds: IntArray, markets: IntArray) -> tuple[FloatArray, IntArray]:
    """First price in won and number of shares: log-normal market values, larger companies at higher prices."""
    n = len(kinds)
    size, own = rng.standard_normal(n), rng.standard_normal(n)
    on = [markets == KONEX, kinds == KIND_CODES["reit"], markets == KOSPI]
    value = np.select(on, [3e10, 2e11, 4e11], 1.2e11) * np.exp(np.select(on, [0.7, 0.6, 1.6], 1.0) * size)
    price = np.select(on, [6e3, 5e3, 1.8e4], 7e3) * np.exp(
        np.select(on, [0.6, 0.15, 1.2], 0.9) * (0.4 * size + 0.9 * own)
    )
    price = np.clip(price, 700, 900_000)
    spac = kinds == KIND_CODES["spac"]
    price[spac], value[spac] = 2_000, 1e10
    fund = kinds == KIND_CODES["etf"]
    price[fund], value[fund] = 10_000 + 5_000 * rng.integers(0, 4, size=int(fund.sum())), 2e11
    floor = np.select(on, [1e10, 1e11, 4e10], 2e10)
    floor[spac] = 1e10
    shares = np.maximum(np.round(np.maximum(value, floor) / price / 1000), 20).astype(np.int64) * 1000
    return price, shares


def _assign_stories(rng: np.random.Generator, cast: Cast, n_sessions: int) -> None:
    """Give each story its share of the mature common stocks; SPACs live three years at most."""
    mature = (cast.kind == KIND_CODES["common"]) & (cast.listed_at < n_sessions - 700)
    konex = rng.permutation(np.flatnonzero(mature & (cast.market == KONEX)))
    pool = rng.permutation(np.flatnonzero(mature & (cast.market != KONEX)))
    n = len(pool)
    by_price = pool[np.argsort(cast.price[pool], kind="stable")]
    _tell(cast, Story.CONSOLIDATION, by_price[: max(2, n // 30)])
    _tell(cast, Story.SPLIT, by_price[-max(2, n // 24) :])
    rest = pool[cast.story[pool] == Story.PLAIN.value]
    kosdaq_first = rest[np.argsort(cast.market[rest] != KOSDAQ, kind="stable")]
    moved = np.concatenate([kosdaq_first[: max(1, n // 150)], konex[:1]])
    _tell(cast, Story.MOVED, moved)
    cast.moves_to[moved] = np.where(cast.market[moved] == KONEX, KOSDAQ, KOSPI)
    rest = rest[cast.story[rest] == Story.PLAIN.value]
    shares = (
        (Story.MERGED, 0.02),
        (Story.VOLUNTARY, 0.02),
        (Story.FAILED, 0.025),
        (Story.ERODED, 0.015),
        (Story.DISQUALIFIED, 0.03),
        (Story.LONG_HALT, 0.08),
        (Story.BONUS, 0.05),
        (Story.RIGHTS, 0.07),
        (Story.REDUCTION, 0.03),
    )
    for story, share in shares:
        taken, rest = np.split(rest, [max(1, round(share * n))])
        _tell(cast, story, taken)
    early = np.maximum(cast.listed_at, 0)
    late = early + 320 + (rng.random(len(cast)) * (n_sessions - early - 360)).astype(np.int64)
    leaving = cast.with_story(Story.MERGED, Story.VOLUNTARY, Story.FAILED, Story.ERODED, Story.DISQUALIFIED)
    cast.gone_at[leaving] = late[leaving]
    cast.moves_at[moved] = late[moved]
    _end_spacs(rng, cast, n_sessions)
    survivors = cast.with_story(Story.PLAIN)
    survivors = survivors[cast.kind[survivors] == KIND_CODES["common"]]
    absorbed = cast.with_story(Story.MERGED, Story.SPAC_MERGED)
    cast.successor[absorbed] = rng.choice(survivors, size=len(absorbed), replace=False)
    np.maximum(cast.listed_at, -1, out=cast.listed_at)


def _tell(cast: Cast, story: Story, chosen: IntArray) -> None:
    cast.story[chosen] = story.value


def _end_spacs(rng: np.random.Generator, cast: Cast, n_sessions: int) -> None:
    """Every other SPAC merges within its life, the others are dissolved about three years after listing."""
    spacs = np.flatnonzero(cast.kind == KIND_CODES["spac"])
    merged = np.arange(len(spacs)) % 2 == 0
    life = np.where(merged, rng.integers(560, 700, size=len(spacs)), rng.integers(720, 740, size=len(spacs)))
    gone = cast.listed_at[spacs] + life
    ends = gone < n_sessions
    cast.gone_at[spacs[ends]] = gone[ends]
    _tell(cast, Story.SPAC_MERGED, spacs[ends & merged])
    _tell(cast, Story.SPAC_DISSOLVED, spacs[ends & ~merged])


def _pair_preferred(rng: np.random.Generator, cast: Cast, wanted: BoolArray) -> None:
    """Attach each preferred share to an uneventful KOSPI common share, an old one if there is; take over its facts."""
    chosen = np.flatnonzero(wanted)
    hosts = (cast.kind == KIND_CODES["common"]) & (cast.market == KOSPI) & (cast.story == Story.PLAIN.value)
    pool = rng.permutation(np.flatnonzero(hosts))
    parents = pool[np.argsort(cast.listed_at[pool] >= 0, kind="stable")][: len(chosen)]
    cast.parent[chosen] = parents
    for name in ("sector", "settle_month", "listed_at", "listed_on", "market"):
        getattr(cast, name)[chosen] = getattr(cast, name)[parents]
    cast.price[chosen] = np.maximum(cast.price[parents] * rng.uniform(0.45, 0.85, size=len(chosen)), 700)
    cast.shares[chosen] = np.maximum(cast.shares[parents] // 8000, 100) * 1000


def _name(rng: np.random.Generator, cast: Cast) -> None:
    """Codes begin with D, which no KRX stock code does; every name begins with 데모 (demo)."""
    issuers = np.flatnonzero(cast.parent < 0)
    number = np.zeros(len(cast), dtype=np.int64)
    number[issuers] = rng.permutation(len(issuers)) + 1
    preferred = np.flatnonzero(cast.parent >= 0)
    number[preferred] = number[cast.parent[preferred]]
    stems = rng.integers(0, len(_STEMS), size=len(cast))
    stems[preferred] = stems[cast.parent[preferred]]
    special = {KIND_CODES["spac"]: "데모스팩", KIND_CODES["foreign"]: "데모글로벌"}
    funds = np.flatnonzero(cast.kind == KIND_CODES["etf"])
    followed = dict(zip(funds[np.argsort(number[funds])].tolist(), FUND_NAMES, strict=False))
    for index, kind in enumerate(cast.kind.tolist()):
        word = f"데모ETF {followed[index]}" if index in followed else special.get(kind)
        word = word or f"데모{_STEMS[stems[index]]}{SECTORS[cast.sector[index]][1]}"
        is_preferred = cast.parent[index] >= 0
        cast.names[index] = f"{word} {number[index]:03d}{'우' if is_preferred else ''}"
        cast.symbols[index] = f"D{number[index]:04d}{5 if is_preferred else 0}"
