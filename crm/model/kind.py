"""The declaration of a kind of record, from which tables, tabs, rights, exports, lists and look-ups are derived."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, field
from enum import Enum
from typing import Any, Literal

from crm.lean_dataclass import dataclass


class Level(Enum):
    """The reach of a right: all records, the user's own, or none."""

    ALL = "all"
    OWN = "own"
    NONE = "none"


ALL, OWN, NONE = Level.ALL, Level.OWN, Level.NONE


@dataclass(frozen=True, slots=True)
class May:
    """The rights of a role to read, create, update and delete the records of a kind."""

    read: Level = NONE
    create: Level = NONE
    update: Level = NONE
    delete: Level = NONE


EVERYTHING, READ_ALL, READ_OWN, NOTHING = May(ALL, ALL, ALL, ALL), May(ALL), May(OWN), May()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rights:
    """The rights to the records of a kind; owners and admins may do everything. `mail_key` are those of a key by which
    mail is sent and fetched unattended.

    `words` is what a refusal calls them, the plural if empty. `owned_by` is the field that says whose a record is, and
    what of the reader it is compared with: 'client' (whose account it is) or 'user' (the account). Of one's own record
    only `own_changes` may be changed, to these values (None: any): nobody gives rights to themselves.

    `secret` fields let somebody in: they are blank for everybody, and only `crm.accounts` writes them; `masked` ones
    are read, but the history does not keep what was in them. With `own_where`, somebody who may see only what is theirs
    sees only records with one of these values in these fields. A record that is `part_of` another one, by the field
    that links to it, is visible to everybody who sees that one. `personal` fields are blank for staff where the record
    is another person's. `internal` fields are what a team notes down for itself: blank for clients.
    """

    staff: May = NOTHING
    client: May = NOTHING
    mail_key: May = NOTHING
    words: str = ""
    owned_by: tuple[str, Literal["client", "user"]] | None = None
    own_where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    part_of: str = ""
    own_changes: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    secret: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sum:
    """A field of another record that follows from the records of this kind: the record is the one that the field `onto`
    links to, `name` the field there. It is the sum, the count, the least or the greatest of the field `of`, over those
    that fit `where`: each field has one of these values, or is empty (None). `team_currency` leaves out those in
    another currency than that of the team.

    No client feeds a sum, and none goes by a status: those are written after the sums."""

    name: str
    function: Literal["sum", "count", "min", "max"]
    of: str = "id"
    onto: str = "client"
    where: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    team_currency: bool = False

    def counts(self, record: Any) -> bool:
        """Return whether a record is one of those that are summed."""
        for name, values in self.where.items():
            value = getattr(record, name)
            if value is not None if values is None else value not in values:
                return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tab:
    """The tab of a spreadsheet. Its `number` is fixed, so that it is found whatever people call it and wherever they
    move it; the tabs of a new spreadsheet are in that order.

    `title` is the plural if empty. `first` are the columns that people look at first; the rest follows as the record
    has it. `rows` is how many a new tab has, `since` the format of the spreadsheet that has it first.
    """

    number: int
    title: str = ""
    hidden: bool = False
    colour: str = "8a8f98"
    rows: int = 30
    first: tuple[str, ...] = ()
    hidden_columns: tuple[str, ...] = ()
    since: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Export:
    """The table of an export: its place among the tables, and the fields that nobody else has a use for."""

    place: int = 100
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Indexed:
    """An index that is over more than plain `columns`: where it is `folded`, over the first of them whatever its case,
    as a list is narrowed by a text; of the rows only those in which the column `given` says something, or in which
    `where` has its value. `since` is the format of a store that has it as it is now."""

    columns: tuple[str, ...]
    _: KW_ONLY
    folded: bool = False
    given: str = ""
    where: tuple[str, str | int] | None = None
    since: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """A column that only serves finding and sorting records: the text that `make` gives of the values of its source
    fields (`of`), of `length` at most (0 for any), recomputed whenever one of them is written."""

    of: tuple[str, ...]
    make: Callable[..., str]
    length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effects:
    """The effects of a record that is written, beside the sums that it feeds; each by the field that says on which
    record.

    `reviews` is the client whose status is reviewed, even where its sums stay the same: whenever anything is written,
    or one of the fields in `reviewed_by`. `spends` is the client whose total it is a part of in a store where paid
    invoices make the total, and `bills` the invoice whose figures follow from it. A record in which the field
    `recounts_by` is one of `recounts` says what the figures of all clients are made of: they are recomputed."""

    reviews: str = ""
    reviewed_by: frozenset[str] = frozenset()
    spends: str = ""
    bills: str = ""
    recounts_by: str = ""
    recounts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """The declaration of a kind of record, beside its fields.

    `noun` is what people write where it is not the name with blanks. `place` says where it stands wherever the kinds
    are listed, as in a dump; those without one come last, and each comes after the kinds that it links to. `needs` are
    the fields without which a row of a spreadsheet is no record; no store keeps a record in which one of them is empty,
    but for those in `may_be_empty`. `called` is the field that people call a record by, `order` the order of a list
    when none is asked for, `day` the field that a period is about.

    `follows` are fields that the record itself says: each is recomputed from the others whenever one is written;
    `effects` are on other records.

    `unique` fields are texts, whole numbers or days that are unique where given, in a database and in a spreadsheet,
    and a record is found by them. `derived` are columns beside the fields; `indexes` are those of its table by the end
    of their names; `since` is the format of a store that has the table first.

    A record that is `lasting` is only deleted on purpose: to take back the change that added it, to restore a backup
    that does not hold it, or to delete its row in a spreadsheet leaves it there. It needs a `unique` field.
    """

    name: str
    plural: str
    _: KW_ONLY
    tab: Tab
    noun: str = ""
    place: int = 1000
    needs: tuple[str, ...] = ()
    may_be_empty: tuple[str, ...] = ()
    called: str = ""
    order: tuple[str, ...] = ("id",)
    day: str = ""
    unique: tuple[str, ...] = ()
    derived: Mapping[str, Derived] = field(default_factory=dict)
    indexes: Mapping[str, tuple[str, ...] | Indexed] = field(default_factory=dict)
    sums: tuple[Sum, ...] = ()
    follows: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    effects: Effects = Effects()
    rights: Rights = Rights()
    export: Export | None = None
    lasting: bool = False
    since: int = 1
