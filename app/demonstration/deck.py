"""Drawing by lot with steady shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Generic, TypeVar

Card = TypeVar("Card")


def _any(card: object) -> bool:
    return True


class Deck(Generic[Card]):
    """Cards that come up in shuffled order, all of them before any comes again: whatever the seed, the shares hold."""

    def __init__(self, cards: Sequence[Card], random: Random) -> None:
        self._cards = list(cards)
        self._random = random
        self._left: list[Card] = []

    def draw(self, fits: Callable[[Card], bool] = _any) -> Card:
        """The next card that fits; those passed over stay next. Raises LookupError if no card of the deck fits."""
        while True:
            for position, card in enumerate(self._left):
                if fits(card):
                    return self._left.pop(position)
            if not any(fits(card) for card in self._cards):
                raise LookupError("no card of this deck fits")
            fresh = list(self._cards)
            self._random.shuffle(fresh)
            self._left.extend(fresh)
