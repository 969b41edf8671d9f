"""Permissions as the records declare them: by role, record and operation, and the fields that are hidden from some."""

from collections.abc import Callable, Mapping

from crm.lean_dataclass import dataclass
from crm.model.kind import ALL, EVERYTHING, NONE, NOTHING, OWN, Level, May, Rights
from crm.model.record import Record
from crm.model.registry import BY_NAME, RECORDS, links

__all__ = [
    "ADMIN", "ALL", "AREAS", "CHECK", "CLIENT", "CREATE", "DELETE", "HISTORY", "INTERNAL", "KEY", "MASKED", "NONE",
    "OPERATIONS", "OWN", "OWNED_BY", "OWNER", "OWNER_ROLE", "OWN_CHANGES", "OWN_WHERE", "PART_OF", "PERSONAL", "READ",
    "RIGHTS", "SEALED", "SECRET", "STAFF", "STORE", "UPDATE",
    "Level", "Reader", "hidden", "hidden_of_others", "level", "past_level", "refusal",
]  # fmt: skip

READ, CREATE, UPDATE, DELETE = "read", "create", "update", "delete"
OPERATIONS = (READ, CREATE, UPDATE, DELETE)

# What rights are about: the records by the name of their kind, and what is no record. To update the history is to
# take a change back (each thing that comes of it needs its own right); to read the whole store is to export, copy and
# back it up as it is, to update it is to replace, set up or connect one.
HISTORY, STORE, CHECK = "history", "store", "check"
AREAS: Mapping[str, str] = {
    **{record.kind_name: record.about.rights.words or record.plural for record in RECORDS},
    HISTORY: "the history",
    STORE: "the whole store",
    CHECK: "the check of the store",
}

OWNER_ROLE, ADMIN, STAFF, CLIENT = "owner", "admin", "staff", "client"
# How the role of a key begins; behind it stands what the key may (`MachineKey.may`).
KEY = "key "

Row = Mapping[str, Level]


def _rows(of_record: Callable[[Rights], May], others: Mapping[str, May]) -> Mapping[str, Row]:
    """The rights of a role, by area and operation."""
    granted = {record.kind_name: of_record(record.about.rights) for record in RECORDS}
    return {
        area: {operation: getattr(may, operation) for operation in OPERATIONS}
        for area, may in {**granted, **others}.items()
    }


# To back up is to read the store as a whole, and none of its records by itself.
_KEY_AREAS = {HISTORY: NOTHING, STORE: NOTHING, CHECK: NOTHING}
_MAIL_AREAS, _BACKUP_AREAS = _KEY_AREAS | {HISTORY: May(ALL)}, {STORE: May(ALL)}
_EVERYTHING = _rows(lambda _: EVERYTHING, dict.fromkeys((HISTORY, STORE, CHECK), EVERYTHING))
RIGHTS: Mapping[str, Mapping[str, Row]] = {
    OWNER_ROLE: _EVERYTHING,
    ADMIN: _EVERYTHING,
    STAFF: _rows(lambda rights: rights.staff, {HISTORY: May(ALL, update=ALL), STORE: NOTHING, CHECK: May(ALL)}),
    CLIENT: _rows(lambda rights: rights.client, dict.fromkeys((HISTORY, STORE, CHECK), NOTHING)),
    f"{KEY}mail": _rows(lambda rights: rights.mail_key, _MAIL_AREAS),
    f"{KEY}backup": _rows(lambda _: NOTHING, _KEY_AREAS | _BACKUP_AREAS),
    f"{KEY}mail+backup": _rows(lambda rights: rights.mail_key, _MAIL_AREAS | _BACKUP_AREAS),
}


def _named(of_record: Callable[[Rights], tuple[str, ...]]) -> Mapping[str, frozenset[str]]:
    """The fields that records name, by the kinds that name any."""
    named = {record.kind_name: frozenset(of_record(record.about.rights)) for record in RECORDS}
    return {kind: names for kind, names in named.items() if names}


# What each of these means is where it is declared (`crm.model.kind.Rights`).
SECRET, PERSONAL = _named(lambda rights: rights.secret), _named(lambda rights: rights.personal)
# What lets people in is sealed, and in a spreadsheet nothing is taken of what is done to it by hand.
SEALED: tuple[type[Record], ...] = tuple(record for record in RECORDS if record.kind_name in SECRET)
INTERNAL, MASKED = _named(lambda rights: rights.internal), _named(lambda rights: rights.secret + rights.masked)
OWNED_BY: Mapping[str, tuple[str, str]] = {
    record.kind_name: owned_by for record in RECORDS if (owned_by := record.about.rights.owned_by)
}
OWN_WHERE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    record.kind_name: where for record in RECORDS if (where := record.about.rights.own_where)
}
# The kinds of records that are parts of others: the field that links, and the kind that it links to.
PART_OF: Mapping[str, tuple[str, type[Record]]] = {
    record.kind_name: (name, BY_NAME[links(record)[name].record])
    for record in RECORDS
    if (name := record.about.rights.part_of)
}
OWN_CHANGES: Mapping[str, Mapping[str, frozenset[str] | None]] = {
    record.kind_name: changes for record in RECORDS if (changes := record.about.rights.own_changes)
}


@dataclass(frozen=True, slots=True)
class Reader:
    """The reader of a store: the id of the account, its role, the client whose account it is (0 for none), and the name
    that is in the history. A key has no account."""

    user: int
    role: str
    client: int
    name: str


# The person at a store without accounts, who may do everything.
OWNER = Reader(0, OWNER_ROLE, 0, "")


def level(role: str, area: str, operation: str) -> Level:
    """The level of a role's right to do something with a kind of record or an area; nowhere where the table does not
    say."""
    return RIGHTS.get(role, {}).get(area, {}).get(operation, NONE)


def hidden(role: str, kind: str) -> frozenset[str]:
    """The fields of a kind of record that are blank for a role."""
    secret = SECRET.get(kind, frozenset())
    is_team = role in (OWNER_ROLE, ADMIN, STAFF) or role.startswith(KEY)
    return secret if is_team else secret | INTERNAL.get(kind, frozenset())


def hidden_of_others(role: str, kind: str) -> frozenset[str]:
    """The fields that are blank for a role besides, where a record is not the reader's own."""
    return frozenset() if role in (OWNER_ROLE, ADMIN) else PERSONAL.get(kind, frozenset())


def past_level(role: str, kind: str) -> Level:
    """The level at which a role sees in the history what was done to a kind of record: where some of it is personal,
    only to its own."""
    current = level(role, kind, READ)
    return OWN if current is ALL and hidden_of_others(role, kind) else current


_VERBS: Mapping[str, str] = {READ: "see", CREATE: "add", UPDATE: "change", DELETE: "delete"}
_IN_WORDS: Mapping[tuple[str, str], str] = {
    (HISTORY, UPDATE): "undo changes",
    (STORE, READ): "export, copy or back up the whole store",
    (STORE, UPDATE): "replace, set up or connect a whole store",
    (CHECK, READ): "check the store",
}


def refusal(area: str, operation: str) -> str:
    """The refusal of an action: who may, and that nothing was changed."""
    who = "staff" if level(STAFF, area, operation) is ALL else "an admin"
    action = _IN_WORDS.get((area, operation), f"{_VERBS[operation]} {AREAS[area]}")
    return f"Only {who} can {action}." + ("" if operation == READ else " Nothing was changed.")
