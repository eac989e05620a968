"""Tables of news and disclosures: what was published about a symbol, and when it was first seen here."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from stocklab.db.models import Base

__all__ = ["DisclosureRow", "NewsItemRow"]


class NewsItemRow(Base):
    """An article about a symbol; never changed once it was seen. ``key`` is the hash of its address."""

    __tablename__ = "news_items"
    __table_args__ = (Index(None, "symbol", "published_at"), Index(None, "published_at", "key"))

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(16), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime]
    first_seen_at: Mapped[datetime]


class DisclosureRow(Base):
    """A filing of a listed company; never changed once it was seen."""

    __tablename__ = "disclosures"
    __table_args__ = (
        Index(None, "symbol", "published_on"),
        Index(None, "published_on"),
        Index(None, "published_on", "filing_no"),
        Index(None, "kind", "published_on", "filing_no"),
    )

    filing_no: Mapped[str] = mapped_column(String(14), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(32))
    published_on: Mapped[date]
    first_seen_at: Mapped[datetime]
