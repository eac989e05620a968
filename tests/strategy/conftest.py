"""Random documents, rows and logic lines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from stocklab.strategy.document import (
    Allocation,
    Costs,
    Entry,
    Exclusion,
    Execution,
    ExitRules,
    FillMode,
    HoldingUnit,
    Market,
    MarketFilter,
    OwnFactor,
    PriceTrigger,
    RankFactor,
    Ranking,
    Rebalancing,
    Rule,
    Sizing,
    SizingMethod,
    StatementMode,
    Strategy,
    Tags,
    TopBy,
    Universe,
)
from stocklab.strategy.logic import LETTERS
from stocklab.strategy.rows import LONGEST, Direction, Function, LengthUnit, Operand, Operator, Row, formula_of

FACTORS = ("close", "volume", "rsi_14", "mom_12_1", "volatility_60d", "trading_value_20d")
STATEMENT_FACTORS = ("roe", "operating_margin")
FREE_FORMULAS = (
    "tpctrank(volume,50)>0.9",
    "(close>open)&(volume>2*lag(volume,1))&(rsi_14<70)",
    "new_high_52w",
    "~(rsi_14>70)",
    "close-open>0.5*tr",
    "5<rsi_14",
)
VALUES = ("mom_12_1", "100*(1-xpct(close))", "ret(close,20)/tstd(ret1,20,1)", "tpctrank(volume,50)")
numbers = st.one_of(
    st.integers(-(10**12), 10**12).map(float), st.floats(allow_nan=False, allow_infinity=False, width=64)
)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)
words = texts.map(str.strip).filter(bool)


@st.composite
def operands(draw: st.DrawFn) -> Operand:
    function = draw(st.sampled_from(Function))
    if function is Function.VALUE:
        return Operand(factor=draw(st.sampled_from(FACTORS + STATEMENT_FACTORS)))
    if function in (Function.RANK, Function.PERCENTILE):
        return Operand(
            factor=draw(st.sampled_from(FACTORS)), function=function, argument=draw(st.sampled_from(Direction))
        )
    quarters = function not in (Function.HIGHEST, Function.LOWEST) and draw(st.booleans())
    return Operand(
        factor=draw(st.sampled_from(STATEMENT_FACTORS if quarters else FACTORS)),
        function=function,
        argument=draw(st.integers(2, 40 if quarters else LONGEST)),
        unit=LengthUnit.QUARTERS if quarters else LengthUnit.SESSIONS,
    )


@st.composite
def rows(draw: st.DrawFn, values: st.SearchStrategy[float] = numbers) -> Row:
    operator = draw(st.sampled_from(Operator))
    left = draw(operands())
    if operator in (Operator.BETWEEN, Operator.NOT_BETWEEN):
        low, high = sorted((draw(values), draw(values)))
        return Row(left=left, operator=operator, low=low, high=high)
    if draw(st.booleans()):
        return Row(left=left, operator=operator, value=draw(values))
    return Row(left=left, operator=operator, right=draw(operands()), times=draw(st.none() | values))


def logic_lines(letters: list[str]) -> st.SearchStrategy[str]:
    """Lines over these letters, in English, with needless parentheses too."""
    return st.recursive(
        st.sampled_from(letters),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from([" and ", " or ", "&", " | ", " 그리고 ", " 또는 "]), inner).map(
                lambda parts: f"({''.join(parts)})"
            ),
            inner.map(lambda line: f"not ({line})"),
            inner.map(lambda line: f"({line}) 아님"),
        ),
        max_leaves=8,
    )


@st.composite
def own_factors(draw: st.DrawFn) -> tuple[OwnFactor, ...]:
    """Up to three, each of which may use those before it."""
    made: list[OwnFactor] = []
    for number in range(draw(st.integers(0, 3))):
        used = draw(st.sampled_from([*VALUES, *(f"2*{factor.id}+close" for factor in made)]))
        unit = draw(st.sampled_from(["%", "x", "score", "days", "bool"]))
        made.append(
            OwnFactor(
                id=f"own_{number}",
                name=draw(st.sampled_from(["", f"내 팩터 {number}"])),
                formula=used,
                unit=unit,
                higher_is_better=draw(st.sampled_from([1, 0, -1])),
                note=draw(texts),
            )
        )
    return tuple(made)


@st.composite
def rule_sets(draw: st.DrawFn, own: tuple[OwnFactor, ...] = ()) -> tuple[tuple[Rule, ...], str | None]:
    free = [*FREE_FORMULAS, *(f"sma({factor.id},5)>1" for factor in own)]
    formulas = st.one_of(rows(st.floats(-100, 100)).map(formula_of), st.sampled_from(free))
    count = draw(st.integers(0, 4))
    letters = draw(st.permutations(LETTERS[:6]))[:count]
    rules = tuple(Rule(id=letter, formula=draw(formulas), note=draw(texts)) for letter in letters)
    return rules, draw(st.none() | logic_lines(list(letters))) if rules else None


fractions = st.floats(0.01, 1)
STOCK_MARKETS = [market for market in Market if market is not Market.UPBIT]
triggers = st.builds(PriceTrigger, level=st.floats(0.01, 10), basis=st.sampled_from(["intraday", "close"]))
codes = st.lists(st.sampled_from(["005930", "000660", "0088D0", "KRW-BTC"]), max_size=3, unique=True).map(tuple)
universes = st.builds(
    Universe,
    markets=st.just((Market.UPBIT,)) | st.lists(st.sampled_from(STOCK_MARKETS), min_size=1, unique=True).map(tuple),
    sectors=st.lists(words, max_size=2).map(tuple),
    exclude_sectors=st.lists(words, max_size=2).map(tuple),
    themes=st.lists(words, max_size=2).map(tuple),
    index=st.sampled_from([None, "KOSPI200", "KOSDAQ150"]),
    symbols=codes,
    exclude_symbols=codes,
    exclude=st.lists(st.sampled_from(Exclusion), unique=True).map(tuple),
    min_listed_sessions=st.integers(0, 5000),
    min_trading_value_krw=st.integers(0, 10**15),
    min_price_krw=st.integers(0, 10**6),
    top=st.none() | st.builds(TopBy, by=st.sampled_from(["market_cap", "trading_value"]), count=st.integers(1, 5000)),
)
sizings = st.builds(
    Sizing,
    method=st.sampled_from([method for method in SizingMethod if method is not SizingMethod.SCORE]),
    max_holdings=st.integers(1, 500),
    weight=fractions,
    amount_krw=st.integers(1, 10**15),
    volatility_sessions=st.integers(5, 756),
    max_weight=fractions,
    max_sector_weight=fractions,
    max_position_krw=st.none() | st.integers(1, 10**15),
    max_new_per_session=st.none() | st.integers(1, 500),
    cash_buffer=st.floats(0, 0.9),
    base=st.sampled_from(["equity", "initial"]),
)
executions = st.builds(
    Execution,
    buy=st.sampled_from(FillMode),
    sell=st.sampled_from(FillMode),
    limit_offset=st.floats(-0.3, 0.3),
    limit_reference=st.sampled_from(["previous_close", "open"]),
    participation=fractions,
    carry_unfilled_sessions=st.integers(0, 20),
)
rankings = st.builds(
    Ranking,
    factors=st.lists(
        st.builds(
            RankFactor,
            formula=st.sampled_from(VALUES),
            weight=st.floats(0.1, 1000),
            direction=st.sampled_from(["high", "low"]),
            transform=st.sampled_from(["rank", "zscore", "value"]),
            neutralize=st.sampled_from(["none", "sector", "sector_size"]),
            winsorize=st.floats(0, 0.4),
        ),
        max_size=3,
    ).map(tuple),
    count=st.integers(1, 5000),
)
filters = st.builds(
    MarketFilter,
    index=st.sampled_from(["KOSPI", "KOSDAQ", "KOSPI200", "KRW-BTC"]),
    formula=st.sampled_from([None, "close>sma(close,200)", "ret(close,60)>0"]),
    months=st.lists(st.integers(1, 12), min_size=1, unique=True).map(tuple),
    action=st.sampled_from(["sell_all", "no_new"]),
)


@st.composite
def exits(draw: st.DrawFn) -> ExitRules:
    rules, logic = draw(rule_sets())
    shortest = draw(st.integers(0, 2520))
    return ExitRules(
        target=draw(st.none() | triggers),
        stop=draw(st.none() | triggers),
        trailing=draw(st.none() | triggers),
        min_holding=shortest,
        max_holding=draw(st.none() | st.integers(max(1, shortest), 2520)),
        holding_unit=draw(st.sampled_from(HoldingUnit)),
        min_holding_blocks_stops=draw(st.booleans()),
        rules=rules,
        logic=logic,
        reentry_wait_sessions=draw(st.integers(0, 252)),
    )


@st.composite
def documents(draw: st.DrawFn) -> Strategy:
    own = draw(own_factors())
    rules, logic = draw(rule_sets(own))
    return Strategy(
        name=draw(words),
        description=draw(texts),
        tags=draw(
            st.builds(
                Tags,
                style=st.lists(words, max_size=2).map(tuple),
                horizon=st.sampled_from([None, "short", "medium", "long"]),
                risk=st.sampled_from([None, "low", "medium", "high"]),
            )
        ),
        universe=draw(universes),
        factors=own,
        statements=draw(st.sampled_from(StatementMode)),
        entry=Entry(rules=rules, logic=logic),
        ranking=draw(rankings),
        sizing=draw(sizings),
        execution=draw(executions),
        exit=draw(exits()),
        rebalancing=draw(
            st.builds(
                Rebalancing,
                mode=st.sampled_from(["signal", "target"]),
                period=st.sampled_from(["daily", "weekly", "monthly", "quarterly", "yearly"]),
                day_shift=st.integers(0, 20),
                drift_band=st.floats(0, 1),
            )
        ),
        market_filter=draw(st.none() | filters),
        costs=draw(
            st.builds(
                Costs,
                commission_rate=st.floats(0, 0.05),
                tax=st.just("dated") | st.floats(0, 0.05),
                slippage_rate=st.floats(0, 0.1),
            )
        ),
        benchmark=draw(st.sampled_from(["KOSPI", "KOSDAQ", "KOSPI200", "KRW-BTC"])),
        allocation=Allocation(initial_cash_krw=draw(st.integers(100_000, 10**13))),
    )


class RandomInputs:
    """Generators of the tests of this folder."""

    rows = staticmethod(rows)
    operands = staticmethod(operands)
    documents = staticmethod(documents)
    logic_lines = staticmethod(logic_lines)


@pytest.fixture(scope="session")
def random_inputs() -> type[RandomInputs]:
    return RandomInputs


@pytest.fixture
def smallest() -> dict[str, Any]:
    """The smallest document there is."""
    return {"name": "x"}
