"""Bars of lines, columns and shades of blocks, in as many columns of the terminal as there are."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

# A bar is a heavy line, so that bars below each other stay apart; half of a character ends it.
_LINE, _HALF = "━", "╸"
_HEIGHTS = " ▁▂▃▄▅▆▇█"
_SHADES = "·░▒▓█"
_PLAIN_SHADES = ".-+x#"


def bar(value: int | Decimal, most: int | Decimal, width: int, *, unicode: bool = True) -> str:
    """A bar for a value, `width` long for the greatest; anything above nothing is seen. One of less than nothing is
    made of minus signs."""
    if not value or most <= 0:
        return "-" if value < 0 else ""
    if value < 0:
        return "-" * max(1, min(width, round(Fraction(-value) * width / Fraction(most))))
    halves = max(1, round(Fraction(value) * width * 2 / Fraction(most)))
    if not unicode:
        return "#" * max(1, halves // 2)
    return _LINE * (halves // 2) + _HALF * (halves % 2)


def columns(
    values: Sequence[int | Decimal], height: int, *, most: int | Decimal | None = None, unicode: bool = True
) -> list[str]:
    """A column for each value, as lines from the top; each column is one character. `most` fills the height, the
    greatest value unless given; a negative value has a minus sign on the ground."""
    if most is None:
        most = max(values, default=0)
    levels = [_level(value, most, height) for value in values]
    lines = []
    for line in range(height - 1, -1, -1):
        heights = [min(8, max(0, level - line * 8)) for level in levels]
        lines.append("".join(_HEIGHTS[height] if unicode else " .:|#"[(height + 1) // 2] for height in heights))
    if lines:
        lines[-1] = "".join("-" if value < 0 else line for value, line in zip(values, lines[-1], strict=True))
    return lines


def _level(value: int | Decimal, most: int | Decimal, height: int) -> int:
    """The height of a column in eighths of a line."""
    if value <= 0 or most <= 0:
        return 0
    return max(1, round(Fraction(value) * height * 8 / Fraction(most)))


def shade(value: int | Decimal | None, most: int | Decimal, *, unicode: bool = True) -> str:
    """A sign for a value, the darker the more; a blank where there is none."""
    if value is None:
        return " "
    shades = _SHADES if unicode else _PLAIN_SHADES
    if value <= 0 or most <= 0:
        return shades[0]
    return shades[min(4, 1 + int(Fraction(value) * 4 / Fraction(most)))]


def change(now: Decimal, before: Decimal) -> str:
    """The change from one amount to another in per cent: +12 %; '' where there is nothing to compare with."""
    if not before:
        return ""
    percent = round((now - before) * 100 / before)
    return f"{percent:+d} %" if abs(percent) < 10_000 else ("much more" if percent > 0 else "much less")
