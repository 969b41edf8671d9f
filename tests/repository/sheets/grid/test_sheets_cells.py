"""Cells as the program writes them, read back."""

from datetime import date

import pytest

from crm.model import Client, Record, Sale, SignIn
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.layout import columns


def test_a_checkbox_is_never_read_as_a_day() -> None:
    read = cells.READERS[Sale][columns(Sale).index("on")]
    assert read(1) == date(1899, 12, 31)
    with pytest.raises(ValueError):  # noqa: PT011 - it says nothing else
        read(True)


@pytest.mark.parametrize("typed", [1e300, -1e300, 1e18, "9" * 20, "9" * 30, "9" * 5000])
@pytest.mark.parametrize(
    ("kind", "name"), [(Sale, "client"), (Sale, "amount"), (Client, "sales_count"), (SignIn, "user")]
)
def test_a_number_out_of_range_is_refused(kind: type[Record], name: str, typed: object) -> None:
    read = cells.READERS[kind][columns(kind).index(name)]
    assert read(12) == 12
    with pytest.raises((ValueError, ArithmeticError)):
        read(typed)
