"""Sentences that name commands, with the titles that these have in the menu."""

import re

from crm.commands.registry import Command, FieldsOf, named
from crm.config import TEAM
from crm.lazy_pattern import lazy_pattern
from crm.model.local_labels import local_label

_COMMAND = lazy_pattern(r"`([a-z][^`\n]*)`")
_OPTION = lazy_pattern(r"--([a-z][a-z-]*)")
# So many words a command has at most.
_MOST_WORDS = 3
_SET = "settings set"


def with_titles(sentence: str, country: str) -> str:
    """A sentence with the title of each command that it names in the place of what one types in the shell; what the
    menu has not stays as it is."""

    def title(typed: "re.Match[str]") -> str:
        words = typed[1].split()
        for count in range(min(_MOST_WORDS, len(words)), 0, -1):
            try:
                command = named(" ".join(words[:count]))
            except KeyError:
                continue
            return f"“{', '.join([_place(command), *_fields(command, words[count:], country)])}”"
        return typed[0]

    return _COMMAND.sub(title, sentence) if "`" in sentence else sentence


def _place(command: Command) -> str:
    if command.words == _SET:
        return "Settings"
    # One word alone does not say of what: Edit.
    is_clear = " " in command.title or not command.group or command.title.casefold() == command.group
    return command.title if is_clear else f"{command.group.capitalize()}, {command.title}"


def _fields(command: Command, rest: list[str], country: str) -> list[str]:
    """The names of the fields or the setting that a command is given."""
    if command.words == _SET:
        return [local_label(option.label, country) for option in TEAM if option.name in rest[:1]]
    labels = {parameter.name.strip("_"): parameter.label for parameter in command.parameters.values()}
    for parameter in command.parameters.values():
        if isinstance(parameter.fields, FieldsOf):
            labels |= {name: field.label for name, field in parameter.fields.offered.items()}
    options = [option.replace("-", "_") for option in _OPTION.findall(" ".join(rest))]
    names = [option if option in labels else option.removeprefix("no_") for option in options]
    return [local_label(labels[name], country) for name in names if name in labels]
