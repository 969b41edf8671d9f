"""The values that complete a word on the command line: statuses, stages, tags, views, and names."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from crm.commands.registry import Parameter
from crm.model import Field
from crm.model.fields import Choice, Person, Tags

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
                from crm.commands.lookup import names

                return _fitting(names(snapshot, asked.record, begun, _MOST), begun)
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
