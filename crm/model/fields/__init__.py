"""Checks of fields: how a value is read when it is typed, shown to people, and written as text.

A check turns what a person typed into a value or raises FieldError with the reason in a sentence.
"""

from crm.model.fields.addresses import ClientPhone, Country, ElectronicAddress, Email, Phone
from crm.model.fields.checks import (
    Check,
    Choice,
    Extra,
    Flag,
    Id,
    Line,
    NameOf,
    Person,
    Prose,
    Secret,
    Tags,
    Whole,
    forbidden_character,
    visible,
)
from crm.model.fields.days import FOREVER, Birthday, Day, TimeOfDay
from crm.model.fields.figures import Balance, ExactPrice, LinePrice, Price, Quantity, Rate, Unit, Units
from crm.model.fields.money import Amount
from crm.model.money import LARGEST_AMOUNT

__all__ = [
    "FOREVER",
    "LARGEST_AMOUNT",
    "Amount",
    "Balance",
    "Birthday",
    "Check",
    "Choice",
    "ClientPhone",
    "Country",
    "Day",
    "ElectronicAddress",
    "Email",
    "ExactPrice",
    "Extra",
    "Flag",
    "Id",
    "Line",
    "LinePrice",
    "NameOf",
    "Person",
    "Phone",
    "Price",
    "Prose",
    "Quantity",
    "Rate",
    "Secret",
    "Tags",
    "TimeOfDay",
    "Unit",
    "Units",
    "Whole",
    "forbidden_character",
    "visible",
]
