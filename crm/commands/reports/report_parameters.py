"""The parameters of most reports: a period and its parts, how many rows, and the file to write to."""

from datetime import date
from pathlib import Path
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.list_parameters import in_order
from crm.commands.registry import About
from crm.model.fields import Choice, Day, Whole

ENDINGS = (".xlsx", ".csv", ".json", ".png", ".svg")

Until = Annotated[date | None, Day(of_period="last"), About("Until", "the last day, today by default")]
Top = Annotated[int, Whole(1, 10_000), About("Top", "how many to name; the others share one row")]
To = Annotated[Path | None, About("To file", "the format: .xlsx, .csv, .json, .png or .svg", makes=ENDINGS)]
# How many of them are shown without a first day.
SHOWN = {"month": 12, "quarter": 8, "year": 5}
_PARTS = {"month": "Months", "quarter": "Quarters", "year": "Years"}
By = Annotated[str, Choice(_PARTS), About("By", "month, quarter or year")]


def last_day(crm: CRM, since: date | None, until: date | None) -> date:
    """The last day of a report, today unless it is given. Raises FieldError where it is before the first."""
    in_order(since, until := until or crm.today)
    return until
