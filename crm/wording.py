"""Wording that several kinds of sentences share."""

from collections.abc import Callable, Sequence

# So many are named where there are more.
FEW = 5


def first_few(
    words: Sequence[str], separator: str = ", ", *, total: int | None = None, number: Callable[[int], str] = str
) -> str:
    """The first of some words and how many more there are: `Anna, Bob and 3 more`, or `a; b; and 3 more`. `total` is
    how many there are where `words` has only the first of them; `number` writes how many are left."""
    more = (len(words) if total is None else total) - FEW
    gap = " " if separator == ", " else separator
    return separator.join(words[:FEW]) + (f"{gap}and {number(more)} more" if more > 0 else "")


def as_sentences(reason: str) -> str:
    """Return the reason of an error as sentences: what is wrong, then what to do."""
    sentences = ". ".join(part[:1].upper() + part[1:] for part in reason.split("; "))
    return sentences if sentences.endswith((".", "?", "!")) else f"{sentences}."
