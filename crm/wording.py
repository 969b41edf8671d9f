"""Wording that several kinds of sentences share."""

from collections.abc import Callable, Sequence

# So many are named where there are more.
FEW = 5


def first_few(
    words: Sequence[str], separator: str = ", ", *, total: int | None = None, number: Callable[[int], str] = str
) -> str:
    """The first of some words and how many more there are: `Anna, Bob and 3 more`, or `a; b; and 3 more`. `total` is
    how many there are where `words` has only the first of them; `number` writes how many are left."""
    first = words[:FEW]
    others = _others((len(words) if total is None else total) - len(first), number)
    gap = " " if separator == ", " else separator
    return separator.join(first) + (gap + others if others else "")


def first_lines(
    lines: Sequence[str], most: int = FEW, *, total: int | None = None, number: Callable[[int], str] = str
) -> list[str]:
    """The first of some lines, and one more for the others: `and 3 more`."""
    first = list(lines[:most])
    others = _others((len(lines) if total is None else total) - len(first), number)
    return [*first, others] if others else first


def _others(count: int, number: Callable[[int], str]) -> str:
    return f"and {number(count)} more" if count > 0 else ""


def as_sentences(reason: str) -> str:
    """Return the reason of an error as sentences: what is wrong, then what to do."""
    sentences = ". ".join(part[:1].upper() + part[1:] for part in reason.split("; "))
    return sentences if sentences.endswith((".", "?", "!")) else f"{sentences}."
