"""Many values in batches, as many at a time as one statement easily takes."""

from collections.abc import Iterable, Iterator
from itertools import islice, repeat, takewhile
from typing import TypeVar

Value = TypeVar("Value")


def batches(values: Iterable[Value], size: int = 1000) -> Iterator[list[Value]]:
    """The values in their order, so many at a time."""
    coming = iter(values)
    return takewhile(len, (list(islice(coming, size)) for _ in repeat(None)))
