"""The parameters of most reports: a period, how many rows, and the file to write to."""

from datetime import date
from pathlib import Path
from typing import Annotated

from crm.commands.registry import About
from crm.errors import FieldError
from crm.model.fields import Day, Whole

ENDINGS = (".xlsx", ".csv", ".json", ".png", ".svg")

Until = Annotated[date | None, Day(of_period="last"), About("Until", "the last day, today by default")]
Top = Annotated[int, Whole(1, 10_000), About("Top", "how many to name; the others share one row")]
To = Annotated[Path | None, About("To file", "the format: .xlsx, .csv, .json, .png or .svg", makes=ENDINGS)]


def refuse_none(top: int) -> None:
    """Raise FieldError for a report that would name nobody."""
    if top < 1:
        raise FieldError("name at least one", field="top", label="Top")
