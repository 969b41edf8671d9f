"""Units: read as words, abbreviations or codes, the same in a form and in a typed line, and printed as
abbreviations."""

from decimal import Decimal

import pytest

from crm.errors import FieldError
from crm.invoicing.typed_lines import read_line
from crm.model import Conventions
from crm.model.fields import Unit
from crm.model.units import unit_beside
from tests.support.clocks import TODAY, standing_on

BY = Conventions("en_US", "EUR", "AT", standing_on(TODAY))


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("hour", "HUR"), ("Std", "HUR"), ("std.", "HUR"), ("HUR", "HUR"), ("Tag", "DAY"), ("TAGE", "DAY"),
        ("d\u00eda", "DAY"), ("ea", "C62"), ("EA", "EA"), ("PCS", "C62"), ("St\u00fcck", "C62"), ("H87", "H87"),
        ("sqm", "MTK"), ("m2", "MTK"), ("m\u00b2", "MTK"), ("m", "MTR"), ("kg", "KGM"), ("t", "TNE"), ("LS", "LS"),
        ("pauschal", "LS"), ("%", "P1"),
    ],
)  # fmt: skip
def test_a_form_and_a_typed_line_take_the_same_units(typed: str, code: str) -> None:
    assert Unit().read(typed, BY) == code
    assert read_line(f"2 {typed} Work 10", BY).unit == code


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", ""), ("flat", "LS"), ("square metres", "MTK"), ("lump sum", "LS"), ("M", "MTR"), ("hur", "HUR"),
     ("xbx", "XBX"), ("NAR", "NAR"), (" Hour ", "HUR")],
)  # fmt: skip
def test_a_form_also_accepts_units_that_a_line_reads_as_part_of_the_name(typed: str, code: str) -> None:
    assert Unit().read(typed, BY) == code
    assert read_line(f"2 {typed or 'Work'} Work 10", BY).unit in (code, "C62")


@pytest.mark.parametrize("typed", ["foo", "ABC", "Tg", "boxes", "h h", "\u0661\u0662", "HURX", "1" * 400, "=1"])
def test_an_unknown_unit_is_refused_before_it_is_on_an_invoice(typed: str) -> None:
    with pytest.raises(FieldError, match="write a unit like hour"):
        Unit().read(typed, BY)


@pytest.mark.parametrize(
    ("code", "one", "more", "name"),
    [
        ("HUR", "h", "h", "hour"), ("DAY", "day", "days", "day"), ("C62", "", "", "piece"), ("H87", "", "", "H87"),
        ("", "", "", ""), ("MTK", "m\u00b2", "m\u00b2", "square metre"), ("XBX", "XBX", "XBX", "XBX"),
    ],
)  # fmt: skip
def test_a_unit_is_abbreviated_beside_a_quantity_and_written_out_in_a_list(
    code: str, one: str, more: str, name: str
) -> None:
    printed = [unit_beside(code, Decimal(quantity)) for quantity in ("1", "-1", "2", "0.5", "0")]
    assert printed == [one, one, more, more, more]
    assert Unit().show(code, BY) == name
