"""What townships call about, and what all concerned write: the stored texts, and how places and numbers are filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

FOLDER = Path(__file__).parent

Where = Literal["rural", "urban", "town", "coast", "any"]


@dataclass(frozen=True)
class Partner:
    """A cooperating department in a matter: its name, its plan on responding and its report."""

    department: str
    plan: str
    result: str


@dataclass(frozen=True)
class Matter:
    """A kind of call. Texts hold `{t}` township, `{v}` village, `{us}` (我镇) and `{n}`."""

    item: int | None
    """Its number on the county's list; None for a matter that is not on it, which then names its `field`."""
    where: Where
    title: str
    place: str
    description: str
    lead: str
    plan: str
    progress: str
    result: str
    reason: str = ""
    """Why the department can only report it partly solved; empty where it is solved."""
    complaint: str = ""
    """What a township that is not content would say; empty where dissatisfaction is not told."""
    again: str = ""
    """The report of round 2."""
    numbers: tuple[int, ...] = ()
    complex: bool = False
    source: str = "own"
    field: str = ""
    partners: tuple[Partner, ...] = ()


@dataclass(frozen=True)
class Township:
    """Where a matter plays: key, short name and villages or communities."""

    organisation_id: int
    short_name: str
    villages: tuple[str, ...]
    coastal: bool

    @property
    def urban(self) -> bool:
        return self.short_name.endswith("街道")

    @property
    def us(self) -> str:
        """How its officers speak of it: 我镇, 我乡, 我街道."""
        return "我街道" if self.urban else f"我{self.short_name[-1]}"


@dataclass(frozen=True)
class Library:
    """All stored texts."""

    matters: tuple[Matter, ...]
    emergencies: tuple[Matter, ...]
    phrases: Mapping[str, list[str]]


def read_library() -> Library:
    """The texts of the package. Raises TypeError for an entry with an unknown field."""
    stored = json.loads((FOLDER / "matters.json").read_text(encoding="utf-8"))
    return Library(
        matters=tuple(_matter(one) for one in stored["matters"]),
        emergencies=tuple(_matter(one) for one in stored["emergencies"]),
        phrases=stored["phrases"],
    )


def _matter(entry: Mapping[str, Any]) -> Matter:
    values = dict(entry)
    values["partners"] = tuple(Partner(**one) for one in values.get("partners", ()))
    values["numbers"] = tuple(values.get("numbers", ()))
    return Matter(**values)


def fits(matter: Matter, township: Township) -> bool:
    """Whether a matter can play in a township: no street market in a hamlet, no fishing port inland."""
    match matter.where:
        case "coast":
            return township.coastal
        case "urban":
            return township.urban
        case "rural":
            return not township.urban
        case _:
            return True


@dataclass(frozen=True)
class Scene:
    """A matter at one place: fills texts."""

    township: Township
    village: str
    number: int

    @classmethod
    def choose(cls, matter: Matter, township: Township, random: Random) -> Scene:
        """A place and number of a matter; what belongs to a built-up centre plays in the township's first village."""
        village = (
            township.villages[0] if matter.where == "town" and not township.urban else random.choice(township.villages)
        )
        return cls(township, village, random.choice(matter.numbers) if matter.numbers else 0)

    def fill(self, text: str) -> str:
        """A text with the place's names in it."""
        return text.format(t=self.township.short_name, v=self.village, us=self.township.us, n=self.number)
