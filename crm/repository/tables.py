"""The tables, one set for every database, and how a record becomes a row and back."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    func,
    literal,
    literal_column,
    type_coerce,
)
from sqlalchemy.dialects import registry
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable, DDLElement
from sqlalchemy.types import TypeEngine

from crm.model import (
    RECORDS,
    Client,
    Contact,
    Dashboard,
    Deal,
    Field,
    FollowUp,
    Interaction,
    Invoice,
    MachineKey,
    Mailing,
    Message,
    Payment,
    Record,
    Sale,
    Setting,
    SignIn,
    Stage,
    StageMove,
    StatusRule,
    Template,
    User,
    View,
    field_names,
    fields,
    people,
)  # fmt: skip
from crm.model.fields import (
    Amount,
    Check,
    Choice,
    Country,
    Day,
    Email,
    Extra,
    Flag,
    Id,
    Line,
    Phone,
    Tags,
    TimeOfDay,
    Whole,
)
from crm.model.kind import Indexed
from crm.model.record import derived_columns, field_values, record_of_values
from crm.repository.column_types import (
    JsonText,
    Minor,
    Moment,
    TagList,
    UniqueNumber,
    UniqueText,
    WholeNumber,
    YesNo,
    plain_text,
)
from crm.repository.sql_functions import is_yes, number_in

if TYPE_CHECKING:
    from _typeshed import SupportsGetItem

# The format of a store: the last one, or that of what a record has declared to be new since.
SCHEMA_VERSION = max(
    9, *(kind.about.since for kind in RECORDS), *(field.since for kind in RECORDS for field in fields(kind).values())
)


def version_of(written: str) -> int:
    """The format that a store says it has; 0 where it says none."""
    return int(written) if written.isdecimal() and len(written) < 10 else 0


_metadata = MetaData()


def _record_columns() -> list[Column[Any]]:
    return [
        Column("id", Integer, primary_key=True),
        Column("created_at", Moment, nullable=False),
        Column("updated_at", Moment, nullable=False),
        Column("version", WholeNumber, nullable=False),
    ]


def _text(name: str, length: int = 0) -> Column[str]:
    return Column(name, plain_text(length), nullable=False)


def _account(name: str) -> Column[int]:
    """The id of an account, 0 for none; the account may be gone."""
    return Column(name, WholeNumber, nullable=False, server_default="0")


# Text longer than this has no length of its own in a database.
_LONGEST = 2000


def _type(check: Check) -> TypeEngine[Any]:
    """The type of the column that holds the values of a field."""
    match check:
        case Amount():
            return Minor()
        case Day():
            return Date()
        case Whole() | Id():
            return WholeNumber()
        case Flag():
            return YesNo()
        case Tags():
            return TagList()
        case Extra():
            return JsonText()
        case Choice():
            return plain_text(max(10, *map(len, check.options)))
        case Country():
            return plain_text(2)
        case Email():
            return plain_text(254)
        case Phone():
            return plain_text(60)
        case TimeOfDay():
            return plain_text(5)
        case Line(longest) if longest <= _LONGEST:
            return plain_text(longest)
    return plain_text()


def _column(kind: type[Record], described: Field) -> Column[Any]:
    """The column of a field. One that an older store gets needs a value for the rows that are there."""
    name, check = described.name, described.check
    held = _type(check)
    if name in kind.about.unique and isinstance(held, String):
        # A column that an older store gets cannot be unique by itself there, see `_unique`.
        return Column(name, UniqueText(held.length), unique=described.since <= kind.about.since or None)
    if name in kind.about.unique and isinstance(held, Integer):
        return Column(name, UniqueNumber())
    if isinstance(check, Id) and check.owns:
        # What names a deal, a stage or a contact may outlive it: the number then says nothing any more.
        return Column(name, held, ForeignKey(f"{check.record}.id"), nullable=False)
    if described.optional:
        return Column(name, held)
    nothing = "" if isinstance(held, String | TagList | JsonText) else "0"
    return Column(name, held, nullable=False, server_default=nothing if described.since > kind.about.since else None)


def _unique(kind: type[Record]) -> list[Index]:
    """The indexes that hold what is unique and is not text of the first format."""
    described = [fields(kind)[name] for name in kind.about.unique]
    return [
        Index(f"{kind.kind_name}_unique_{field.name}", field.name, unique=True)
        for field in described
        if not isinstance(_type(field.check), String) or field.since > kind.about.since
    ]


def _index(table: Table, end: str, declared: tuple[str, ...] | Indexed) -> Index:
    """An index of a table, as its record declares it."""
    indexed = declared if isinstance(declared, Indexed) else Indexed(declared)
    columns: list[ColumnElement[Any]] = [table.c[name] for name in indexed.columns]
    if indexed.folded:
        # As `sql_functions.is_text` asks for it.
        columns[0] = func.lower(columns[0])
    return Index(f"{table.name}_{end}", *columns, sqlite_where=_rows_of(table, indexed))


def _rows_of(table: Table, indexed: Indexed) -> ColumnElement[bool] | None:
    """The rows that an index holds; None for all."""
    if indexed.where:
        name, value = indexed.where
        column = table.c[name]
        return is_yes(column) if isinstance(column.type, YesNo) else column == value
    if not indexed.given:
        return None
    column = table.c[indexed.given]
    if isinstance(column.type, Date):
        return column.is_not(None)
    if isinstance(column.type, Minor):
        return type_coerce(column, Integer) != 0
    return column != 0 if isinstance(column.type, Integer) else type_coerce(column, String) != ""


def _table(kind: type[Record]) -> Table:
    """The table of a kind of record, as its declaration and its fields say."""
    described, besides = fields(kind), frozenset(people(kind).values())
    own = [name for name in field_names(kind) if name in described or name in besides]
    return Table(
        kind.kind_name,
        _metadata,
        *_record_columns(),
        *(_account(name) if name in besides else _column(kind, described[name]) for name in own),
        *(_text(name, derived.length) for name, derived in kind.about.derived.items()),
        *_unique(kind),
        # An id is never used twice, also after a deletion; a number that somebody wrote down stays true.
        sqlite_autoincrement=True,
    )


def _indexes(kind: type[Record]) -> list[Index]:
    """The indexes of a kind of record besides the unique ones, as its declaration says."""
    # The table is made here, too, where it has no such index.
    table = TABLES[kind]
    return [_index(table, end, declared) for end, declared in kind.about.indexes.items()]


Made = TypeVar("Made")
_MAKING = RLock()


class ByKind(dict[type[Record], Made]):
    """Something for each kind of record, made when it is first asked for: a command needs few of them."""

    def __init__(self, make: Callable[[type[Record]], Made]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, kind: type[Record]) -> Made:
        # Of several threads that come at once one makes it.
        with _MAKING:
            if kind not in self:
                self[kind] = self._make(kind)
            return self[kind]


TABLES: "SupportsGetItem[type[Record], Table]" = ByKind(_table)
_INDEXES = ByKind(_indexes)

# Those that this program itself refers to by name, made when they are first asked for, too.
client: Table
contact: Table
rule: Table
view: Table
interaction: Table
follow_up: Table
sale: Table
invoice: Table
payment: Table
stage: Table
deal: Table
stage_move: Table
template: Table
mailing: Table
message: Table
user: Table
sign_in: Table
key: Table
dashboard: Table
setting: Table
_NAMED: Mapping[str, type[Record]] = {
    "client": Client, "contact": Contact, "rule": StatusRule, "view": View, "interaction": Interaction,
    "follow_up": FollowUp, "sale": Sale, "invoice": Invoice, "payment": Payment, "stage": Stage, "deal": Deal,
    "stage_move": StageMove, "template": Template, "mailing": Mailing, "message": Message, "user": User,
    "sign_in": SignIn, "key": MachineKey, "dashboard": Dashboard, "setting": Setting,
}  # fmt: skip

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Table:
        if name not in _NAMED:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = table = TABLES[_NAMED[name]]
        return table


# One row a transaction: who, when, and which command; `undoes` names the one it took back.
transactions = Table(
    "transactions",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    _text("user", 254),
    _account("user_id"),
    _text("what", 500),
    Column("undoes", WholeNumber),
    Column("undone_by", WholeNumber),
    # By this a writer whose COMMIT was not answered finds out whether it arrived. Transactions of an older format have
    # none.
    Column("uid", plain_text(32)),
    sqlite_autoincrement=True,
)
TRANSACTION_BY_UID = Index("transactions_by_uid", transactions.c.uid, unique=True)

# One row a record changed. `before` and `after` hold the changed fields of an update, `before` the
# whole record of a deletion; of a creation only that it was: the row itself holds the rest.
audit = Table(
    "audit",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("transaction", WholeNumber, ForeignKey("transactions.id"), nullable=False),
    _text("record", 20),
    Column("record_id", WholeNumber, nullable=False),
    _text("operation", 10),
    Column("before", JsonText),
    Column("after", JsonText),
    Index("audit_by_record", "record_id", "record"),
    Index("audit_by_transaction", "transaction"),
)

# The history of a client, of a kind of record, and of a time. What named a client before it was deleted or moved to
# another one is found by what the entry says.
_former_client = number_in(type_coerce(audit.c.before, String), literal_column("'client'"))
HISTORY_INDEXES = (
    Index(
        "audit_by_former_client",
        _former_client,
        audit.c.record,
        audit.c.record_id,
        sqlite_where=_former_client.is_not(None),
    ),
    Index("audit_by_kind", audit.c.record, audit.c.transaction),
    Index("transactions_by_time", transactions.c.at),
)

# What the store knows of itself: schema_version, reviewed_on, store_id, roster.
store_facts = Table("store_facts", _metadata, Column("name", plain_text(40), primary_key=True), _text("value", 200))


@cache
def metadata() -> MetaData:
    """All tables with their indexes, for whoever makes them in a database: a query needs no index."""
    for kind in RECORDS:
        _INDEXES[kind]
    return _metadata


@cache
def people_columns() -> Sequence[tuple[Table, Column[Any], Column[Any]]]:
    """Everything in which somebody of the team stands by name: the table, the name, and the id of the account beside
    it."""
    return (
        *(
            (TABLES[kind], TABLES[kind].c[name], TABLES[kind].c[beside])
            for kind in RECORDS
            for name, beside in people(kind).items()
        ),
        (transactions, transactions.c.user, transactions.c.user_id),
    )


def create_all(connection: Connection, of: MetaData | None = None) -> None:
    """Make the tables, none of which may be there yet, and their indexes."""
    for statement in _statements(of or metadata(), connection.dialect.name):
        connection.exec_driver_sql(statement)


@cache
def _statements(of: MetaData, dialect: str) -> Sequence[str]:
    """The statements that create the tables, as SQL: to compile it takes longer than to carry it out."""
    spoken = registry.load(dialect)()
    return [str(statement.compile(dialect=spoken)) for statement in definitions(of, dialect)]


# MySQL and MariaDB index so many characters of a long text, and compare text letter by letter if told so, blanks at its
# end too, as SQLite does.
_INDEXED_OF_LONG_TEXT = 100
_COLLATIONS = {"mysql": "utf8mb4_0900_bin", "mariadb": "utf8mb4_nopad_bin"}


def definitions(of: MetaData, dialect: str) -> Sequence[DDLElement]:
    """The definitions of the tables and their indexes in a database, with what only it knows. That is said here and not
    where they are declared, which would load every database's dialect at each start."""
    elements: list[DDLElement] = []
    for table in of.sorted_tables:
        if dialect in _COLLATIONS:
            table.kwargs.update({f"{dialect}_charset": "utf8mb4", f"{dialect}_collate": _COLLATIONS[dialect]})
        indexes = [index for index in table.indexes if _can_index(index, dialect)]
        elements += [CreateTable(table), *map(CreateIndex, sorted(indexes, key=lambda index: str(index.name)))]
    return elements


@compiles(CreateColumn, "mysql")
def _(create: CreateColumn, compiler: Any, **options: Any) -> str:
    """A column as MySQL takes it: a long text has no default there."""
    column = str(compiler.visit_create_column(create, **options))
    return column.replace(" DEFAULT ''", "") if " LONGTEXT " in column else column


def _can_index(index: Index, dialect: str) -> bool:
    """Return whether a database has such an index, once it is adapted to it: MariaDB has none on expressions, and
    searches the column from end to end; it and MySQL index all rows where others leave out the empty ones."""
    if dialect == "postgresql":
        index.dialect_options[dialect]["where"] = index.dialect_options["sqlite"]["where"]
    elif dialect in _COLLATIONS:
        long = [part for part in index.expressions if isinstance(part, Column) and isinstance(part.type, TagList)]
        if long:
            index.dialect_options[dialect]["length"] = {column.name: _INDEXED_OF_LONG_TEXT for column in long}
    return dialect != "mariadb" or all(isinstance(part, Column) for part in index.expressions)


def record_columns(kind: type[Record]) -> tuple[Column[Any], ...]:
    """The columns that make up a record, in the order of its fields; the derived ones are left out."""
    return tuple(TABLES[kind].c[name] for name in field_names(kind))


# The record in a row of `record_columns`.
record_of = record_of_values


def values_of(record: Record) -> dict[str, Any]:
    """The values of all fields of a record by name."""
    return dict(zip(field_names(type(record)), field_values(record), strict=True))


def columns_of(records: Sequence[Record]) -> dict[str, Sequence[Any]]:
    """The values of all fields of some records of one kind by name."""
    return dict(zip(field_names(type(records[0])), zip(*map(field_values, records), strict=True), strict=True))


def row_of(record: Record) -> dict[str, Any]:
    """The row of a record, derived columns included."""
    return values_of(record) | derived_columns(record)


def has_tag(tag: str) -> ColumnElement[bool]:
    """Return whether a client has a tag."""
    tags = type_coerce(TABLES[Client].c.tags, String)
    # Written out in the SQL, for the partial index of clients with tags.
    return (tags != literal("", literal_execute=True)) & tags.contains(f",{tag.lower()},", autoescape=True)
