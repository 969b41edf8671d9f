"""The records of the CRM and how a field of theirs is checked; no input or output."""

from crm.model.conventions import Conventions, now
from crm.model.records import (
    BY_NAME,
    RECORDS,
    ROLES,
    Client,
    Field,
    Record,
    Sale,
    Setting,
    SignIn,
    StatusRule,
    User,
    View,
    field_names,
    fields,
    named,
    typed_fields,
)

__all__ = [
    "BY_NAME",
    "RECORDS",
    "ROLES",
    "Client",
    "Conventions",
    "Field",
    "Record",
    "Sale",
    "Setting",
    "SignIn",
    "StatusRule",
    "User",
    "View",
    "field_names",
    "fields",
    "named",
    "now",
    "typed_fields",
]
