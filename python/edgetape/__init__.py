"""What edgetape recorded, as DuckDB relations. See docs/python.md."""

from ._shipped_sql import ReadyView
from ._tape import Tape, open

__all__ = ["ReadyView", "Tape", "open"]
