"""``python -m stocklab.strategy.preset_page``: docs/presets.md, made from the presets themselves."""

from __future__ import annotations

import sys
from typing import Final

from stocklab.factors import check
from stocklab.strategy.presets import PRESETS, Preset
from stocklab.strategy.words import describe_strategy

__all__ = ["presets_page"]

_INTRODUCTION: Final = """\
# The presets

Ready-made strategies from books and papers. Each names its source, says how it differs from what was published, and
runs exactly the rules shown: the lines under **Rules that run** are made from the document that a backtest executes
(`stocklab presets show ID` prints it). Nothing here is advice, and no past result is claimed.

Presets that read company reports see each number from the day its report was received (`docs/factors.md`, section
4.5). A factor is unknown where a company does not report what it needs, and an unknown value never passes a rule: a
rule on a rarely reported item also narrows the universe. `stocklab presets list` says which presets the data of this
home can run and which inputs the others lack; the home page marks them. A backtest that could never buy for want of
inputs is refused and names them; one that loses only some of its rules runs with a warning.

Where a person has published principles but no rules in numbers (Buffett, Munger, Ackman, Greenberg, Wood, Welling),
the preset says so, and its numbers are ours.

This page is made by `python -m stocklab.strategy.preset_page > docs/presets.md`.
"""


def presets_page() -> str:
    """The page as Markdown."""
    lines = [
        _INTRODUCTION,
        "| preset | id | style | horizon | risk | reads |",
        "|---|---|---|---|---|---|",
        *(_row(preset) for preset in PRESETS.values()),
    ]
    return "\n".join(lines) + "\n\n" + "\n\n".join(_section(preset) for preset in PRESETS.values()) + "\n"


def _row(preset: Preset) -> str:
    tags = preset.tags
    reads = "company reports" if _reads_reports(preset) else "prices"
    name = f"{preset.name_en} · {preset.name_ko}"
    return f"| {name} | `{preset.id}` | {', '.join(tags.style)} | {tags.horizon} | {tags.risk} | {reads} |"


def _reads_reports(preset: Preset) -> bool:
    strategy = preset.strategy
    formulas = [rule.formula for rule in (*strategy.entry.rules, *strategy.exit.rules)]
    formulas += [part.formula for part in strategy.ranking.factors]
    return any(check(formula).items for formula in formulas)


def _section(preset: Preset) -> str:
    strategy, words = preset.strategy, preset.words_en
    formulas = [f"`{rule.id}` `{rule.formula}`" for rule in strategy.entry.rules]
    formulas += [f"`{part.formula}` ({part.direction} first)" for part in strategy.ranking.factors]
    rules = [f"- {line}" for line in describe_strategy(strategy, "en")]
    parts = [
        f"## {preset.name_en}",
        f"*{preset.source}*",
        words.what,
        "**Rules that run.** Formulas: " + ", ".join(formulas) + ".",
        "\n".join(rules),
        f"**Why it may work.** {words.why}",
        f"**When it fails.** {words.fails}",
        f"**How it differs from its source.** {words.differs}",
    ]
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(presets_page())
