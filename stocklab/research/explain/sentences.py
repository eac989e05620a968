"""A verdict as a sentence, Korean or English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stocklab.research.explain.order_sentences import ORDERED_OR_KEPT
from stocklab.research.explain.phrases import Speaker
from stocklab.research.explain.refusal_sentences import NOT_BOUGHT
from stocklab.research.explain.session_sentences import IN_THE_SESSION
from stocklab.research.explain.verdicts import Code, Verdict
from stocklab.research.explain.words import Language

__all__ = ["sentence"]

_SPEAKERS: Final[Mapping[Code, Speaker]] = {**IN_THE_SESSION, **NOT_BOUGHT, **ORDERED_OR_KEPT}


def sentence(verdict: Verdict, language: Language) -> str:
    """One or two sentences that say what happened or was decided, and why.

    >>> sentence(Verdict(code=Code.OUTSIDE_KEPT, facts={"place": 12, "keep": "top", "count": 10}), "en")
    'Not bought: it ranks 12th, and only the best 10 are admitted.'
    """
    return _SPEAKERS[verdict.code](verdict.facts, language)[language == "en"]
