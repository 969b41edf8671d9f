"""Groups of clients, chosen in one way everywhere: by numbers, fields, a condition, a saved view, or all there are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any

from crm.batching import batches
from crm.commands.record_names import by_id
from crm.commands.registry import About
from crm.errors import FieldError, NotFoundError, RuleError
from crm.lean_dataclass import dataclass
from crm.model import Client, Conventions, View, fields
from crm.model.fields import Check, NameOf
from crm.repository import Query, Snapshot
from crm.repository.queries import clients as queries

# The one client that a command is about; and the one that a list is narrowed to, which may come first.
MaybeClient = Annotated[Client | None, About("Client", "its number, reference or name")]
MaybeClientFirst = Annotated[Client | None, About("Client", "its number, reference or name", positional=True)]
TheClient = Annotated[Client, About("Client", "its number, reference or name", positional=True)]
# A field's name and the value that it must have.
Having = tuple[str, Any]


class FieldIs(Check):
    """A field of a client and the value that it must have: city=Graz."""

    example = "city=Graz"

    def read(self, typed: str, by: Conventions) -> Having:
        known = fields(Client)
        name, equals, value = typed.partition("=")
        name = name.strip().lower().replace("-", "_")
        name = "tags" if name == "tag" else name
        if not equals or name not in known:
            raise FieldError(f"write a field and its value, like city=Graz; the fields are {', '.join(known)}")
        try:
            return name, known[name].check.read(value, by)
        except FieldError as error:
            raise FieldError(f"{known[name].label}: {error.reason}") from error

    def show(self, value: Any, by: Conventions) -> str:
        name, asked = value
        return f"{fields(Client)[name].label}: {_condition_text(name, asked, by)}"


# What every command takes that is about a group; what is given narrows it together.
SomeClients = Annotated[tuple[Client, ...], About("Clients", "their numbers, references or names", positional=True)]
Only = Annotated[tuple[Having, ...], FieldIs(), About("Only", "a field and its value: city=Graz, tag=gold")]
Where = Annotated[str, About("Where", "a condition as in a rule: total_spend > 1000 and city = 'Boston'")]
OfView = Annotated[str, NameOf(60, "view"), About("View", "a saved view")]
Everybody = Annotated[bool, About("All clients", "yes for every client")]


@dataclass(frozen=True, slots=True)
class Group:
    """The clients that fit everything given here; all clients where nothing is.

    `numbers` are their own, `filters` as in a Query, `where` is a condition in the language of the rules, `view` the
    name of a saved view.
    """

    numbers: Sequence[int] = ()
    filters: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    view: str = ""

    @property
    def is_everybody(self) -> bool:
        """Return whether nothing narrows it."""
        return not (self.numbers or self.filters or self.where or self.view)

    @property
    def is_named(self) -> bool:
        """Return whether each of the clients was named."""
        return bool(self.numbers) and not (self.filters or self.where or self.view)

    def query(self, snapshot: Snapshot, sort: str = "") -> Query:
        """The group as a query, in the order of the view by default. Raises NotFoundError and RuleError."""
        conditions = self._conditions(snapshot)
        if self.view:
            sort = sort or view_called(snapshot, self.view).sort
        filters = {**self.filters, "id": list(self.numbers)} if self.numbers else self.filters
        joined = (
            " and ".join(f"({condition})" for condition in conditions) if len(conditions) > 1 else "".join(conditions)
        )
        return Query(filters, where=joined, sort=sort)

    def members(self, snapshot: Snapshot) -> list[int]:
        """The numbers of the clients in it. Raises NotFoundError for a number that no client has."""
        named = list(dict.fromkeys(self.numbers))
        existing = {client.id for some in some_at_a_time(snapshot, named) for client in some}
        if missing := [number for number in named if number not in existing]:
            raise NotFoundError(f"No client {missing[0]}. `clients list` shows all.")
        if self.is_named:
            return named
        fitting = Group((), self.filters, self.where, self.view).query(snapshot)
        numbers = snapshot.numbers(Client, fitting)
        if not numbers:
            self.refuse_unknown_status(snapshot)
        return [number for number in numbers if number in existing] if named else numbers

    def refuse_unknown_status(self, snapshot: Snapshot) -> None:
        """Raise FieldError for a status that no rule and no client has, which is looked at where nobody is found."""
        asked = self.filters.get("status", ())
        known = [*(rule.status for rule in snapshot.rules.rules), *filter(None, queries.statuses(snapshot))]
        known = list(dict.fromkeys(known))
        folded = {status.casefold() for status in known}
        for status in [asked] if isinstance(asked, str) else asked:
            if status and status.casefold() not in folded:
                raise FieldError(
                    f"no status {status}; use one of {', '.join(known)}" if known else f"no status {status}",
                    field="status",
                    label="Status",
                )

    def describe(self, by: Conventions) -> str:
        """The group in words: '3 clients', 'all clients', 'clients in the view VIPs with City: Graz'."""
        if self.is_everybody:
            return "all clients"
        count = len(set(self.numbers))
        words = pluralize(count, "client", "clients", by) if count else "clients"
        words += f" in the view {self.view}" if self.view else ""
        with_ = [FieldIs().show(item, by) for item in self.filters.items()]
        with_ += [self.where] if self.where else []
        return words + (f" with {', '.join(with_)}" if with_ else "")

    def condition(self, snapshot: Snapshot) -> str:
        """The filters of the group as one condition, as a view holds it. Raises FieldError for what a condition cannot
        say."""
        from crm.rules import And, condition_text, parse_condition

        if self.numbers:
            raise FieldError("a view cannot hold client numbers; tag the clients first and use the tag")
        written = self._conditions(snapshot)
        if len(written) < 2 and not self.filters:
            return "".join(written)
        parts = [parse_condition(text) for text in written]
        parts += [_as_condition(snapshot, name, asked) for name, asked in self.filters.items()]
        return condition_text(parts[0] if len(parts) == 1 else And(tuple(parts)))

    def _conditions(self, snapshot: Snapshot) -> list[str]:
        """The conditions of the view and the group, each of which can be read."""
        conditions = []
        if self.view:
            saved = view_called(snapshot, self.view)
            _refuse_unreadable(saved.condition, f"The condition of the view {saved.name} cannot be read. ")
            conditions.append(saved.condition)
        _refuse_unreadable(self.where)
        return [condition for condition in (*conditions, self.where) if condition]


def asked_for(clients: Sequence[Client], only: Sequence[Having], where: str, view: str, all_: bool = False) -> Group:
    """The group that a command is to change. Raises FieldError where nothing says which, and all is never meant by
    leaving everything out."""
    group = Group([client.id for client in clients], filters_of(only), where, view)
    if group.is_everybody and not all_:
        raise FieldError(
            "say which clients: their numbers, or --only, --where, --view, or --all", field="clients", label="Clients"
        )
    if all_ and not group.is_everybody:
        raise FieldError("choose all clients or some of them, not both", field="all_", label="--all")
    return group


def filters_of(only: Iterable[Having]) -> dict[str, Any]:
    """Fields and their values as the filters of a Query: of several values for one field any will do, of tags and own
    fields all must be there."""
    filters: dict[str, Any] = {}
    for name, asked in only:
        if name not in filters:
            filters[name] = asked
        elif name == "tags":
            filters[name] = (*filters[name], *asked)
        elif name == "extra":
            filters[name] = {**filters[name], **asked}
        else:
            before = filters[name] if isinstance(filters[name], list) else [filters[name]]
            filters[name] = [*before, asked]
    return filters


def some_at_a_time(snapshot: Snapshot, numbers: Sequence[int]) -> Iterator[list[Client]]:
    """The clients with these numbers in their order, as many at a time as are easily held; those that are not there
    are left out."""
    for batch in batches(numbers):
        clients = by_id(snapshot, Client, batch)
        yield [clients[number] for number in batch if number in clients]


def view_called(snapshot: Snapshot, name: str) -> View:
    """The saved view with this name, in whatever case. Raises NotFoundError."""
    views = snapshot.find_all(View, Query({"name": name}, limit=1))
    if not views:
        raise NotFoundError(f"No view called {name}. `views list` shows all.")
    return views[0]


def pluralize(count: int, one: str, several: str, by: Conventions) -> str:
    """A number with its noun."""
    return f"{by.number(count)} {one if count == 1 else several}"


def _condition_text(name: str, asked: Any, by: Conventions) -> str:
    check = fields(Client)[name].check
    several = asked if isinstance(asked, list) else [asked]
    return " or ".join(check.show(value, by) or "(empty)" for value in several)


def _refuse_unreadable(condition: str, prefix: str = "") -> None:
    if not condition:
        return
    from crm.rules import parse_condition

    try:
        parse_condition(condition)
    except RuleError as error:
        raise RuleError(
            f"{prefix}{error.reason}", text=error.text, position=error.position, names=error.names
        ) from error


def _as_condition(snapshot: Snapshot, name: str, asked: Any) -> Any:
    """A filter as the tree of a condition, about the same clients."""
    from crm.rules import METRICS, And, Compare, HasTag, In, IsMissing, Literal, Name

    if name not in METRICS:
        label = fields(Client)[name].label
        raise FieldError(f"a view cannot filter by {label.lower()}; use one of {', '.join(METRICS)}")
    if name == "tags":
        having = tuple(HasTag(tag) for tag in asked)
        return having[0] if len(having) == 1 else And(having)
    if METRICS[name].kind != "text":
        return Compare(Name(name), "=", Literal(asked))
    if asked == "":
        return IsMissing(Name(name))
    # A filter ignores case, a condition does not: it names each way in which the word is written.
    stored = queries.values_of(snapshot, name)
    several = {text.casefold() for text in (asked if isinstance(asked, list) else [asked])}
    spelled = tuple(spelling for spelling in stored if spelling and spelling.casefold() in several)
    if not spelled:
        raise FieldError(f"no client has that {fields(Client)[name].label.lower()}")
    return Compare(Name(name), "=", Literal(spelled[0])) if len(spelled) == 1 else In(Name(name), spelled)
