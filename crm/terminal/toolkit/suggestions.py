"""Suggestions for what was typed so far: names in conditions, and values that are there already."""

from collections.abc import Callable, Mapping, Sequence

from crm.commands.context import CRM
from crm.commands.ownership import names
from crm.lazy_pattern import lazy_pattern
from crm.model import Client, View, field_names, people
from crm.repository import Query
from crm.terminal.console.keyboard import Suggestion

_LAST_WORD = lazy_pattern(r"[A-Za-z_]{2,}$")


def metric_names(typed: str) -> list[Suggestion]:
    """The names that a condition may use, for the word that is being typed."""
    # What reads rules is loaded when a condition is typed: the first menu shows none.
    from crm.rules import METRICS

    match = _LAST_WORD.search(typed)
    if not match:
        return []
    start, word = typed[: match.start()], match.group().lower()
    return [
        Suggestion(f"{start}{metric.name}", metric.name, metric.description)
        for metric in METRICS.values()
        if metric.name.startswith(word) and metric.name != word
    ]


def suggestions(crm: CRM, name: str) -> Callable[[str], Sequence[Suggestion]] | None:
    """The existing values, for parameters that most often repeat one."""
    if name in _CONDITIONS:
        return metric_names
    known = _KNOWN.get(name)
    if known is None:
        return None

    def suggest(typed: str) -> Sequence[Suggestion]:
        begun, comma, last = typed.rpartition(",")
        start = last.strip().casefold()
        return [
            Suggestion(f"{begun}{comma}{' ' * bool(comma)}{value}", value)
            for value in known(crm)
            if value.casefold().startswith(start)
        ][:50]

    return suggest


def _statuses(crm: CRM) -> list[str]:
    from crm.commands.clients.rules import statuses

    with crm.read() as snapshot:
        return [status for status in statuses(snapshot) if status]


def _views(crm: CRM) -> list[str]:
    with crm.read() as snapshot:
        return [view.name for view in snapshot.find_all(View, Query(sort="name"))]


def known_people(crm: CRM) -> list[str]:
    """The people whom the team knows by name, the present user first."""
    with crm.read() as snapshot:
        known = names(snapshot)
    others = [name for name in known if name.casefold() != crm.me.casefold()]
    mine = next((name for name in known if name not in others), crm.me)
    return [mine, *others] if mine else others


def _sorts(_: CRM) -> list[str]:
    unsorted = ("extra", "notes", "version", *people(Client).values())
    return [name for name in field_names(Client) if name not in unsorted]


_CONDITIONS = ("where", "condition", "when")
# People of the team, whatever the parameter is called.
PEOPLE = "people"
_KNOWN: Mapping[str, Callable[[CRM], list[str]]] = {
    "status": _statuses,
    "view": _views,
    "sort": _sorts,
    PEOPLE: known_people,
}
