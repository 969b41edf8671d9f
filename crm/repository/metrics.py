"""The figures that rules and views refer to: as SQL over all clients, and as values of some.

Conditions become exact SQL: money is compared in minor units, and a quotient is kept as a pair of whole
numbers until both sides of a comparison are multiplied out, so no rounding can move a client over a boundary.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import gcd
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Float,
    Integer,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    extract,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
)

from crm.clock import Clock, offsets
from crm.model import Client, fields
from crm.model.money import NOTHING
from crm.repository.column_types import MINOR_UNITS, major
from crm.repository.invoice_conditions import IS_OPEN
from crm.repository.spend import in_team_currency, spent
from crm.repository.sql_functions import day_at_offset, days_between, money_text, multiplied, quotient, trimmed
from crm.repository.tables import client, has_tag, invoice
from crm.rules import (
    METRICS,
    And,
    Arithmetic,
    Compare,
    Condition,
    Expression,
    HasTag,
    In,
    IsMissing,
    Literal,
    Name,
    Negate,
    Not,
    Or,
    reason_names,
)

Sql = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class _Number:
    """An exact number in SQL: `over` parts of `below`, which is never negative; NULL where it is missing."""

    over: Sql
    below: Sql | int


# Which metrics need the single sales; the others are beside the client.
_WINDOWS = {"30": 30, "90": 90, "365": 365}


def _window(metric: str) -> int:
    return _WINDOWS[metric.split("_")[2]]


# Which metrics need the single invoices.
_OF_INVOICES = ("days_overdue", "overdue_amount")


def _needs_sales(metric: str) -> bool:
    return metric == "largest_sale" or metric.startswith(("spend_last_", "sales_last_"))


# The days that some metrics count from and to, and how far from today a day can be.
_SINCE = {
    "days_since_last_sale": "last_sale_on", "days_since_first_sale": "first_sale_on",
    "days_since_last_contact": "last_contact_on",
}  # fmt: skip
_UNTIL = {"days_to_next_follow_up": "next_follow_up_on"}
_MOST_DAYS = 365_000
_OPERATORS = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

# Nothing was added before the program existed; for earlier moments the offset of this day is used.
_ZONES_FROM = date(2020, 1, 1)


class Figures:
    """The SQL of metrics at a moment, for statements that select from the client table; `by_invoices` says that paid
    invoices count, and not sales."""

    def __init__(self, names: Iterable[str], clock: Clock, by_invoices: bool) -> None:
        self.clock = clock
        self.today = today = clock.today
        from_sales = sorted(name for name in names if _needs_sales(name))
        self._overdue = _of_overdue(today).subquery("of_overdue") if not set(names).isdisjoint(_OF_INVOICES) else None
        of_sales = _of_sales(from_sales, today, by_invoices) if from_sales else None
        self._sales: Subquery | None = None if of_sales is None else of_sales.subquery("of_sales")

    def join(self, statement: Select[Any]) -> Select[Any]:
        """The statement with what these metrics need beside the client table."""
        for beside in (self._sales, self._overdue):
            if beside is not None:
                statement = statement.outerjoin(beside, beside.c.client == client.c.id)
        return statement

    def truth(self, condition: Condition) -> ColumnElement[bool]:
        """A condition as SQL; NULL counts as false."""
        match condition:
            case Compare(left, operator, right):
                return self._compare(left, operator, right)
            case IsMissing(operand, negated):
                column = self._text(operand) if self._is_text(operand) else self._number(operand).over
                missing = column == "" if self._is_text(operand) else column.is_(None)
                return not_(missing) if negated else missing
            case In(operand, texts, negated):
                column = self._text(operand)
                return and_(column.not_in(texts), column != "") if negated else column.in_(texts)
            case HasTag(tag, negated):
                return not_(has_tag(tag)) if negated else has_tag(tag)
            case And(parts):
                return and_(*(self.truth(part) for part in parts))
            case Or(parts):
                return or_(*(self.truth(part) for part in parts))
            case Not(part):
                # The one place where NULL and false part ways.
                return not_(func.coalesce(self.truth(part), false()))

    def reason_part(self, name: str) -> Sql:
        """The text of one value in a reason, as `crm.rules.value_text` writes it."""
        kind = METRICS[name].kind
        if kind in ("text", "tags"):
            column = self._text(Name(name))
            text = trimmed(column, ",") if kind == "tags" else column
            return func.coalesce(func.nullif(text, ""), "none")
        number = self._metric(name)
        if kind == "number":
            return func.coalesce(cast(number.over, String), "none")
        if name == "average_sale":
            count = client.c.sales_count
            hundredth = MINOR_UNITS // 100
            parts = 2 * hundredth * count
            rounded = quotient(2 * _minor(client.c.total_spend) + hundredth * count, func.nullif(parts, 0))
            return case((count > 0, money_text(rounded * hundredth)), else_="none")
        return case((number.over.is_(None), "none"), else_=money_text(number.over))

    def _is_text(self, expression: Expression) -> bool:
        match expression:
            case Name(metric):
                return METRICS[metric].kind in ("text", "tags")
            case Literal(written):
                return isinstance(written, str)
        return False

    def _text(self, expression: Expression) -> Sql:
        match expression:
            case Name(metric):
                return type_coerce(client.c[metric], String)
            case Literal(written):
                return literal(written, String)
        raise TypeError(f"{expression} is not text")

    def _compare(self, left: Expression, operator: str, right: Expression) -> ColumnElement[bool]:
        if self._is_text(left):
            one, other = self._text(left), self._text(right)
            present = and_(
                true(),
                *(expression != "" for expression, side in ((one, left), (other, right)) if isinstance(side, Name)),
            )
            return and_(one == other if operator == "=" else one != other, present)
        if (by_day := self._compare_days(left, operator, right)) is not None:
            return by_day
        one_number, other_number = self._number(left), self._number(right)
        factor, other_factor = _crossed(one_number.below, other_number.below)
        one, other = _times(one_number.over, factor), _times(other_number.over, other_factor)
        match operator:
            case "=":
                return one == other
            case "!=":
                return one != other
            case "<":
                return one < other
            case "<=":
                return one <= other
            case ">":
                return one > other
        return one >= other

    def _compare_days(self, left: Expression, operator: str, right: Expression) -> ColumnElement[bool] | None:
        """A comparison of a number of days with a whole number, as a comparison of dates, which an index can answer;
        None for any other comparison."""
        if not (isinstance(left, Name) and left.metric in _SINCE | _UNTIL and isinstance(right, Literal)):
            return None
        days = Fraction(right.value)
        if days.denominator != 1 or abs(days) > _MOST_DAYS:
            return None
        until = left.metric in _UNTIL
        column = client.c[(_UNTIL if until else _SINCE)[left.metric]]
        day = self.today + timedelta(days=int(days) if until else -int(days))
        # The more days since, the earlier the day.
        compare = _OPERATORS[operator if until else _TURNED.get(operator, operator)]
        condition: ColumnElement[bool] = compare(column, day)
        return condition

    def _number(self, expression: Expression) -> _Number:
        match expression:
            case Name(metric):
                return self._metric(metric)
            case Literal(written):
                exact = Fraction(written)
                return _Number(_whole(exact.numerator), exact.denominator)
            case Negate(operand):
                number = self._number(operand)
                return _Number(-number.over, number.below)
            case Arithmetic(left, operator, right):
                return _combined(self._number(left), operator, self._number(right))

    def _metric(self, name: str) -> _Number:
        columns = client.c
        if _needs_sales(name):
            if self._sales is None:
                raise KeyError(name)
            column = self._sales.c[name]
            return _Number(column if name == "largest_sale" else func.coalesce(column, 0), _unit(name))
        if name in _OF_INVOICES:
            if self._overdue is None:
                raise KeyError(name)
            if name == "overdue_amount":
                return _Number(func.coalesce(self._overdue.c.amount, 0), MINOR_UNITS)
            return _Number(self._days_since(self._overdue.c.first_due), 1)
        if name in _SINCE:
            return _Number(self._days_since(columns[_SINCE[name]]), 1)
        if name in _UNTIL:
            return _Number(-self._days_since(columns[_UNTIL[name]]), 1)
        match name:
            case "average_sale":
                spend = case((columns.sales_count > 0, _minor(columns.total_spend)))
                return _Number(spend, columns.sales_count * MINOR_UNITS)
            case "days_since_added":
                return _Number(self._days_since(self._team_day(columns.created_at)), 1)
            case "age":
                years = self.today.year - cast(extract("year", columns.date_of_birth), Integer)
                before_birthday = case((columns.birthday > self.today.strftime("%m-%d"), 1), else_=0)
                return _Number(years - before_birthday, 1)
            case "total_spend" | "open_amount":
                return _Number(_minor(columns[name]), MINOR_UNITS)
        return _Number(columns[name], 1)

    def _team_day(self, moment: Sql) -> Sql:
        """The team's day in which a moment lies; made of offsets, since not every database knows time zones."""
        *later, (_, first) = offsets(self.clock.zone, _ZONES_FROM, self.today)
        ahead: Sql = literal(first)
        if later:
            ahead = case(*((moment >= since, seconds) for since, seconds in later), else_=first)
        return day_at_offset(moment, ahead)

    def _days_since(self, day: Sql) -> Sql:
        return days_between(literal(self.today, Date), day)


def _unit(name: str) -> int:
    return MINOR_UNITS if METRICS[name].kind == "money" else 1


def _minor(column: Sql) -> Sql:
    return type_coerce(column, BigInteger)


def _of_sales(names: Sequence[str], today: date, by_invoices: bool) -> Select[Any]:
    """The metrics that come from the single sales, or paid invoices, a row a client, money in minor units."""
    sale = spent(by_invoices)
    amount = _minor(sale.c.amount)
    columns: list[Sql] = []
    for name in names:
        if name == "largest_sale":
            columns.append(func.max(amount).label(name))
            continue
        recent = and_(sale.c.on > today - timedelta(days=_window(name)), sale.c.on <= today)
        columns.append(func.sum(case((recent, amount if name.startswith("spend") else 1), else_=0)).label(name))
    return select(sale.c.client, *columns).group_by(sale.c.client)


def _of_overdue(today: date) -> Select[Any]:
    """The overdue amount of each client in the currency of the team, a row a client, in minor units, and the day the
    oldest of it was due."""
    late = (
        IS_OPEN,
        invoice.c.due_on < today,
        in_team_currency(invoice.c.currency),
    )
    amount = func.sum(_minor(invoice.c.open)).label("amount")
    return (
        select(invoice.c.client, amount, func.min(invoice.c.due_on).label("first_due"))
        .where(*late)
        .group_by(invoice.c.client)
    )


def _crossed(one: Sql | int, other: Sql | int) -> tuple[Sql | int, Sql | int]:
    """The factors that rid each side of a comparison of its denominators."""
    if isinstance(one, int) and isinstance(other, int):
        shared = gcd(one, other)
        return other // shared, one // shared
    return other, one


def _whole(number: int) -> Sql:
    """A whole number; one that the database cannot hold as such is larger than any figure, near enough is exact."""
    return literal(number, BigInteger) if abs(number) < 2**63 else literal(float(number), Float)


def _times(number: Sql, factor: Sql | int) -> Sql:
    if isinstance(factor, int):
        if factor == 1:
            return number
        constant = getattr(number, "value", None)
        if isinstance(constant, int):
            return _whole(constant * factor)
        return multiplied(number, _whole(factor))
    return multiplied(number, factor)


def _combined(left: _Number, operator: str, right: _Number) -> _Number:
    if operator == "*":
        return _Number(multiplied(left.over, right.over), _product(left.below, right.below))
    if operator == "/":
        factor, other_factor = _crossed(left.below, right.below)
        over, below = _times(left.over, factor), _times(func.abs(right.over), other_factor)
        return _Number(case((right.over > 0, over), (right.over < 0, -over)), below)
    factor, other_factor = _crossed(left.below, right.below)
    one, other = _times(left.over, factor), _times(right.over, other_factor)
    return _Number(one + other if operator == "+" else one - other, _product(left.below, factor))


def _product(one: Sql | int, other: Sql | int) -> Sql | int:
    return one * other if isinstance(one, int) and isinstance(other, int) else multiplied(_sql(one), _sql(other))


def _sql(number: Sql | int) -> Sql:
    return _whole(number) if isinstance(number, int) else number


def narrowed(statement: Select[Any], condition: Condition, clock: Clock, by_invoices: bool) -> Select[Any]:
    """The statement over clients, only those that a condition fits."""
    figures = Figures(reason_names(condition), clock, by_invoices)
    return figures.join(statement).where(figures.truth(condition))


def values(
    connection: Connection,
    clients: Sequence[Client],
    clock: Clock,
    by_invoices: bool,
    needs: Iterable[str] | None = None,
) -> Mapping[int, dict[str, Any]]:
    """The metrics of some clients by id, by name; money is Decimal, an average a Fraction, missing None."""
    names = list(METRICS if needs is None else needs)
    from_sales = [name for name in names if _needs_sales(name)]
    sums: dict[int, Any] = {}
    if from_sales and any(client.sales_count for client in clients):
        of_clients = spent(by_invoices).c.client.in_([client.id for client in clients])
        statement = _of_sales(from_sales, clock.today, by_invoices).where(of_clients)
        sums = {row.client: row._mapping for row in connection.execute(statement)}
    overdue: dict[int, Any] = {}
    if not set(names).isdisjoint(_OF_INVOICES) and any(client.open_amount for client in clients):
        ids = [client.id for client in clients]
        rows = connection.execute(_of_overdue(clock.today).where(invoice.c.client.in_(ids)))
        overdue = {row.client: row for row in rows}
    return {
        client.id: {
            name: value(client, name, (overdue if name in _OF_INVOICES else sums).get(client.id), clock)
            for name in names
        }
        for client in clients
    }


# The fields of a client that a metric is made of, where it is none itself.
_MADE_OF: Mapping[str, tuple[str, ...]] = {
    "average_sale": ("total_spend", "sales_count"),
    "days_since_last_sale": ("last_sale_on",),
    "days_since_first_sale": ("first_sale_on",),
    "days_since_last_contact": ("last_contact_on",),
    "days_to_next_follow_up": ("next_follow_up_on",),
    "days_since_added": ("created_at",),
    "age": ("date_of_birth",),
}


def fields_read(names: Iterable[str]) -> list[str]:
    """The fields of a client that metrics are made of."""
    known = fields(Client)
    read = (field for name in names for field in _MADE_OF.get(name, (name,) if name in known else ()))
    return sorted(set(read))


def value(record: Client, name: str, of_sales: Any, clock: Clock) -> Any:
    """One metric of a client; `of_sales` is the client's row of what comes from single sales, or overdue invoices, None
    without any."""
    if name in _OF_INVOICES:
        if name == "overdue_amount":
            return NOTHING if of_sales is None else major(int(of_sales.amount))
        return None if of_sales is None else (clock.today - of_sales.first_due).days
    if _needs_sales(name):
        sum_of = of_sales[name] if of_sales is not None else None
        if name == "largest_sale" or METRICS[name].kind == "money":
            zero = None if name == "largest_sale" else NOTHING
            return zero if sum_of is None else major(int(sum_of))
        return sum_of or 0
    today = clock.today
    match name:
        case "average_sale":
            return Fraction(record.total_spend) / record.sales_count if record.sales_count else None
        case "days_since_last_sale":
            return (today - record.last_sale_on).days if record.last_sale_on else None
        case "days_since_first_sale":
            return (today - record.first_sale_on).days if record.first_sale_on else None
        case "days_since_last_contact":
            return (today - record.last_contact_on).days if record.last_contact_on else None
        case "days_to_next_follow_up":
            return (record.next_follow_up_on - today).days if record.next_follow_up_on else None
        case "days_since_added":
            return (today - clock.day_of(record.created_at)).days
        case "age":
            born = record.date_of_birth
            return (
                None if born is None else today.year - born.year - ((born.month, born.day) > (today.month, today.day))
            )
    return getattr(record, name)
