"""Bars and columns of blocks, in as many columns of the terminal as there are."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = " ▁▂▃▄▅▆▇█"


def bar(value: int | Decimal, most: int | Decimal, width: int, *, unicode: bool = True) -> str:
    """A bar for a value, `width` long for the greatest; anything above nothing is seen."""
    if not value or not most:
        return ""
    eighths = max(1, round(Fraction(value) * width * 8 / Fraction(most)))
    if not unicode:
        return "#" * max(1, eighths // 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def columns(values: Sequence[Decimal], height: int, *, unicode: bool = True) -> list[str]:
    """A column for each value, as lines from the top; each column is one character."""
    most = max(values, default=Decimal(0))
    if not most:
        return [" " * len(values)] * height
    levels = [0 if not value else max(1, round(Fraction(value) * height * 8 / Fraction(most))) for value in values]
    lines = []
    for line in range(height - 1, -1, -1):
        heights = [min(8, max(0, level - line * 8)) for level in levels]
        lines.append("".join(_HEIGHTS[each] if unicode else " .:|#"[(each + 1) // 2] for each in heights))
    return lines


def change(now: Decimal, before: Decimal) -> str:
    """The change from one amount to another in per cent: +12 %; '' where there is nothing to compare with."""
    if not before:
        return ""
    percent = round((now - before) * 100 / before)
    return f"{percent:+d} %" if abs(percent) < 10_000 else ("much more" if percent > 0 else "much less")
