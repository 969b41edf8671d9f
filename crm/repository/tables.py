"""The tables, one set for every database, and how a record becomes a row and back."""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import (
    Boolean,
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
    Text,
    func,
    literal,
    literal_column,
    type_coerce,
)
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Row
from sqlalchemy.schema import CreateIndex, CreateTable, DDLElement

from crm.model import (
    Client,
    Contact,
    Dashboard,
    Deal,
    FollowUp,
    Interaction,
    Mailing,
    Message,
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
    people,
)  # fmt: skip
from crm.repository.column_types import JsonText, Minor, Moment, TagList, UniqueText
from crm.repository.sql_functions import number_in

SCHEMA_VERSION = 6

metadata = MetaData()
AnyRecord = TypeVar("AnyRecord", bound=Record)


def _record_columns() -> list[Column[Any]]:
    return [
        Column("id", Integer, primary_key=True),
        Column("created_at", Moment, nullable=False),
        Column("updated_at", Moment, nullable=False),
        Column("version", Integer, nullable=False),
    ]


def _text(name: str, length: int = 0) -> Column[str]:
    return Column(name, String(length) if length else Text, nullable=False)


def _account(name: str) -> Column[int]:
    """The id of an account, 0 for none; the account may be gone."""
    return Column(name, Integer, nullable=False, server_default="0")


# sqlite_autoincrement: an id is never used twice, also after a deletion; a number that somebody wrote down stays true.

client = Table(
    "client",
    metadata,
    *_record_columns(),
    Column("reference", UniqueText(60), unique=True),
    _text("kind", 10),
    _text("first_name", 200),
    _text("last_name", 200),
    _text("company", 200),
    Column("date_of_birth", Date),
    _text("email", 254),
    _text("phone", 60),
    _text("address", 300),
    _text("city", 100),
    _text("postcode", 20),
    _text("country", 2),
    Column("tags", TagList, nullable=False),
    _text("source", 100),
    _text("owner", 100),
    _account("owner_id"),
    Column("marketing_consent", Boolean, nullable=False),
    _text("notes"),
    Column("extra", JsonText, nullable=False),
    _text("status", 40),
    _text("status_reason"),
    Column("status_pinned_until", Date),
    _text("status_before", 40),
    Column("status_since", Date),
    Column("total_spend", Minor, nullable=False),
    Column("sales_count", Integer, nullable=False),
    Column("first_sale_on", Date),
    Column("last_sale_on", Date),
    Column("last_contact_on", Date),
    Column("next_follow_up_on", Date),
    # Derived for finding and sorting, see `derived_columns`.
    _text("sort_name", 410),
    _text("search_name", 610),
    _text("search_rest"),
    _text("birthday", 5),
    Index("client_by_name", "sort_name"),
    Index("client_by_first_name", "search_name"),
    Index("client_by_email", "email"),
    Index("client_by_phone", "phone"),
    Index("client_by_status", "status"),
    Index("client_by_birthday", "birthday", "sort_name"),
    Index("client_by_last_contact", "last_contact_on"),
    Index("client_by_next_follow_up", "next_follow_up_on"),
    sqlite_autoincrement=True,
)

# Only those who have moved, with all that finding the biggest of them needs.
_has_moved = client.c.status_before != ""
Index(
    "client_moved",
    client.c.status_since,
    client.c.total_spend,
    client.c.status_before,
    client.c.status,
    sqlite_where=_has_moved,
)

sale = Table(
    "sale",
    metadata,
    *_record_columns(),
    Column("client", Integer, ForeignKey("client.id"), nullable=False),
    Column("on", Date, nullable=False),
    Column("amount", Minor, nullable=False),
    _text("note", 500),
    Column("deal", Integer, nullable=False, server_default="0"),
    Column("user", String(100), nullable=False, server_default=""),
    _account("user_id"),
    # Totals and windows of one client, and sums of a period, are read from the index alone.
    Index("sale_by_client", "client", "on", "amount"),
    Index("sale_by_day", "on", "amount"),
    sqlite_autoincrement=True,
)

# What names a deal, a stage or a contact may outlive it: the number then says nothing any more.

contact = Table(
    "contact",
    metadata,
    *_record_columns(),
    Column("client", Integer, ForeignKey("client.id"), nullable=False),
    _text("name", 200),
    _text("role", 100),
    _text("email", 254),
    _text("phone", 60),
    Column("is_primary", Boolean, nullable=False),
    _text("notes"),
    # Derived: what a client is found by through its contacts.
    _text("search_name", 560),
    Index("contact_by_client", "client"),
    Index("contact_by_email", "email"),
    sqlite_autoincrement=True,
)

interaction = Table(
    "interaction",
    metadata,
    *_record_columns(),
    Column("client", Integer, ForeignKey("client.id"), nullable=False),
    Column("contact", Integer, nullable=False),
    _text("kind", 10),
    Column("on", Date, nullable=False),
    _text("time", 5),
    _text("subject", 300),
    _text("body"),
    _text("user", 100),
    _account("user_id"),
    # A page of a timeline, and the day of the last contact, are read from the index.
    Index("interaction_by_client", "client", "on", "time", "kind"),
    Index("interaction_by_day", "on"),
    sqlite_autoincrement=True,
)

follow_up = Table(
    "follow_up",
    metadata,
    *_record_columns(),
    Column("client", Integer, ForeignKey("client.id"), nullable=False),
    Column("deal", Integer, nullable=False),
    _text("user", 100),
    _account("user_id"),
    Column("due_on", Date, nullable=False),
    _text("due_time", 5),
    _text("what", 500),
    Column("every", Integer, nullable=False),
    Column("done_on", Date),
    Index("follow_up_by_client", "client", "done_on", "due_on"),
    Index("follow_up_by_due", "done_on", "due_on"),
    sqlite_autoincrement=True,
)

stage = Table(
    "stage",
    metadata,
    *_record_columns(),
    Column("name", UniqueText(40), unique=True),
    Column("position", Integer, nullable=False),
    Column("probability", Integer, nullable=False),
    _text("outcome", 10),
    sqlite_autoincrement=True,
)

deal = Table(
    "deal",
    metadata,
    *_record_columns(),
    Column("client", Integer, ForeignKey("client.id"), nullable=False),
    _text("title", 200),
    Column("stage", Integer, nullable=False),
    Column("value", Minor, nullable=False),
    Column("expected_close_on", Date),
    _text("owner", 100),
    _account("owner_id"),
    _text("lost_reason", 300),
    _text("notes"),
    Column("stage_since", Date),
    Column("closed_on", Date),
    Index("deal_by_client", "client"),
    Index("deal_by_stage", "stage", "closed_on", "value"),
    sqlite_autoincrement=True,
)

# What is whose: people are looked for by their account, and by name in whatever case; last what is counted of those who
# have none. Which open deals have come to a halt is read from the index.
_halting = (deal.c.closed_on, deal.c.stage_since, deal.c.expected_close_on)
WORK_INDEXES = (
    Index(
        "follow_up_by_user", func.lower(follow_up.c.user), follow_up.c.done_on, follow_up.c.due_on, follow_up.c.user_id
    ),
    Index("deal_by_owner", func.lower(deal.c.owner), *_halting, deal.c.owner_id),
    Index("deal_by_halt", *_halting, deal.c.client),
)

stage_move = Table(
    "stage_move",
    metadata,
    *_record_columns(),
    Column("deal", Integer, ForeignKey("deal.id"), nullable=False),
    Column("stage", Integer, nullable=False),
    Column("on", Date, nullable=False),
    _text("user", 100),
    _account("user_id"),
    Index("stage_move_by_deal", "deal"),
    sqlite_autoincrement=True,
)

template = Table(
    "template",
    metadata,
    *_record_columns(),
    Column("name", UniqueText(60), unique=True),
    _text("channel", 10),
    _text("subject", 300),
    _text("body"),
    sqlite_autoincrement=True,
)

mailing = Table(
    "mailing",
    metadata,
    *_record_columns(),
    _text("name", 100),
    _text("channel", 10),
    _text("subject", 300),
    _text("body"),
    _text("occasion", 60),
    _text("user", 100),
    _account("user_id"),
    sqlite_autoincrement=True,
)

message = Table(
    "message",
    metadata,
    *_record_columns(),
    Column("client", Integer, ForeignKey("client.id"), nullable=False),
    Column("contact", Integer, nullable=False),
    Column("mailing", Integer, nullable=False),
    _text("channel", 10),
    _text("direction", 10),
    _text("state", 10),
    Column("on", Date, nullable=False),
    _text("time", 5),
    _text("sender", 320),
    _text("to"),
    _text("cc"),
    _text("bcc"),
    _text("subject", 300),
    _text("body"),
    _text("attachments"),
    _text("identifier", 300),
    _text("answers", 300),
    _text("occasion", 60),
    Column("tries", Integer, nullable=False),
    _text("until", 40),
    _text("failure", 500),
    _text("user", 100),
    _account("user_id"),
    Index("message_by_client", "client", "on", "time", "state"),
    Index("message_by_state", "state", "channel"),
    Index("message_by_mailing", "mailing", "state"),
    Index("message_by_identifier", "identifier"),
    sqlite_autoincrement=True,
)


def _by_text(column: Column[Any], *more: Column[Any]) -> Index:
    """The index through which records are found by a text of theirs, whatever its case (`functions.is_text`)."""
    name = f"{column.table.name}_by_{column.name}"
    return Index(name, func.lower(column), *more, sqlite_where=type_coerce(column, String) != "")


# A list of clients is narrowed by any of these. What many have in common is read in the order of the list.
FILTER_INDEXES = (
    *map(_by_text, (client.c.reference, client.c.last_name, client.c.company, client.c.address, client.c.postcode)),
    *(_by_text(each, client.c.sort_name) for each in (client.c.city, client.c.country, client.c.source)),
    Index(
        "client_by_tags",
        client.c.sort_name,
        client.c.id,
        client.c.tags,
        sqlite_where=type_coerce(client.c.tags, String) != "",
    ),
    Index(
        "client_by_due", client.c.sort_name, client.c.id, client.c.next_follow_up_on,
        sqlite_where=client.c.next_follow_up_on.is_not(None),
    ),
    Index("client_by_kind", client.c.sort_name, sqlite_where=client.c.kind == "company"),
    Index("client_by_consent", client.c.sort_name, sqlite_where=type_coerce(client.c.marketing_consent, Integer) == 1),
    Index("client_by_status_text", func.lower(client.c.status), client.c.sort_name),
    Index("client_by_owner", func.lower(client.c.owner), client.c.sort_name, client.c.owner_id),
    Index("interaction_by_user", func.lower(interaction.c.user), interaction.c.on, interaction.c.time),
    Index("message_by_day", message.c.on, message.c.time),
)  # fmt: skip


def _by_account(column: Column[int], *more: Column[Any]) -> Index:
    """The index through which is found what is somebody's who has an account."""
    return Index(f"{column.table.name}_by_{column.name}", column, *more, sqlite_where=column != 0)


ACCOUNT_INDEXES = (
    _by_account(client.c.owner_id, client.c.sort_name),
    _by_account(deal.c.owner_id, *_halting),
    _by_account(follow_up.c.user_id, follow_up.c.done_on, follow_up.c.due_on),
    _by_account(interaction.c.user_id, interaction.c.on, interaction.c.time),
)

rule = Table(
    "rule",
    metadata,
    *_record_columns(),
    Column("position", Integer, nullable=False),
    _text("status", 40),
    _text("when", 1000),
    Column("active", Boolean, nullable=False),
    sqlite_autoincrement=True,
)

view = Table(
    "view",
    metadata,
    *_record_columns(),
    Column("name", UniqueText(60), unique=True),
    _text("condition", 1000),
    _text("sort", 60),
    sqlite_autoincrement=True,
)

dashboard = Table(
    "dashboard",
    metadata,
    *_record_columns(),
    # Of whoever has an account, and of whoever only has a name; names may come again.
    _text("user", 254),
    _account("user_id"),
    _text("tiles", 1000),
    sqlite_autoincrement=True,
)

setting = Table(
    "setting",
    metadata,
    *_record_columns(),
    Column("key", UniqueText(60), unique=True),
    _text("value", 1000),
    sqlite_autoincrement=True,
)

user = Table(
    "user",
    metadata,
    *_record_columns(),
    Column("email", UniqueText(254), unique=True),
    _text("name", 100),
    _text("phone", 60),
    _text("role", 10),
    Column("client", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("must_change", Boolean, nullable=False),
    _text("password", 300),
    _text("second_factor", 2000),
    _text("seal", 100),
    sqlite_autoincrement=True,
)

sign_in = Table(
    "sign_in",
    metadata,
    *_record_columns(),
    # The user may be gone: whoever works in a spreadsheet can delete its row.
    Column("user", Integer, nullable=False),
    _text("state", 10),
    _text("method", 60),
    _text("address", 60),
    _text("device", 100),
    _text("token", 64),
    Index("sign_in_by_token", "token"),
    Index("sign_in_by_user", "user"),
    sqlite_autoincrement=True,
)
# Every look at the accounts asks for all sessions that are open, among many that have ended.
OPEN_SIGN_INS = Index("sign_in_open", sign_in.c.id, sqlite_where=sign_in.c.state == "open")

# One row a transaction: who, when, and which command; `undoes` names the one it took back.
transactions = Table(
    "transactions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    _text("user", 254),
    _account("user_id"),
    _text("what", 500),
    Column("undoes", Integer),
    Column("undone_by", Integer),
    sqlite_autoincrement=True,
)

# One row a record changed. `before` and `after` hold the changed fields of an update, `before` the
# whole record of a deletion; of a creation only that it was: the row itself holds the rest.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("transaction", Integer, ForeignKey("transactions.id"), nullable=False),
    _text("record", 20),
    Column("record_id", Integer, nullable=False),
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
store_facts = Table("store_facts", metadata, Column("name", String(40), primary_key=True), _text("value", 200))

TABLES: Mapping[type[Record], Table] = {
    Client: client,
    Sale: sale,
    Contact: contact,
    Interaction: interaction,
    FollowUp: follow_up,
    Stage: stage,
    Deal: deal,
    StageMove: stage_move,
    Template: template,
    Mailing: mailing,
    Message: message,
    StatusRule: rule,
    View: view,
    Dashboard: dashboard,
    Setting: setting,
    User: user,
    SignIn: sign_in,
}


KINDS: Mapping[Table, type[Record]] = {table: kind for kind, table in TABLES.items()}

# Everything in which somebody of the team stands by name: the table, the name, and the id of the account beside it.
PEOPLE: Sequence[tuple[Table, Column[Any], Column[Any]]] = (
    *(
        (TABLES[kind], TABLES[kind].c[name], TABLES[kind].c[beside])
        for kind in TABLES
        for name, beside in people(kind).items()
    ),
    (transactions, transactions.c.user, transactions.c.user_id),
)

_COLUMNS = {record: tuple(table.c[name] for name in field_names(record)) for record, table in TABLES.items()}


def create_all(connection: Connection, of: MetaData = metadata) -> None:
    """Makes the tables, none of which may be there yet, and their indexes."""
    for statement in _statements(of, connection.dialect.name):
        connection.exec_driver_sql(statement)


@cache
def _statements(of: MetaData, dialect: str) -> Sequence[str]:
    """What makes the tables, as SQL: to write it takes longer than to carry it out."""
    wanted: list[DDLElement] = []
    for table in of.sorted_tables:
        wanted += [CreateTable(table), *map(CreateIndex, sorted(table.indexes, key=lambda index: str(index.name)))]
    spoken = registry.load(dialect)()
    return [str(each.compile(dialect=spoken)) for each in wanted]


def record_columns(record: type[Record]) -> tuple[Column[Any], ...]:
    """The columns that make up a record, in the order of its fields; the derived ones are left out."""
    return _COLUMNS[record]


def record_of(kind: type[AnyRecord], row: Row[Any]) -> AnyRecord:
    """The record in a row of `record_columns`."""
    return kind(**dict(zip(field_names(kind), row, strict=True)))


_GETTERS = {record: attrgetter(*field_names(record)) for record in TABLES}


def row_of(record: Record) -> dict[str, Any]:
    """The row of a record, derived columns included."""
    kind = type(record)
    row = dict(zip(field_names(kind), _GETTERS[kind](record), strict=True))
    row.update(derived_columns(record))
    return row


def fold(text: str) -> str:
    """Text as it is searched and sorted: no case, no accents (Straße and STRASSE, José and jose are alike)."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


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


def has_tag(tag: str) -> ColumnElement[bool]:
    """Whether a client has a tag."""
    tags = type_coerce(client.c.tags, String)
    # Written out in the SQL, for the partial index of clients with tags.
    return (tags != literal("", literal_execute=True)) & tags.contains(f",{tag.lower()},", autoescape=True)
