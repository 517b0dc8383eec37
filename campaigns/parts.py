"""What is looked at part by part: in this process, or wherever an engine looks at it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Other = TypeVar("Other")
Result = TypeVar("Result")
AT_ONCE = 2


class Parts(ABC, Generic[Item]):
    """Items that need not be in memory together, nor on this machine."""

    @abstractmethod
    def map(self, work: Callable[[Item], Result]) -> list[Result]:
        """What ``work`` makes of every item, in the order of parts.

        Args:
            work: May be carried out elsewhere: what it holds is sent to every part.
        """

    @abstractmethod
    def altered(self, work: Callable[[Item], Other]) -> Parts[Other]:
        """What ``work`` makes of every item, as parts that stay where these are."""


class InProcess(Parts[Item]):
    """Parts in this process, two at a time; what is read when asked for stays so."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def map(self, work: Callable[[Item], Result]) -> list[Result]:
        """Do ``work`` in threads."""
        # Where choosing asks thousands of times, one part would start as many threads.
        if len(self._items) == 1:
            return [work(self._items[0])]
        with ThreadPoolExecutor(min(AT_ONCE, len(self._items))) as pool:
            places = range(len(self._items))
            return list(pool.map(lambda place: work(self._items[place]), places))

    def altered(self, work: Callable[[Item], Other]) -> Parts[Other]:
        """The results, in memory."""
        return InProcess(self.map(work))


def itself(item: Item) -> Item:
    """The item, to be looked at here."""
    return item
