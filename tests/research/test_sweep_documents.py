"""Sweep documents, draws, and what a sweep says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import jsonschema
import numpy as np
import pytest
from scipy.stats import qmc

from stocklab.errors import DocumentError, InputError
from stocklab.research.draws import draw, latin_hypercube
from stocklab.research.sweep_store import Row
from stocklab.research.sweep_text import parameter_of_text, requirement_of_text
from stocklab.research.sweep_view import best_first, heat_map, plateau_of, table_of
from stocklab.research.variants import Skipped, Variant, strategy_with, variants_of
from stocklab.strategy import PRESETS, fingerprint, parse_document
from stocklab.strategy.numbers import formula_with, numbers_of, with_numbers
from stocklab.strategy.sweep import Sweep, idea_of, parse_sweep, sweep_schema

CROSS = {
    "name": "cross",
    "entry": {"rules": [{"id": "A", "formula": "sma(close,20)>sma(close,60)"}]},
    "exit": {"stop": {"level": 0.1}},
}
SHORT, LONG = "entry.rules.A.formula#1", "entry.rules.A.formula#2"


def sweep(*parameters: dict[str, Any], **more: Any) -> Sweep:
    return parse_sweep(
        {"strategy": CROSS, "parameters": list(parameters), "start": "2020-01-02", "end": "2021-12-30", **more}
    )


def steps(path: str, start: float, stop: float, step: float | None = None, **more: Any) -> dict[str, Any]:
    return {"paths": [path], "start": start, "stop": stop, "step": step, **more}


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_of_every_preset_can_be_put_back(preset: str) -> None:
    strategy = PRESETS[preset].strategy
    numbers = numbers_of(strategy)
    assert len({number.path for number in numbers}) == len(numbers)
    same = {number.path: number.value for number in numbers if number.value is not None}
    document = strategy.model_dump(mode="json")
    assert parse_document(with_numbers(document, same)) == strategy
    for number in numbers:
        if number.formula and number.value is not None:
            changed = with_numbers(document, {number.path: number.value + 1})
            assert document == strategy.model_dump(mode="json")  # the original is left alone
            try:
                other = parse_document(changed)
            except DocumentError:
                continue  # a number the formula language bounds
            assert idea_of(other) == idea_of(strategy)
            assert fingerprint(other) != fingerprint(strategy)


def test_numbers_in_formulas() -> None:
    assert formula_with("close>-5*sma(close,20)", {1: 3, 2: 60}) == "close>3*sma(close,60)"
    assert formula_with("close-5>2", {1: -3}) == "close-(-3)>2"
    assert formula_with("rsi_14<30", {1: 14, 2: 25}) == "rsi_14<25"
    assert formula_with("rsi_14<30", {1: 9}).count(",9)") == 3


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"parameters": []}, "parameters", "at least 1"),
        ({"parameters": [steps("entry.rules.A.formula#9", 1, 2, 1)]}, "parameters.0.paths.0", "did you mean"),
        ({"parameters": [steps(SHORT, 60, 20, 5)]}, "parameters.0.start", "exchange"),
        ({"parameters": [steps(SHORT, 5, 20)]}, "parameters.0.step", "set step"),
        ({"parameters": [steps(SHORT, 5, 20, 5), steps(SHORT, 5, 20, 5)]}, "parameters.1.paths.0", "each number once"),
        ({"parameters": [steps(SHORT, 1, 200, 1), steps(LONG, 1, 200, 1)]}, "parameters", "40,000"),
        ({"parameters": [{"paths": [SHORT]}]}, "parameters.0.start", "start and stop"),
        ({"parameters": [{"paths": [SHORT], "values": [5, 5]}]}, "parameters.0.values", "twice"),
        ({"method": "random"}, "count", "number of variants"),
        ({"method": "gird"}, "method", "did you mean 'grid'"),
        ({"start": "2022-01-01"}, "start", "exchange"),
        ({"requires": [{"smaller": SHORT, "larger": "exit.stpo.level"}]}, "requires.0.larger", "exit.stop.level"),
        ({"strategy": {"name": "x", "sizing": {"max_holdings": 0}}}, "strategy.sizing.max_holdings", "at least 1"),
        ({"objektive": 1}, "objektive", "did you mean 'objective'"),
    ],
)
def test_faults_name_the_field_and_what_to_do(change: dict[str, Any], path: str, words: str) -> None:
    document = {
        "strategy": CROSS, "parameters": [steps(SHORT, 5, 20, 5)], "start": "2020-01-02", "end": "2021-12-30", **change
    }  # fmt: skip
    with pytest.raises(DocumentError) as caught:
        parse_sweep(document)
    assert [fault.path for fault in caught.value.faults] == [path]
    assert words in caught.value.faults[0].message


def test_the_schema_takes_what_is_valid() -> None:
    document = sweep(steps(SHORT, 5, 20, 5)).model_dump(mode="json")
    assert list(jsonschema.Draft202012Validator(sweep_schema()).iter_errors(document)) == []


def test_a_grid_has_every_combination_and_skips_say_why() -> None:
    asked = sweep(
        steps(SHORT, 10, 40, 10),
        {"paths": [LONG], "values": [20, 40]},
        requires=[{"smaller": SHORT, "larger": LONG}],
    )
    found = list(variants_of(asked, lambda request: fingerprint(request.strategy)))
    assert len(found) == 8
    run = [item for item in found if isinstance(item, Variant)]
    assert [item.values for item in run] == [(10, 20), (10, 40), (20, 40), (30, 40)]
    reasons = {item.values: item.reason for item in found if isinstance(item, Skipped)}
    assert reasons[20, 20] == f"{SHORT} (20) must be below {LONG} (20)."
    assert run[0].request.strategy.entry.rules[0].formula == "sma(close,10)>sma(close,20)"
    wrong = sweep({"paths": ["exit.stop.level"], "values": [0, 0.05]})
    codes = [item.code for item in variants_of(wrong, str) if isinstance(item, Skipped)]
    assert codes == ["document"]
    linked = sweep({"paths": [SHORT, LONG], "values": [5, 9]})
    assert strategy_with(linked, (9,)).entry.rules[0].formula == "sma(close,9)>sma(close,9)"


def test_samples_are_seeded_distinct_and_even() -> None:
    asked = sweep(
        steps(SHORT, 5, 100), steps("exit.stop.level", 0.01, 0.5, scale="log"), method="random", count=300, seed=4
    )
    found = draw(asked)
    assert found == draw(asked) != draw(asked.model_copy(update={"seed": 5}))
    assert len(set(found)) == len(found) == 300
    windows, levels = zip(*found, strict=True)
    assert all(isinstance(value, int) and 5 <= value <= 100 for value in windows)
    assert all(0.01 <= value <= 0.5 for value in levels)
    assert abs(np.median(np.log(levels)) - np.log(0.0707)) < 0.25  # the geometric middle
    few = sweep(steps(SHORT, 1, 3, 1), method="random", count=50)
    assert sorted(draw(few)) == [(1,), (2,), (3,)]


def test_latin_hypercube_has_one_in_each_stratum_and_fills_better_than_chance() -> None:
    places = latin_hypercube(np.random.default_rng(1), 64, 3)
    assert (np.sort((64 * places).astype(int), axis=0) == np.arange(64)[:, None]).all()
    ours = qmc.discrepancy(places)
    chance = [qmc.discrepancy(np.random.default_rng(seed).random((64, 3))) for seed in range(20)]
    theirs = [qmc.discrepancy(qmc.LatinHypercube(3, rng=seed).random(64)) for seed in range(20)]
    assert ours < np.median(chance)
    assert min(theirs) / 2 < ours < 2 * max(theirs)


def rows_of(asked: Sweep, objective: Any, trades: int = 100) -> list[Row]:
    return [
        Row(
            number=number, values=values, run_id=str(number), code="", reason="",
            figures={"sharpe": objective(*values), "n_trades": trades, "cagr": 0.1},
        )
        for number, values in enumerate(draw(asked), start=1)
    ]  # fmt: skip


def test_the_plateau_is_where_the_neighbours_do_well_too() -> None:
    asked = sweep(steps(SHORT, 1, 9, 1), steps(LONG, 10, 18, 1))

    def hill_and_spike(short: float, long: float) -> float:
        return 5.0 if (short, long) == (8, 17) else 2.0 - 0.1 * ((short - 3) ** 2 + (long - 13) ** 2)

    table = table_of(asked, rows_of(asked, hill_and_spike))
    assert best_first(asked, table)["sharpe"][0] == 5.0
    found = plateau_of(asked, table)
    assert found is not None
    chosen = table.row(found.number - 1, named=True)
    assert (chosen[SHORT], chosen[LONG], found.neighbours, found.best) == (3, 13, 9, 5.0)
    assert (round(found.own, 9), round(found.median, 9), round(found.lowest, 9)) == (2.0, 1.9, 1.8)


def test_the_map_takes_the_best_or_the_median_of_the_rest() -> None:
    asked = sweep(steps(SHORT, 1, 3, 1), steps(LONG, 10, 11, 1), steps("exit.stop.level", 0.1, 0.3, 0.1))
    table = table_of(asked, rows_of(asked, lambda short, long, level: short + long + round(10 * level)))
    best, median = (heat_map(asked, table, 0, 1, others=how) for how in ("best", "median"))
    assert (best.x, best.y) == (("1", "2", "3"), ("10", "11"))
    assert best.values.tolist() == [[14, 15, 16], [15, 16, 17]]
    assert median.values.tolist() == [[13, 14, 15], [14, 15, 16]]
    assert (best.counts == 3).all()
    assert best.cells[1] == (0, 0)
    assert best.cells[18] == (1, 2)
    sampled = sweep(steps(SHORT, 5, 250), steps("exit.stop.level", 0.01, 0.5), method="random", count=200)
    wide = heat_map(sampled, table_of(sampled, rows_of(sampled, lambda a, b: a)), 0, 1, others="best")
    assert len(wide.x) <= 24
    assert wide.counts.sum() == 200


def test_few_trades_are_shown_but_not_compared() -> None:
    asked = sweep(steps(SHORT, 1, 9, 1), least_trades=50)
    rows = rows_of(asked, lambda short: 9.0 - short)
    rows[0] = Row(
        number=1, values=(1,), run_id="1", code="", reason="", figures={"sharpe": 99.0, "n_trades": 3, "cagr": 1.0}
    )
    table = table_of(asked, rows)
    ordered = best_first(asked, table)
    assert (ordered["number"][0], ordered["number"][-1]) == (2, 1)
    found = plateau_of(asked, table)
    assert found is not None
    assert found.best == 7.0


@pytest.mark.parametrize("text", ["", "a", "a=", "a=1:2:3:4", "a=x,2", "a=1:b"])
def test_ranges_that_cannot_be_read_are_told(text: str) -> None:
    with pytest.raises(InputError, match="--vary"):
        parameter_of_text(text)


def test_ranges_of_the_command_line() -> None:
    assert parameter_of_text("a+b=1:2:log") == {"paths": ["a", "b"], "start": 1, "stop": 2, "scale": "log"}
    assert requirement_of_text("a < b") == {"smaller": "a", "larger": "b"}
    with pytest.raises(InputError, match="PATH<PATH"):
        requirement_of_text("a>b")


def test_dates_of_a_sweep_are_dates() -> None:
    asked: Sequence[date] = (sweep(steps(SHORT, 5, 20, 5)).start,)
    assert asked == (date(2020, 1, 2),)
