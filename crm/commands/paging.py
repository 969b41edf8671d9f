"""The limit and the offset of a list: all of it is given, unless a limit says otherwise."""

from typing import Annotated

from crm.commands.registry import About
from crm.model.fields import Whole

Limit = Annotated[int, Whole(), About("Limit", "how many at most; 0 for all")]
Offset = Annotated[int, Whole(), About("Offset", "how many to skip")]

# More than any list holds.
_ALL = 2**31 - 1


def most(limit: int) -> int:
    """The number of rows that a limit allows."""
    return limit or _ALL
