"""The order of a list, and its limit and offset: all of it is given, unless a limit says otherwise."""

from typing import Annotated

from crm.commands.registry import About
from crm.model.fields import Line, Whole

Sort = Annotated[str, Line(60), About("Sort by", "a field; put - before it to reverse")]
Limit = Annotated[int, Whole(), About("Limit", "how many at most; 0 for all")]
Offset = Annotated[int, Whole(), About("Offset", "how many to skip")]

# More than any list holds.
_ALL = 2**31 - 1


def most(limit: int) -> int:
    """The number of rows that a limit allows."""
    return limit or _ALL
