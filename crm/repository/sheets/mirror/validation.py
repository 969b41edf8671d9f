"""Validation of records that were read from the sheet, and the words for what cannot be used."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from crm.errors import CRMError, FieldError, RuleError
from crm.model import Client, Conventions, Record, Setting, StatusRule, View
from crm.model.fields import Id
from crm.repository import Query, tables
from crm.repository.query import selection
from crm.repository.sheets.grid.cells import FORMULA_FAILS

SettingCheck = Callable[[str, str, Conventions], Any]
NO_NAME = "give a name"
NOT_READ = "this column is the program's own; what is written here is not read"


# What a person types as a percentage or a time of day is less than this, and a date is a number of these days (from
# 1954 to 2119).
PARTS = 10
DAYS = (20_000, 80_000)
_AGAIN = "and type the amount again"


def no_amount(what: str) -> str:
    """The problem of a cell that holds something else than its field, for an amount a date or a percentage; or whose
    formula fails."""
    return what if what == FORMULA_FAILS else f"this is {what} for Google; choose Format, Number, Automatic, {_AGAIN}"


def is_no_amount(problem: str) -> bool:
    """Return whether a problem is that of such a cell."""
    return problem.startswith("this is ") and problem.endswith(_AGAIN)


def is_typed_again(problem: str, number: float) -> bool:
    """Return whether a number is not what a cell held in which something else than an amount was found."""
    if problem.startswith("this is a date "):
        return not DAYS[0] <= number <= DAYS[1]
    return abs(number) >= PARTS


# Texts in which zeros in front count, and which Google makes numbers of where somebody types them.
CODES = frozenset(("buyer_reference", "postcode", "reference", "tax_id"))
_TYPE_AS_TEXT = "choose Format, Number, Plain text, and type it again"
ZEROS_DROPPED = f"Google has dropped the zeros in front; {_TYPE_AS_TEXT}"
MAY_LACK_ZEROS = f"this is a number for Google, which drops zeros in front; {_TYPE_AS_TEXT}"
# Where every postcode is five digits; a number of four has lost a zero.
_FIVE_DIGITS = frozenset(("DE", "ES", "FI", "FR", "IT", "MX", "US"))


def is_number(cell: Any) -> bool:
    """Return whether a cell holds a number."""
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def lacks_zeros(cell: Any, values: Mapping[str, Any], by: Conventions) -> bool:
    """Return whether the postcode among the values of a client is a number that has lost zeros."""
    country = values.get("country") or by.country
    return is_number(cell) and country in _FIVE_DIGITS and len(values.get("postcode", "")) in (3, 4)


def has_zeros(text: Any) -> bool:
    """Return whether Google would drop zeros in front of a text that somebody types."""
    return isinstance(text, str) and text.startswith("0") and text.isdecimal() and len(text) > 1


def refuse_lost_zeros(known: Any, cell: Any) -> None:
    """Raise FieldError for a number where a text with zeros in front stood: Google has dropped them."""
    if is_number(cell) and has_zeros(known) and int(known) == cell:
        raise FieldError(f"Google has made a number of “{known}”; {_TYPE_AS_TEXT}")


def id_is_gone(record_id: int) -> str:
    """The problem of a row whose id is missing and known by its stamp alone."""
    return f"the ID of this row is {record_id}; write it into this cell"


def missing_record(link: Id, record_id: int) -> str:
    """The problem of a record that links to a missing one, as a sale of a deleted client."""
    return f"no {link.record} {record_id or ''}".rstrip()


def refuse_unsound(record: Record, by: Conventions, check_setting: SettingCheck) -> None:
    """Raise a CRMError where a rule, a view or a setting as a whole cannot be used."""
    match record:
        case StatusRule():
            from crm.rules import checked_status, rule_text, split_rule

            for name, text in (("status", record.status), ("when", record.when)):
                try:
                    checked_status(text) if name == "status" else split_rule(rule_text(record.status, text))
                except RuleError as error:
                    raise FieldError(error.reason.rstrip("."), field=name) from error
        case View():
            if not record.name:
                raise FieldError("a view needs a name", field="name")
            for name, query in (("condition", Query(where=record.condition)), ("sort", Query(sort=record.sort))):
                try:
                    selection(select(tables.client.c.id), Client, query, by.clock)
                except (FieldError, RuleError) as error:
                    raise FieldError(error.reason, field=name) from error
        case Setting():
            if not record.key:
                raise FieldError("a setting needs a name", field="key")
            check_setting(record.key, record.value, by)


def reason_of(error: CRMError) -> str:
    """The reason why a cell is not taken, for a finding, which ends the sentence itself."""
    if isinstance(error, FieldError):
        return error.reason
    return error.sentence.splitlines()[0].rstrip(".").removesuffix(". Nothing was changed")
