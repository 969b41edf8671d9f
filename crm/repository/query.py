"""Queries as SQL: filters by field, conditions in the language of the rules, order and page."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, String, and_, bindparam, false, literal, or_, true, type_coerce

from crm.clock import Clock
from crm.errors import FieldError
from crm.model import Client, Record, field_names, fields, links, people
from crm.model.fields import Choice, Email, Flag, Phone
from crm.model.folding import fold
from crm.repository import Query, column_types, sql_functions, statements, tables
from crm.repository.team import Team


# The order of a list when none is asked for: clients as in an address book, sales the newest first.
def _own_order(kind: type[Record]) -> tuple[ColumnElement[Any], ...]:
    columns = tables.TABLES[kind].c
    return tuple(columns[name[1:]].desc() if name.startswith("-") else columns[name] for name in kind.about.order)


# What is one of a few words is written in one way only.
def _is_chosen(kind: type[Record], name: str) -> bool:
    return name in fields(kind) and isinstance(fields(kind)[name].check, Choice | Flag)


# So are e-mail addresses (in lower case) and phone numbers.
def _is_address(kind: type[Record], name: str) -> bool:
    return name in fields(kind) and isinstance(fields(kind)[name].check, Email | Phone)


def selection(
    statement: Select[Any],
    kind: type[Record],
    query: Query,
    clock: Clock,
    team: Team | None = None,
    by_invoices: bool = False,
) -> Select[Any]:
    """The statement narrowed, ordered and paged as the query says; by the name of one of the `team` what is theirs is
    found. `by_invoices` says that paid invoices make the total of a client. Raises FieldError or RuleError."""
    for name, value in (*query.filters.items(), *query.within.items()):
        names = team if team and name in people(kind) else None
        statement = statement.where(_fits(kind, name, value) if names is None else _theirs(kind, name, value, names))
    _refuse_crossing(kind, query)
    if query.since:
        statement = statement.where(_day_of(kind) >= query.since)
    if query.until:
        statement = statement.where(_day_of(kind) <= query.until)
    if query.where:
        from crm.repository import metrics
        from crm.rules import parse_condition

        condition = parse_condition(query.where)
        statement = metrics.narrowed(statement, condition, clock, by_invoices)
    return statement.order_by(*_order(kind, query.sort)).limit(query.limit).offset(query.offset or None)


# All records of a kind in the order of its lists.
IN_ORDER = tables.ByKind(lambda kind: statements.ALL[kind].order_by(*_own_order(kind)))


def only_link(kind: type[Record], query: Query) -> str | None:
    """The link of a kind by which alone a query asks for all that belongs to one record; None where it asks for
    anything else."""
    if len(query.filters) != 1 or query != Query(query.filters, sort=query.sort):
        return None
    ((name, value),) = query.filters.items()
    return name if name in links(kind) and type(value) is int else None


def only_ids(query: Query) -> Sequence[int] | None:
    """The ids by which alone a query asks for records; None where it asks for anything else."""
    if query.filters.keys() != {"id"} or query != Query(query.filters):
        return None
    ids = _several(query.filters["id"])
    return ids if all(type(id_) is int for id_ in ids) else None


def _of_ids(kind: type[Record]) -> Select[Any]:
    ids = tables.TABLES[kind].c.id
    return IN_ORDER[kind].where(ids.in_(bindparam("wanted", expanding=True)))


# The records of a kind with the ids `wanted`, in the order of its lists.
OF_IDS = tables.ByKind(_of_ids)


_linked: dict[tuple[type[Record], str, str], Select[Any]] = {}


def linked_to(kind: type[Record], link: str, sort: str) -> Select[Any]:
    """The records of a kind that link to the one that is `wanted`: a statement that is made ready once."""
    key = kind, link, sort
    if key not in _linked:
        column = tables.TABLES[kind].c[link]
        _linked[key] = statements.ALL[kind].where(column == bindparam("wanted")).order_by(*_order(kind, sort))
    return _linked[key]


def _refuse_crossing(kind: type[Record], query: Query) -> None:
    """A condition refers to clients, a period of sales; elsewhere either would pair everything with everything."""
    if query.where and kind is not Client:
        raise FieldError(f"a condition is about clients, not about {kind.plural}")
    if (query.since or query.until) and not kind.about.day:
        raise FieldError(f"a period is about sales, not about {kind.plural}")


def _day_of(kind: type[Record]) -> Column[Any]:
    return tables.TABLES[kind].c[kind.about.day]


def _column(kind: type[Record], name: str) -> Column[Any]:
    if name not in field_names(kind):
        # Not loaded to read.
        from crm.repository.field_advice import no_field

        raise no_field(kind, name)
    return tables.TABLES[kind].c[name]


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else [value]


def _theirs(kind: type[Record], name: str, persons: Any, team: Team) -> ColumnElement[bool]:
    """Return whether a record is that of somebody, by the account of that name, or where there is none by the name."""
    accounts = [team.account(value) if isinstance(value, str) else 0 for value in _several(persons)]
    conditions = [
        _fits(kind, people(kind)[name], account) if account else _fits(kind, name, value)
        for value, account in zip(_several(persons), accounts, strict=True)
    ]
    return or_(false(), *conditions)


def _fits(kind: type[Record], name: str, filter_: Any) -> ColumnElement[bool]:
    column = _column(kind, name)
    several = _several(filter_)
    # The indexes hold what is somebody's.
    if name in people(kind).values() and all(several):
        return whose_account(column, *several)
    if _is_chosen(kind, name) and all(several):
        # Written out in the SQL, because a partial index may hold only one of them.
        return or_(false(), *(column == literal(item, literal_execute=True) for item in several))
    if name == "tags":
        return and_(true(), *(tables.has_tag(tag) for tag in several))
    if name == "extra":
        return and_(true(), *(_has_extra(key, value) for key, value in dict(filter_).items()))
    if _is_address(kind, name) and all(several):
        return column.in_(list(dict.fromkeys(spelled for item in several for spelled in (item, item.lower()))))
    if None not in several and not any(isinstance(item, str | date) for item in several):
        return column.in_(several)
    if column is tables.client.c.first_name and all(several):
        return or_(false(), *(and_(_begins_with(item), sql_functions.is_text(column, item)) for item in several))
    return or_(false(), *(_equals(column, item) for item in several))


def whose_account(beside: ColumnElement[int], *accounts: int) -> ColumnElement[bool]:
    """Return whether something is of one of some accounts, none of them 0, by the column of their ids."""
    # Written out in the SQL, because the indexes leave out records without an owner.
    return and_(beside != literal(0, literal_execute=True), beside.in_(accounts))


def _begins_with(first_name: str) -> ColumnElement[bool]:
    """Return whether a client may have a first name: the text that is searched begins with the first name."""
    searched, begin = tables.client.c.search_name, fold(first_name).strip()
    return and_(searched >= begin, searched < begin + chr(0x10FFFF))


def _equals(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    if value is None or value == "":
        return or_(column.is_(None), column == "") if isinstance(value, str) else column.is_(None)
    if isinstance(value, str):
        return sql_functions.is_text(column, value)
    equal: ColumnElement[bool] = column == value
    if column is tables.client.c.date_of_birth and isinstance(value, date):
        # The day without its year is what an index holds.
        equal &= tables.client.c.birthday == f"{value:%m-%d}"
    return equal


def _has_extra(key: str, value: str) -> ColumnElement[bool]:
    written = column_types.JsonText().process_bind_param({key: value}, None)  # type: ignore[arg-type]
    held: ColumnElement[bool] = type_coerce(tables.client.c.extra, String).icontains(
        (written or "")[1:-1], autoescape=True
    )
    return held


def _order(kind: type[Record], sort: str) -> tuple[Any, ...]:
    own = _own_order(kind)
    if not sort:
        return own
    name = sort.removeprefix("-").replace("-", "_")
    column = tables.client.c.sort_name if kind is Client and name == "name" else _column(kind, name)
    value: ColumnElement[Any] = column
    last: list[ColumnElement[Any]] = []
    # What has no value comes last either way, as people expect of a list.
    if isinstance(column.type, String | column_types.UniqueText):
        text = type_coerce(column, String)
        last, value = [or_(text.is_(None), text == "")], sql_functions.folded(text)
    ordered = value.desc() if sort.startswith("-") else value.asc()
    return (*last, sql_functions.nulls_last(ordered) if column.nullable else ordered, *own)
