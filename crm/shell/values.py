"""The values that complete a word on the command line: statuses, stages, tags, views, and names."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from crm.commands.registry import Parameter
from crm.model import Client, Contact, Deal, Field, Record, Stage
from crm.model.fields import Choice, Person, Tags
from crm.repository import Query, Snapshot

if TYPE_CHECKING:
    from crm.shell.call import Call

# What a kind of value needs is loaded where that kind is asked for: Tab is to be as quick as a command.
_MOST = 50


def values(call: "Callable[[], Call]", asked: Parameter | Field, begun: str) -> list[CompletionItem[str]]:
    """The completions for a parameter or a field that begins so. Raises CRMError."""
    if isinstance(asked, Parameter) and asked.path:
        return [CompletionItem(begun, type="file")]
    if isinstance(asked.check, Choice):
        return _fitting(asked.check.options, begun)
    with call().quietly() as crm:
        if crm is None:
            return []
        with crm.read() as snapshot:
            if isinstance(asked, Parameter) and asked.record:
                return _fitting(_names(snapshot, asked.record, begun), begun)
            if isinstance(asked.check, Tags) and "tag" in asked.name:
                from crm.repository.queries.clients import tags

                return _fitting(tags(snapshot), begun)
        from crm.terminal.toolkit.suggestions import PEOPLE, suggestions

        suggest = suggestions(crm, PEOPLE if isinstance(asked.check, Person) else asked.name)
        return _fitting((suggestion.text for suggestion in suggest(begun)), begun) if suggest else []


def _fitting(known: Iterable[str], begun: str) -> list[CompletionItem[str]]:
    """The values that begin so, each once; what a terminal would not show as it is, is left out."""
    start = begun.casefold()
    fitting = (text for text in dict.fromkeys(known) if text and text.casefold().startswith(start))
    return [CompletionItem(value) for value in fitting if value.isprintable()][:_MOST]


def _names(snapshot: Snapshot, kind: type[Record], begun: str) -> Iterator[str]:
    """The names of records."""
    if kind is Client:
        found = snapshot.search(begun, _MOST) if begun.strip() else snapshot.find_all(Client, Query(limit=_MOST))
        yield from (client.name for client in found)
    elif kind is Contact:
        from crm.commands.clients.contacts import contacts_saying

        yield from (contact.name for contact in contacts_saying(snapshot, begun, limit=_MOST))
    elif kind is Deal:
        from crm.commands.sales.pipeline import listed, stages
        from crm.repository.queries.deals import WhichDeals

        found_deals = listed(
            snapshot, (), WhichDeals([stage.id for stage in stages(snapshot)], text=begun), limit=_MOST
        )
        yield from (deal.deal.title for deal in found_deals)
    elif kind is Stage:
        from crm.commands.sales.pipeline import stages

        yield from (stage.name for stage in stages(snapshot))
    else:
        for name in kind.about.unique:
            yield from filter(None, (getattr(record, name) for record in snapshot.find_all(kind, Query(limit=_MOST))))
