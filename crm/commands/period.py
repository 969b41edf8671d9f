"""The first and the last day of what a command lists or counts, both of them included."""

from datetime import date
from typing import Annotated

from crm.commands.registry import About
from crm.errors import FieldError
from crm.model.fields import Day

Since = Annotated[date | None, Day(of_period="first"), About("Since", "the first day")]
Until = Annotated[date | None, Day(of_period="last", or_later=True), About("Until", "the last day")]


def in_order(since: date | None, until: date | None) -> None:
    """Raise FieldError where the last day is before the first."""
    if since and until and until < since:
        raise FieldError("the last day is before the first", field="until", label="Until")
