"""Numbers of invoices: patterns like `INV-{year}-{number:04}`.

Gapless: a number is given only on issue, in the transaction that issues, from the counter row of its series (`last`
and `year`), which moves in no other place. Drafts have none, and an issued document is never deleted. Where two issue
at once, the one that commits second runs again on the new counter.
"""

import re
from collections.abc import Iterable
from datetime import date

from crm.errors import FieldError, RefusedError

EXAMPLE = "INV-{year}-{number:04}"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NUMBER = re.compile(r"number(?::0?([1-9]))?")
_LETTERS = re.compile(r"[a-z]*")
# Digits of any script would look like a number and be none, so plain letters and digits only.
_AROUND = re.compile(r"[A-Za-z0-9 ._/#-]*")
# A number that begins or ends with a sign, or has two together, would be an option, a folder or a hidden file.
_ODD = re.compile(r"^[^A-Za-z0-9]|[^A-Za-z0-9]$|[^A-Za-z0-9]{2}")
# A number is typed, printed and part of the name of a file.
_LONGEST = 40


def check_pattern(pattern: str) -> str:
    """The pattern as it is kept. Raises FieldError where it has not exactly one {number}, an unknown name in braces, or
    characters that a number should not have."""
    text = " ".join(pattern.split())
    names = _PLACEHOLDER.findall(text)
    around = _PLACEHOLDER.sub("\0", text)
    if "{" in around or "}" in around:
        raise FieldError(f"a brace is not closed; write it like {EXAMPLE}")
    for name in names:
        if name not in ("year", "yy") and not _NUMBER.fullmatch(name):
            raise FieldError(f"{{{name}}} is not known; there are {{year}}, {{yy}}, {{number}} and {{number:04}}")
    if sum(name.startswith("number") for name in names) != 1:
        raise FieldError(f"a pattern has {{number}} exactly once, like {EXAMPLE}")
    if sum(not name.startswith("number") for name in names) > 1:
        raise FieldError(f"a pattern has the year once at most, like {EXAMPLE}")
    if not _AROUND.fullmatch(around.replace("\0", "")):
        raise FieldError("around the number there may be letters from A to Z, digits, blanks and . _ / # -")
    pieces = _PLACEHOLDER.split(text)
    if any(pieces[place][-1:].isdigit() for place in range(0, len(pieces) - 1, 2)) or any(
        pieces[place][:1].isdigit() for place in range(2, len(pieces), 2)
    ):
        raise FieldError("a digit right beside a number or a year cannot be told from it; put - or / between them")
    if any(not pieces[place] for place in range(2, len(pieces) - 1, 2)):
        raise FieldError("the year and the number need something between them, like - or /")
    example = render(text, 2026, 1)
    if _ODD.search(example):
        raise FieldError("begin and end with a letter or a digit, and put single signs between them: no .., no //")
    if len(example) > _LONGEST:
        raise FieldError(f"a number has at most {_LONGEST} characters")
    return text


def is_yearly(pattern: str) -> bool:
    """Return whether the numbers of a pattern start again at 1 in each year, because it names the year."""
    return "{year}" in pattern or "{yy}" in pattern


def render(pattern: str, year: int, number: int) -> str:
    """The number of a document: render('INV-{year}-{number:04}', 2026, 7) is INV-2026-0007."""

    def written(match: re.Match[str]) -> str:
        if match[1] == "year":
            return f"{year:04}"
        if match[1] == "yy":
            return f"{year % 100:02}"
        width = _NUMBER.fullmatch(match[1])
        return f"{number:0{(width and width[1]) or 1}}"

    return _PLACEHOLDER.sub(written, pattern)


def next_number(pattern: str, issued_on: date, *, year: int, last: int) -> tuple[int, int, str]:
    """The counter after the next document of a series, as (year, last, number as text). `year` and `last` are the
    counter now (0, 0 for a new series). Raises RefusedError where a yearly series is already in a later year."""
    if not is_yearly(pattern):
        return issued_on.year, last + 1, render(pattern, issued_on.year, last + 1)
    if issued_on.year < year:
        raise RefusedError(
            f"The numbers of this series are already in {year}. A document of {issued_on.year} would come before them. "
            f"Issue it on a day in {year}."
        )
    number = last + 1 if issued_on.year == year else 1
    return issued_on.year, number, render(pattern, issued_on.year, number)


def read_number(pattern: str, text: str) -> tuple[int, int] | None:
    """The (year, number) that a text was rendered from, year 0 where the pattern names none; None where it does not
    fit. `check` proves with it that the numbers of a series run 1..n."""
    expression, position = "", 0
    for match in _PLACEHOLDER.finditer(pattern):
        expression += re.escape(pattern[position : match.start()])
        expression += {"year": r"(?P<year>[0-9]{4})", "yy": r"(?P<yy>[0-9]{2})"}.get(match[1], r"(?P<number>[0-9]+)")
        position = match.end()
    fits = re.fullmatch(expression + re.escape(pattern[position:]), text)
    if fits is None:
        return None
    parts = fits.groupdict()
    year = int(parts["year"]) if "year" in parts else 2000 + int(parts["yy"]) if "yy" in parts else 0
    number = int(parts["number"])
    # 007 where the pattern writes 7 is not a number of this series.
    return (year, number) if render(pattern, year, number) == text else None


def given_already(pattern: str, numbers: Iterable[str], *, year: int, last: int) -> str:
    """The first of some numbers that a series with this pattern would give once more, after `last` in `year`; '' for
    none."""
    for number in numbers:
        # Two numbers that differ only in their letters' case are the same.
        parts = read_number(pattern.casefold(), number.casefold())
        if parts and (parts > (year, last) if is_yearly(pattern) else parts[1] > last):
            return number
    return ""


def letters_of(pattern: str) -> str:
    """The letters with which the numbers of a pattern begin, in small letters."""
    return _LETTERS.match(pattern.casefold())[0]  # type: ignore[index]


def may_clash(one: str, other: str) -> bool:
    """Return whether a number of one pattern could be one of the other too."""
    first, second = _places(one), _places(other)
    seen, waiting = {(0, 0)}, [(0, 0)]
    while waiting:
        at, beside = waiting.pop()
        if at == len(first) and beside == len(second):
            return True
        if at == len(first) or beside == len(second):
            continue
        (signs, repeats), (other_signs, other_repeats) = first[at], second[beside]
        if not signs & other_signs:
            continue
        following = [(at + 1, beside + 1)]
        following += [(at, beside + 1)] if repeats else []
        following += [(at + 1, beside)] if other_repeats else []
        following = [pair for pair in following if pair not in seen]
        seen.update(following)
        waiting += following
    return False


def _places(pattern: str) -> list[tuple[frozenset[str], bool]]:
    """The signs that may be at each place of a number, and whether more of them may follow."""
    digits, places, position = frozenset("0123456789"), list[tuple[frozenset[str], bool]](), 0
    for match in _PLACEHOLDER.finditer(pattern):
        places += [(frozenset(sign), False) for sign in pattern[position : match.start()].casefold()]
        width = _NUMBER.fullmatch(match[1])
        count = {"year": 4, "yy": 2}.get(match[1]) or int((width and width[1]) or 1)
        places += [(digits, False)] * (count - 1) + [(digits, width is not None)]
        position = match.end()
    return places + [(frozenset(sign), False) for sign in pattern[position:].casefold()]
