"""The values that complete a word on the command line: statuses, stages, tags, views, and names."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import fields
from itertools import islice
from string import ascii_letters
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from crm.shell.words import CHOICE, CONDITION, CURRENCY, GREETING, PATH, PEOPLE, STATUS, TAGS, UNIT, OptionWords

if TYPE_CHECKING:
    from crm.commands.context import CRM
    from crm.config import Config
    from crm.shell.call import Call

# What a kind of value needs is loaded where that kind is asked for: Tab is to be answered at once.
_MOST = 50


def values(
    config: "Callable[[], Config]", call: "Callable[[], Call]", asked: OptionWords, begun: str
) -> list[CompletionItem[str]]:
    """The completions for an option that begin so, from the store that the settings name. Raises CRMError."""
    if asked.takes == PATH:
        return [CompletionItem(begun, type="file")]
    start = ""
    if asked.takes in (CHOICE, TAGS) or asked.takes.startswith("listed "):
        # Of several between commas the last is completed.
        before, comma, begun = begun.rpartition(",")
        start, begun = before + comma + begun[: len(begun) - len(begun.lstrip())], begun.lstrip()
    if asked.takes == CHOICE:
        return _fitting(asked.choices, begun, start)
    if asked.takes == CONDITION:
        return _metrics(begun)
    if asked.takes == CURRENCY:
        from babel.numbers import list_currencies

        return _fitting(sorted(list_currencies()), begun)
    if asked.takes == UNIT:
        from crm.model.units import usual_units

        return _fitting(usual_units().values(), begun)
    if not asked.takes:
        return []
    if (words := _at_once(config(), asked.takes, begun)) is not None:
        return _fitting(words, begun, start)
    with call().quietly() as crm:
        return [] if crm is None else _fitting(as_seen(crm, asked.takes, begun), begun, start)


def _at_once(config: "Config", takes: str, begun: str) -> Iterable[str] | None:
    """The words of a file that is anybody's who may read it; None where it takes more to find them."""
    from crm.config import store_file
    from crm.shell import store_words

    file = store_file(config.store)
    if file is None or not store_words.statement(takes):
        return None
    with suppress(sqlite3.Error, OSError):
        return store_words.store_words(file, config.folder / "rosters.json", takes, begun)
    return ()


def as_seen(crm: "CRM", takes: str, begun: str) -> Iterable[str]:
    """The words as somebody who has signed in may see them."""
    kind, _, name = takes.partition(" ")
    if kind == "listed":
        return _listed(crm, name)
    with crm.read() as snapshot:
        if takes == GREETING:
            from crm.commands.mail.greetings import standing_orders

            return [order.name for order in standing_orders(snapshot)]
        if kind == "record":
            from crm.commands.lookup import names
            from crm.model import RECORDS

            record = next(record for record in RECORDS if record.kind_name == name)
            return list(names(snapshot, record, begun, _MOST))
        if kind == "field":
            from crm.model import BY_NAME
            from crm.repository.queries.store import values_of

            called, _, field = name.partition(" ")
            return values_of(snapshot, BY_NAME[called], field, begun, _MOST)
        if takes == TAGS:
            from crm.repository.queries.clients import tags

            return tags(snapshot)
        if takes == STATUS:
            from crm.commands.clients.rules import statuses

            return statuses(snapshot)
    from crm.terminal.toolkit.suggestions import known_people

    return known_people(crm) if takes == PEOPLE else ()


def _listed(crm: "CRM", words: str) -> Iterable[str]:
    """The first column of what a command lists."""
    from crm.commands.registry import of_shell

    for row in of_shell(words)(crm):
        yield str(getattr(row, fields(row)[0].name))


def _metrics(begun: str) -> list[CompletionItem[str]]:
    """The names that a condition may use, for the last word of one."""
    from crm.rules import METRICS

    start = begun.rstrip(ascii_letters + "_")
    return _fitting((f"{start}{name}" for name in METRICS), begun) if begun != start else []


def _fitting(known: Iterable[str], begun: str, before: str = "") -> list[CompletionItem[str]]:
    """The values that begin so, each once, behind what is `before` them; what a terminal would not show as it is, is
    left out."""
    start = begun.casefold()
    fitting = (text for text in dict.fromkeys(known) if text and text.casefold().startswith(start))
    printable = (text for text in fitting if text.isprintable())
    return [CompletionItem(f"{before}{value}") for value in islice(printable, _MOST)]
