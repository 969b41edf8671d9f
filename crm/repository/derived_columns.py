"""Derived columns: what stands beside the fields of a record and only serves finding and sorting it."""

from collections.abc import Mapping

from crm.model import Client, Contact, Record
from crm.model.folding import fold


def derived_columns(record: Record) -> dict[str, str]:
    """The columns of a record that only serve finding and sorting.

    Of a client `sort_name` is the last name first; `search_rest` holds what else it is found by.
    """
    if isinstance(record, Contact):
        return {"search_name": fold(" ".join(filter(None, (record.name, record.email, record.phone))))}
    if not isinstance(record, Client):
        return {}
    if record.kind == "company":
        sort_name = f"{record.company} {record.last_name} {record.first_name}"
    else:
        # Chinese, Japanese and Korean names are written, and looked for, as one word.
        between = "" if record.last_name[:1] >= "\u2e80" else " "
        sort_name = f"{record.last_name}{between}{record.first_name} {record.company}"
    rest = (record.email, record.phone, *record.tags, record.reference, record.city)
    return {
        "sort_name": fold(sort_name).strip(),
        "search_name": fold(f"{record.first_name} {record.last_name} {record.company}").strip(),
        "search_rest": fold(" ".join(filter(None, rest))),
        "birthday": f"{born.month:02}-{born.day:02}" if (born := record.date_of_birth) else "",
    }


# What `derived_columns` is made from: a change of anything else leaves them as they are.
DERIVED_FROM: Mapping[type[Record], frozenset[str]] = {
    Client: frozenset(
        ("kind", "first_name", "last_name", "company", "email", "phone", "tags", "reference", "city", "date_of_birth")
    ),
    Contact: frozenset(("name", "email", "phone")),
}
