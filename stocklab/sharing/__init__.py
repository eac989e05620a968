"""Shared strategies: publishing, hiding rules under a seal, cloning with attribution, liking, searching."""

from stocklab.sharing.admission import SHARING_LIMITS, sharing_limits
from stocklab.sharing.clones import Clones
from stocklab.sharing.errors import CloneRefused, NothingToShow, PublicationNotFound
from stocklab.sharing.evidence import Evidence, evidence_of
from stocklab.sharing.following import Change, Follower, set_hidden, tell
from stocklab.sharing.likes import Likes
from stocklab.sharing.publication_views import (
    MARK_CAPITAL_KRW,
    Family,
    Mark,
    PublicationCard,
    PublicationDetail,
    Relative,
    Visibility,
)
from stocklab.sharing.publications import LONGEST_DESCRIPTION, Publications, Wish
from stocklab.sharing.seal import canonical, fits_seal, new_salt, seal
from stocklab.sharing.showcase import MOST_FACTORS, SORTS, Showcase, Sort
from stocklab.sharing.used_factors import factors_of

__all__ = [
    "LONGEST_DESCRIPTION",
    "MARK_CAPITAL_KRW",
    "MOST_FACTORS",
    "SHARING_LIMITS",
    "SORTS",
    "Change",
    "CloneRefused",
    "Clones",
    "Evidence",
    "Family",
    "Follower",
    "Likes",
    "Mark",
    "NothingToShow",
    "PublicationCard",
    "PublicationDetail",
    "PublicationNotFound",
    "Publications",
    "Relative",
    "Showcase",
    "Sort",
    "Visibility",
    "Wish",
    "canonical",
    "evidence_of",
    "factors_of",
    "fits_seal",
    "new_salt",
    "seal",
    "set_hidden",
    "sharing_limits",
    "tell",
]
