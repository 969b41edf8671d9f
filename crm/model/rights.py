"""Who may do what: one table of role, record and operation, and which fields nobody or not everybody sees."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How far a right goes: to all records, to those that are one's own, or nowhere."""

    ALL = "all"
    OWN = "own"
    NONE = "none"


ALL, OWN, NONE = Level.ALL, Level.OWN, Level.NONE

READ, CREATE, UPDATE, DELETE = "read", "create", "update", "delete"
OPERATIONS = (READ, CREATE, UPDATE, DELETE)

# What rights are about: the records by the name of their kind, and what is no record. To update the history is to
# take a change back (each thing that comes of it needs its own right); to read the whole store is to export, copy and
# back it up as it is, to update it is to replace, set up or connect one.
HISTORY, STORE, CHECK = "history", "store", "check"
AREAS: Mapping[str, str] = {
    "client": "clients",
    "sale": "sales",
    "contact": "contacts",
    "interaction": "interactions",
    "follow_up": "follow-ups",
    "deal": "deals",
    "stage": "stages",
    "stage_move": "moves of deals",
    "template": "templates",
    "mailing": "mailings",
    "message": "messages",
    "rule": "status rules",
    "view": "views",
    "dashboard": "other people's dashboards",
    "setting": "settings",
    "user": "accounts",
    "sign_in": "sign-ins",
    HISTORY: "the history",
    STORE: "the whole store",
    CHECK: "the check of the store",
}

OWNER_ROLE, ADMIN, STAFF, CLIENT = "owner", "admin", "staff", "client"

Row = Mapping[str, Level]


def _row(read: Level, create: Level, update: Level, delete: Level) -> Row:
    return dict(zip(OPERATIONS, (read, create, update, delete), strict=True))


_EVERYTHING: Mapping[str, Row] = {area: _row(ALL, ALL, ALL, ALL) for area in AREAS}

# fmt: off
RIGHTS: Mapping[str, Mapping[str, Row]] = {
    OWNER_ROLE: _EVERYTHING,
    ADMIN: _EVERYTHING,
    STAFF: {
        #               read  create update delete
        "client":  _row(ALL,  ALL,   ALL,   NONE),
        "sale":    _row(ALL,  ALL,   ALL,   ALL),
        "contact":     _row(ALL, ALL,  ALL,  ALL),
        "interaction": _row(ALL, ALL,  ALL,  ALL),
        "follow_up":   _row(ALL, ALL,  ALL,  ALL),
        "deal":        _row(ALL, ALL,  ALL,  ALL),
        "stage":       _row(ALL, NONE, NONE, NONE),
        # Moves come and go with what is done to deals.
        "stage_move":  _row(ALL, ALL,  NONE, ALL),
        "template":    _row(ALL, ALL,  ALL,  ALL),
        "mailing":     _row(ALL, ALL,  ALL,  ALL),
        "message":     _row(ALL, ALL,  ALL,  ALL),
        "rule":    _row(ALL,  NONE,  NONE,  NONE),
        "view":    _row(ALL,  ALL,   ALL,   ALL),
        "dashboard": _row(OWN, OWN,  OWN,   OWN),
        "setting": _row(ALL,  NONE,  NONE,  NONE),
        "user":    _row(ALL,  NONE,  OWN,   NONE),
        "sign_in": _row(OWN,  NONE,  OWN,   NONE),
        HISTORY:   _row(ALL,  NONE,  ALL,   NONE),
        STORE:     _row(NONE, NONE,  NONE,  NONE),
        CHECK:     _row(ALL,  NONE,  NONE,  NONE),
    },
    CLIENT: {
        #               read  create update delete
        "client":  _row(OWN,  NONE,  NONE,  NONE),
        "sale":    _row(OWN,  NONE,  NONE,  NONE),
        "contact":     _row(OWN,  NONE, NONE, NONE),
        "interaction": _row(NONE, NONE, NONE, NONE),
        "follow_up":   _row(NONE, NONE, NONE, NONE),
        "deal":        _row(NONE, NONE, NONE, NONE),
        "stage":       _row(NONE, NONE, NONE, NONE),
        "stage_move":  _row(NONE, NONE, NONE, NONE),
        "template":    _row(NONE, NONE, NONE, NONE),
        "mailing":     _row(NONE, NONE, NONE, NONE),
        "message":     _row(NONE, NONE, NONE, NONE),
        "rule":    _row(NONE, NONE,  NONE,  NONE),
        "view":    _row(NONE, NONE,  NONE,  NONE),
        "dashboard": _row(NONE, NONE, NONE, NONE),
        "setting": _row(ALL,  NONE,  NONE,  NONE),
        "user":    _row(OWN,  NONE,  OWN,   NONE),
        "sign_in": _row(OWN,  NONE,  OWN,   NONE),
        HISTORY:   _row(NONE, NONE,  NONE,  NONE),
        STORE:     _row(NONE, NONE,  NONE,  NONE),
        CHECK:     _row(NONE, NONE,  NONE,  NONE),
    },
}
# fmt: on

# What lets somebody in is blank for everybody, and only `crm.accounts` writes it.
SECRET: Mapping[str, frozenset[str]] = {
    "user": frozenset(("password", "second_factor", "seal")),
    "sign_in": frozenset(("token",)),
}
# Of the accounts of others staff see who is called so and what they may do: the rest is blank.
PERSONAL: Mapping[str, frozenset[str]] = {"user": frozenset(("email", "phone", "must_change"))}
# What a team notes down for itself: blank for whom it is about.
INTERNAL: Mapping[str, frozenset[str]] = {
    "client": frozenset(
        (
            "tags", "source", "owner", "owner_id", "notes", "extra",
            "status_reason", "status_pinned_until", "status_before", "status_since",
            "last_contact_on", "next_follow_up_on",
        )
    ),
    "sale": frozenset(("note", "deal", "user", "user_id")),
    "contact": frozenset(("notes",)),
}  # fmt: skip

# Which field of a record says whose it is, and what of the reader it is compared with.
OWNED_BY: Mapping[str, tuple[str, str]] = {
    "client": ("id", "client"),
    "sale": ("client", "client"),
    "contact": ("client", "client"),
    "dashboard": ("user_id", "user"),
    "user": ("id", "user"),
    "sign_in": ("user", "user"),
}
# Of one's own record only these fields may be changed, to these values (None: any): nobody gives rights to themselves.
OWN_CHANGES: Mapping[str, Mapping[str, frozenset[str] | None]] = {
    "dashboard": {"tiles": None},
    "user": {"name": None, "phone": None},
    "sign_in": {"state": frozenset(("ended",))},
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a store is shown to: the id of the account, its role, the client whose account it is (0 for none), and the
    name that stands in the history."""

    user: int
    role: str
    client: int
    name: str


# The person at a store without accounts, who may do everything.
OWNER = Reader(0, OWNER_ROLE, 0, "")


def level(role: str, area: str, operation: str) -> Level:
    """How far a role may do something with a kind of record or an area; nowhere where the table does not say."""
    return RIGHTS.get(role, {}).get(area, {}).get(operation, NONE)


def hidden(role: str, kind: str) -> frozenset[str]:
    """The fields of a kind of record that are blank for a role."""
    secret = SECRET.get(kind, frozenset())
    return secret if role in (OWNER_ROLE, ADMIN, STAFF) else secret | INTERNAL.get(kind, frozenset())


def hidden_of_others(role: str, kind: str) -> frozenset[str]:
    """The fields that are blank for a role besides, where a record is not the reader's own."""
    return frozenset() if role in (OWNER_ROLE, ADMIN) else PERSONAL.get(kind, frozenset())


def past_level(role: str, kind: str) -> Level:
    """How far a role sees in the history what was done to a kind of record: where some of it is personal, only to its
    own."""
    found = level(role, kind, READ)
    return OWN if found is ALL and hidden_of_others(role, kind) else found


_VERBS: Mapping[str, str] = {READ: "see", CREATE: "add", UPDATE: "change", DELETE: "delete"}
_IN_WORDS: Mapping[tuple[str, str], str] = {
    (HISTORY, UPDATE): "take changes back",
    (STORE, READ): "export, copy or back up the whole store",
    (STORE, UPDATE): "replace, set up or connect a whole store",
    (CHECK, READ): "check the store",
}


def refusal(area: str, operation: str) -> str:
    """A sentence for whoever may not do something: who may, and that nothing was changed."""
    who = "staff" if level(STAFF, area, operation) is ALL else "an admin"
    what = _IN_WORDS.get((area, operation), f"{_VERBS[operation]} {AREAS[area]}")
    return f"Only {who} can {what}." + ("" if operation == READ else " Nothing was changed.")
