"""Cells as the program writes them, read back."""

from datetime import date

import pytest

from crm.model import Sale
from crm.repository.sheets.grid import cells
from crm.repository.sheets.grid.layout import columns


def test_a_tick_box_is_no_day_whatever_was_read_before() -> None:
    read = cells.READERS[Sale][columns(Sale).index("on")]
    assert read(1) == date(1899, 12, 31)
    with pytest.raises(ValueError):  # noqa: PT011 - it says nothing else
        read(True)
