"""The parameters of lists and counts: the first and the last day (included), the order, the limit and the offset."""

from datetime import date
from typing import Annotated

from crm.commands.registry import About
from crm.errors import FieldError
from crm.model.fields import Day, Line, Whole

Since = Annotated[date | None, Day(of_period="first"), About("Since", "the first day")]
Until = Annotated[date | None, Day(of_period="last", or_later=True), About("Until", "the last day")]
Sort = Annotated[str, Line(60), About("Sort by", "a field; put - before it to reverse")]
Limit = Annotated[int, Whole(), About("Limit", "how many at most; 0 for all")]
Offset = Annotated[int, Whole(), About("Offset", "how many to skip")]

# More than any list holds.
_ALL = 2**31 - 1


def most(limit: int) -> int:
    """The number of rows that a limit allows: all, unless it says otherwise."""
    return limit or _ALL


def in_order(since: date | None, until: date | None) -> None:
    """Raise FieldError where the last day is before the first."""
    if since and until and until < since:
        raise FieldError("the last day is before the first", field="until", label="Until")
