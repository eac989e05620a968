"""What each close knows: universe, rules, score, ranks, candidates, rebalancing days, unsafe sessions.

Formulas are computed by the factor engine, which has its own reference; everything made of their values is done here.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from datetime import date
from functools import cache

import numpy as np

from reference_simulator.bars import Bars
from reference_simulator.score import score_of
from stocklab.factors import Wanted, check, evaluate, evaluate_series
from stocklab.market.panel import KIND_CODES, Panel
from stocklab.strategy.document import Exclusion, RankFactor, Rule, Strategy

KINDS = {Exclusion.PREFERRED, Exclusion.SPAC, Exclusion.REIT, Exclusion.ETF, Exclusion.FOREIGN}
FLAGS = {each: f"flag_{each.value}" for each in Exclusion if each not in {*KINDS, Exclusion.FINANCIAL}}
Truth = bool | None


class Signals:
    """Everything decisions read besides the book; no answer for ``t`` looks past ``t``."""

    def __init__(self, panel: Panel, strategy: Strategy, bars: Bars, first: int, last: int) -> None:
        self.panel, self.strategy, self.bars, self.first, self.last = panel, strategy, bars, first, last
        self._values: dict[str, list[list[float]]] = {}
        self._universe = [self._members(t) for t in range(panel.n_sessions)]
        self._mask = np.array(self._universe, dtype=np.bool_)
        self.entry = cache(self.entry)
        self.ordered = cache(self.ordered)
        self.score = cache(self.score)
        self.candidates = cache(self.candidates)
        self.unsafe = self._unsafe_sessions()
        self.due = self._rebalancing_closes()

    # --- formulas ------------------------------------------------------------------------------------------------------

    def value(self, formula: str, t: int, symbol: int) -> float | None:
        """A formula's value, None where unknown."""
        if formula not in self._values:
            universe = self._mask if check(formula).cross_sectional else None
            found = evaluate([Wanted(formula, "value")], self.panel, universe=universe, threads=1)[0]
            self._values[formula] = found.tolist()
        number = self._values[formula][t][symbol]
        return None if math.isnan(number) else number

    def truth(self, rule: Rule, t: int, symbol: int) -> Truth:
        """A rule as true, false or unknown."""
        number = self.value(rule.formula, t, symbol)
        return None if number is None else number != 0

    def logic(self, text: str, rules: tuple[Rule, ...], t: int, symbol: int) -> Truth:
        """A logic line over three truth values; unknown passes neither plain nor negated."""
        by_letter = {rule.id: rule for rule in rules}

        def walk(node: ast.AST) -> Truth:
            match node:
                case ast.Name(id=letter):
                    return self.truth(by_letter[letter], t, symbol)
                case ast.UnaryOp(op=ast.Not(), operand=operand):
                    inner = walk(operand)
                    return None if inner is None else not inner
                case ast.BoolOp(op=op, values=parts):
                    decisive = isinstance(op, ast.Or)
                    found = [walk(part) for part in parts]
                    if decisive in found:
                        return decisive
                    return None if None in found else not decisive
            raise AssertionError(ast.dump(node))

        return walk(ast.parse(text, mode="eval").body)

    def entry(self, t: int, symbol: int) -> bool:
        """Whether the entry rules hold; without rules they do."""
        rules = self.strategy.entry.rules
        if not rules:
            return True
        line = self.strategy.entry.logic or " and ".join(rule.id for rule in rules)
        return self.logic(line, rules, t, symbol) is True

    def exit_rule(self, t: int, symbol: int) -> int | None:
        """Place of the first exit rule that holds where the exit logic does; the number of rules if none alone does."""
        rules = self.strategy.exit.rules
        if not rules:
            return None
        line = self.strategy.exit.logic or " or ".join(rule.id for rule in rules)
        if self.logic(line, rules, t, symbol) is not True:
            return None
        return next((place for place, rule in enumerate(rules) if self.truth(rule, t, symbol)), len(rules))

    # --- universe ------------------------------------------------------------------------------------------------------

    def in_universe(self, t: int, symbol: int) -> bool:
        """Whether the symbol may be bought, as of session ``t``."""
        return self._universe[t][symbol]

    def _members(self, t: int) -> list[bool]:
        members = [self._may_be_bought(t, symbol) for symbol in range(self.panel.n_symbols)]
        top = self.strategy.universe.top
        if top is not None:
            sizes = {symbol: self._size(top.by, t, symbol) for symbol, member in enumerate(members) if member}
            largest = sorted((symbol for symbol in sizes if sizes[symbol] is not None), key=lambda s: (-sizes[s], s))
            kept = set(largest[top.skip : top.skip + top.count])
            members = [symbol in kept for symbol in range(self.panel.n_symbols)]
        return members

    def _size(self, by: str, t: int, symbol: int) -> float | None:
        if by == "trading_value":
            return self.value("sma(tv,20)", t, symbol)
        cap = float(self.panel.fields["mcap"][t, symbol])
        return None if math.isnan(cap) else cap

    def _may_be_bought(self, t: int, symbol: int) -> bool:
        wanted, instruments, fields = self.strategy.universe, self.panel.instruments, self.panel.fields
        code = self.panel.symbols[symbol]
        if not self.bars.listed(t, symbol) or self.bars.market(t, symbol) not in [m.value for m in wanted.markets]:
            return False
        if (wanted.symbols and code not in wanted.symbols) or code in wanted.exclude_symbols:
            return False
        if wanted.sectors and not any(self._in_sector(name, t, symbol) for name in wanted.sectors):
            return False
        if any(self._in_sector(name, t, symbol) for name in wanted.exclude_sectors):
            return False
        if wanted.index is not None and symbol not in self._members_on("index", wanted.index, t):
            return False
        if wanted.themes and all(symbol not in self._members_on("theme", name, t) for name in wanted.themes):
            return False
        for exclusion in wanted.exclude:
            if exclusion in KINDS and instruments.kinds[symbol] == KIND_CODES[exclusion.value]:
                return False
            if exclusion in FLAGS and FLAGS[exclusion] in fields and fields[FLAGS[exclusion]][t, symbol] == 1:
                return False
            if exclusion is Exclusion.HALTED and not self.bars.traded(t, symbol):
                return False
            if exclusion is Exclusion.FINANCIAL and instruments.financial[symbol]:
                return False
        if fields["list_age"][t, symbol] < wanted.min_listed_sessions:
            return False
        close = float(fields[self.panel.order_fields[3]][t, symbol])
        if wanted.min_price_krw > 0 and not close >= wanted.min_price_krw:
            return False
        if wanted.min_trading_value_krw > 0:
            traded_value = self.value("sma(tv,20)", t, symbol)
            return traded_value is not None and traded_value >= wanted.min_trading_value_krw
        return True

    def _in_sector(self, name: str, t: int, symbol: int) -> bool:
        """By the dated lists of the sector where there are any, else by the industry of the symbol."""
        if ("sector", name) in self.panel.memberships.groups:
            return symbol in self._members_on("sector", name, t)
        return self.panel.instruments.sectors[symbol] == name

    def _members_on(self, kind: str, name: str, t: int) -> list[int]:
        """Members in the newest list of up to the session, read from the bare arrays; nobody before the first."""
        lists, newest = self.panel.memberships, None
        group = lists.groups.index((kind, name))
        for place in range(lists.first_list[group], lists.first_list[group + 1]):
            if lists.list_row[place] <= t:
                newest = place
        if newest is None:
            return []
        return lists.member[lists.first_member[newest] : lists.first_member[newest + 1]].tolist()

    # --- score and candidates ------------------------------------------------------------------------------------------

    def score(self, t: int) -> dict[int, float]:
        """Score of every member of the universe that has one, higher is better; empty without ranking."""
        parts = self.strategy.ranking.factors
        members = [symbol for symbol in range(self.panel.n_symbols) if self.in_universe(t, symbol)]
        if not parts:
            return {}
        return score_of(parts, members, lambda part, symbol: self._part(part, t, symbol), self._cap(t), self._sector)

    def _part(self, part: RankFactor, t: int, symbol: int) -> float | None:
        return self.value(part.formula, t, symbol)

    def _cap(self, t: int) -> Callable[[int], float]:
        return lambda symbol: float(self.panel.fields["mcap"][t, symbol])

    def _sector(self, symbol: int) -> str | None:
        return self.panel.instruments.sectors[symbol] or None

    def ordered(self, t: int) -> list[int]:
        """Members of the universe with a score, best first, ties by symbol."""
        score = self.score(t)
        return sorted(score, key=lambda symbol: (-score[symbol], symbol))

    def rank(self, t: int, symbol: int) -> int | None:
        """Place by score, 1 = best; None outside the universe or without a score."""
        places = self.ordered(t)
        return places.index(symbol) + 1 if symbol in places else None

    def candidates(self, t: int) -> list[int]:
        """Symbols that may be bought after this close, in order of purchase."""
        ranking = self.strategy.ranking
        if ranking.factors:
            order = self.ordered(t)
        else:
            order = [symbol for symbol in range(self.panel.n_symbols) if self.in_universe(t, symbol)]
        order = [symbol for symbol in order if self.entry(t, symbol)]
        if ranking.keep == "top":
            return order[: ranking.count]
        if ranking.keep == "bottom":
            return order[-ranking.count :]
        return order

    # --- calendar ------------------------------------------------------------------------------------------------------

    def _unsafe_sessions(self) -> set[int]:
        market_filter = self.strategy.market_filter
        if market_filter is None:
            return set()
        days = self.bars.days
        safe = [1.0] * len(days)
        if market_filter.formula is not None:
            levels = np.asarray(self.panel.indices[market_filter.index], dtype=np.float64)
            safe = evaluate_series(market_filter.formula, {"close": levels}).tolist()
        unsafe = set()
        for t in range(self.first, self.last):
            following = days[min(t + 1, len(days) - 1)]
            if following.month not in market_filter.months or math.isnan(safe[t]) or safe[t] == 0:
                unsafe.add(t)
        return unsafe

    def _rebalancing_closes(self) -> set[int]:
        """Closes before the session that is the first of its period plus the shift; where a period is too short for
        the shift, before the first session of the next; and the first close of the run."""
        rebalancing = self.strategy.rebalancing
        if rebalancing.mode == "signal":
            return set()
        periods: list[list[int]] = []
        names = [period_of(day, rebalancing.period) for day in self.bars.days]
        for t, name in enumerate(names):
            if t == 0 or name != names[t - 1]:
                periods.append([])
            periods[-1].append(t)
        trades = set()
        for number, period in enumerate(periods):
            if len(period) > rebalancing.day_shift:
                trades.add(period[rebalancing.day_shift])
            elif number > 0 and number + 1 < len(periods):  # the panel may begin in the middle of its first period
                trades.add(periods[number + 1][0])
        return {self.first} | {t - 1 for t in trades if self.first < t < self.last}


def period_of(day: date, period: str) -> object:
    """What is equal for two dates of one period."""
    match period:
        case "daily":
            return day
        case "weekly":
            return day.isocalendar()[:2]
        case "monthly":
            return day.year, day.month
        case "quarterly":
            return day.year, (day.month - 1) // 3
    return day.year
