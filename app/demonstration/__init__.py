"""The demonstration county: offices, people, list, and three months of calls made through the workflow itself (spec 4)."""

from app.demonstration.command import demo
from app.demonstration.loading import CannotLoad, load

__all__ = ["CannotLoad", "demo", "load"]
