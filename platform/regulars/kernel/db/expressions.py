"""Expressions that Core statements share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, DateTime, func

NOW: ColumnElement[datetime] = func.core.now(type_=DateTime(timezone=True))
"""The clock of the rules, `core.now()`: `now()`, shifted in test and demo databases only."""
