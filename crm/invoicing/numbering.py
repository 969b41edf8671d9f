"""Numbers of invoices: patterns like `RE-{year}-{number:04}`.

Gapless: a number is given only on issue, in the transaction that issues, from the counter row of its series (`last`
and `year`), which moves in no other place. Drafts have none, and an issued document is never deleted. Where two issue
at once, the one that commits second runs again on the new counter.
"""

from datetime import date


def check_pattern(pattern: str) -> str:
    """The pattern as it is kept; raises FieldError where it has not exactly one {number}, an unknown name in braces, or
    characters that a number should not have."""
    raise NotImplementedError


def is_yearly(pattern: str) -> bool:
    """Whether the numbers of a pattern start again at 1 in each year, because it names the year."""
    raise NotImplementedError


def render(pattern: str, year: int, number: int) -> str:
    """The number of a document: render('RE-{year}-{number:04}', 2026, 7) is RE-2026-0007."""
    raise NotImplementedError


def next_number(pattern: str, issued_on: date, *, year: int, last: int) -> tuple[int, int, str]:
    """The counter after the next document of a series, as (year, last, number as text). `year` and `last` are the
    counter now (0, 0 for a new series). Raises RefusedError where a yearly series is already in a later year."""
    raise NotImplementedError


def read_number(pattern: str, text: str) -> tuple[int, int] | None:
    """The (year, number) that a text was rendered from, year 0 where the pattern names none; None where it does not
    fit. `check` proves with it that the numbers of a series run 1..n."""
    raise NotImplementedError
