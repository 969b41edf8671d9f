"""Sums: fields of a record that follow from the records that link to it, as those declare."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Subquery, bindparam, func, or_, select, union_all

from crm.model import BY_NAME, RECORDS, Record, Sale, fields, links
from crm.model.fields import Day
from crm.model.kind import Sum
from crm.repository.spend import in_team_currency, spent
from crm.repository.tables import TABLES

# Narrows what is summed, by the column that links to the record with the sums.
_Whose = Callable[[ColumnElement[Any]], ColumnElement[bool]]


@dataclass(frozen=True, eq=False)
class Totals:
    """Fields of the records of a kind (`onto`) that are summed in one go: their names, and from which kinds by which
    declared sums, one for each name. Where `by_invoices`, paid invoices stand for the sales."""

    onto: type[Record]
    names: Sequence[str]
    facts: Mapping[type[Record], Sequence[Sum]]
    by_invoices: bool = False
    # The sums of some records by their ids `wanted`, and of one, whose statement takes half as long to be made ready:
    # its id, then what is summed.
    of_some: Select[Any] = field(init=False)
    of_one: Select[Any] = field(init=False)

    def __post_init__(self) -> None:
        some = self._summed(lambda link: link.in_(bindparam("wanted", expanding=True)))
        object.__setattr__(self, "of_some", some)
        object.__setattr__(self, "of_one", self._summed(lambda link: link == bindparam("wanted")))

    @property
    def nothing(self) -> Mapping[str, Any]:
        """The sums of a record that nothing links to."""
        return {name: fields(self.onto)[name].check.empty for name in self.names}

    def _summed(self, of_links: _Whose | None = None) -> Select[Any]:
        if len(self.facts) == 1:
            ((kind, sums),) = self.facts.items()
            facts = spent(self.by_invoices) if kind is Sale else TABLES[kind]
            link = facts.c[sums[0].onto]
            summed = [_function(sum_, facts.c[sum_.of]).label(sum_.name) for sum_ in sums]
            return select(link, *summed).where(*_conditions(facts, sums[0], link, of_links)).group_by(link)
        rows = union_all(*(_rows(kind, sums, of_links) for kind, sums in self.facts.items())).subquery()
        summed = [_function(sum_, rows.c[sum_.name]).label(sum_.name) for sum_ in next(iter(self.facts.values()))]
        return select(rows.c[0], *summed).group_by(rows.c[0])

    def of_all(self) -> Subquery:
        """The sums of all records."""
        return self._summed().subquery()


def _conditions(
    facts: FromClause, of: Sum, link: ColumnElement[Any], of_links: _Whose | None
) -> Iterator[ColumnElement[bool]]:
    columns = facts.c
    yield from (
        columns[name].is_(None) if among is None else columns[name].in_(among) for name, among in of.where.items()
    )
    if of.team_currency:
        yield in_team_currency(columns["currency"])
    if of_links:
        yield of_links(link)


def _rows(kind: type[Record], sums: Sequence[Sum], of_links: _Whose | None) -> Select[Any]:
    """The records of one of several kinds that are summed together."""
    columns = TABLES[kind].c
    link = columns[sums[0].onto]
    return select(link, *(columns[sum_.of].label(sum_.name) for sum_ in sums)).where(
        *_conditions(TABLES[kind], sums[0], link, of_links)
    )


def _function(of: Sum, column: ColumnElement[Any]) -> ColumnElement[Any]:
    match of.function:
        case "count":
            return func.count()
        case "sum":
            return func.sum(column)
        case "min":
            return func.min(column)
    return func.max(column)


def _declared() -> Iterator[Totals]:
    """The totals of all kinds: sums of the same records stand together."""
    feeding: dict[tuple[type[Record], str], list[tuple[type[Record], Sum]]] = {}
    for kind in RECORDS:
        for sum_ in kind.about.sums:
            feeding.setdefault((BY_NAME[links(kind)[sum_.onto].record], sum_.name), []).append((kind, sum_))
    together: dict[Any, dict[type[Record], list[Sum]]] = {}
    for (onto, _), feeders in feeding.items():
        alike = onto, tuple((kind, sum_.onto, repr(sum_.where), sum_.team_currency) for kind, sum_ in feeders)
        for kind, sum_ in feeders:
            together.setdefault(alike, {}).setdefault(kind, []).append(sum_)
    for (onto, _), facts in together.items():
        yield Totals(onto, tuple(sum_.name for sum_ in next(iter(facts.values()))), facts)


TOTALS: Sequence[Totals] = tuple(_declared())
# The totals that the records of each kind feed.
FED: Mapping[type[Record], Sequence[Totals]] = {
    kind: fed for kind in RECORDS if (fed := [total for total in TOTALS if kind in total.facts])
}


# The sums of sales, or of paid invoices instead.
SPEND = next(total for total in TOTALS if Sale in total.facts)
_PAID_SPEND = Totals(SPEND.onto, SPEND.names, SPEND.facts, by_invoices=True)
_ONTO = {kind: [total for total in TOTALS if total.onto is kind] for kind in RECORDS}
# The kinds of records with totals.
SUMMED: Sequence[type[Record]] = tuple(kind for kind, fed in _ONTO.items() if fed)
_NAMES = {kind: tuple(name for total in fed for name in total.names) for kind, fed in _ONTO.items()}


def onto(kind: type[Record]) -> Sequence[Totals]:
    """The totals beside the records of a kind."""
    return _ONTO[kind]


def names(kind: type[Record]) -> tuple[str, ...]:
    """The fields of a kind that are totals."""
    return _NAMES.get(kind, ())


def named(kind: type[Record], name: str) -> Totals:
    """The totals of a kind that a field is one of."""
    return next(total for total in onto(kind) if name in total.names)


def counted(totals: Totals, by_invoices: bool) -> Totals:
    """Totals as they are summed where paid invoices make the total of a client, or where sales do."""
    return _PAID_SPEND if by_invoices and totals is SPEND else totals


def linked(record: Record, totals: Totals) -> int | None:
    """The id of the record with the totals that a record counts towards; None where it does not count."""
    sums = totals.facts[type(record)]
    number: int = getattr(record, sums[0].onto)
    return number or None if sums[0].counts(record) else None


def wrong(kind: type[Record], by_invoices: bool = False) -> Select[Any]:
    """The records of a kind whose totals are not the sums of their facts: the id, then each total as it stands and as
    it should be ('summed_…'). `by_invoices` says that paid invoices make the total of a client."""
    table = TABLES[kind]
    statement = select(table.c.id)
    differing: list[ColumnElement[bool]] = []
    source: Any = table
    for total in onto(kind):
        summed = counted(total, by_invoices).of_all()
        source = source.outerjoin(summed, summed.c[0] == table.c.id)
        for name in total.names:
            stands, follows = table.c[name], summed.c[name]
            statement = statement.add_columns(stands, follows.label(f"summed_{name}"))
            is_day = isinstance(fields(kind)[name].check, Day)
            differing.append(stands.is_distinct_from(follows) if is_day else stands != func.coalesce(follows, 0))
    return statement.select_from(source).where(or_(*differing))
