"""The error of a command line that is not understood: what is wrong, then what was probably meant, or where to look."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import click

from crm.wording import as_sentences

# Words for the same action; commands are suggested by any of them.
_SAME: Sequence[frozenset[str]] = (
    frozenset(("delete", "remove", "rm", "drop", "undo", "lift", "clear")),
    frozenset(("add", "new", "create", "save", "set", "record", "log")),
    frozenset(("occasions", "greetings")),
    frozenset(("show", "get", "view", "open", "list", "ls", "all")),
    frozenset(("edit", "update", "change", "modify", "set", "rename")),
    frozenset(("search", "find", "lookup")),
    frozenset(("capture", "log", "note", "call")),
)
# So many suggestions can be read at a glance.
_MOST = 3
_SEVERAL_NAMES = re.compile(r"\((.*)\)")


def sentence_of(error: click.ClickException) -> str:
    """Return what is wrong with a command line, as sentences."""
    message = error.format_message()
    if isinstance(error, click.BadOptionUsage) and "requires an argument" in message:
        return f"{error.option_name} has no value. Write the value after it."
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None or isinstance(error, click.exceptions.NoArgsIsHelpError):
        return as_sentences(message)
    if isinstance(error, click.NoSuchCommand):
        meant = _commands_meant(error.command_name, context)
        return f"No command called {error.command_name}. {_advice(meant, context, 'shows all commands')}"
    if isinstance(error, click.NoSuchOption):
        meant = _close(error.option_name, _options(context.command, context))
        return f"No option called {error.option_name}. {_advice(meant, context, 'shows all options')}"
    if message.startswith("Got unexpected extra") and (words := _SEVERAL_NAMES.search(message)):
        return f"“{words[1]}” is not expected here. {_advice((), context, 'shows the options')}"
    if isinstance(error, click.BadParameter) and error.param is not None:
        return f"{error.param.opts[0]}: {as_sentences(error.message)}"
    return f"{as_sentences(message)} {_advice((), context, 'shows the options')}"


def _advice(meant: Iterable[str], context: click.Context, shows: str) -> str:
    """Return what was probably meant, as a question, or else the command that helps, as a sentence."""
    names = list(meant)[:_MOST]
    if not names:
        return f"`{context.command_path} --help` {shows}."
    return f"Did you mean {' or '.join([', '.join(names[:-1]), names[-1]] if len(names) > 1 else names)}?"


def _commands_meant(word: str, context: click.Context) -> list[str]:
    """The commands of a group that are called nearly so, or for the same action; and of all, those with this as their
    last word."""
    group = context.command
    names = group.list_commands(context) if isinstance(group, click.Group) else []
    close = get_close_matches(word, names, n=_MOST, cutoff=0.7)
    meant = list(dict.fromkeys([*_same(word, names), *close]))
    if not meant and (likely := get_close_matches(word, [name for names in _SAME for name in names], n=1)):
        meant = _same(likely[0], names)
    if meant or context.parent is not None:
        return meant
    from crm.shell.words import every_command

    return [words for words in every_command() if words.rpartition(" ")[2] == word]


def _same(word: str, names: Sequence[str]) -> list[str]:
    """The commands for the same action."""
    same = {synonym for synonyms in _SAME if word in synonyms for synonym in synonyms}
    return [name for name in names if name in same]


def _options(command: click.Command, context: click.Context) -> list[str]:
    """The names of the options of a command, without those that are hidden."""
    parameters = command.get_params(context)
    options = (option for option in parameters if isinstance(option, click.Option) and option.name != "help")
    return [name for option in options for name in (*option.opts, *option.secondary_opts)]


def _close(name: str, options: Sequence[str]) -> list[str]:
    """The options that are called nearly so, or one of whose words is this."""
    bare = {option.lstrip("-"): option for option in options}
    word = name.lstrip("-")
    close = get_close_matches(word, bare, n=_MOST, cutoff=0.6)
    holding = [option for option in bare if word in option.split("-")]
    return [bare[option] for option in dict.fromkeys([*holding, *close])]
