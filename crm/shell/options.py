"""The parameters of a command as words of the shell, and what was written for them as values."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm.commands.context import CRM
from crm.commands.registry import Command, Fields, FieldsOf, Parameter
from crm.errors import FieldError, Question, UsageError
from crm.model import BY_NAME, RECORDS, Client, Field, Record, field_names, people
from crm.model.fields import Check, Country, Extra, Flag, Id, Line, NameOf, Secret, Tags
from crm.model.paths import path_of
from crm.shell.words import (
    CHOICE,
    CONDITION,
    PATH,
    STATUS,
    SWITCH,
    TAGS,
    CommandWords,
    OptionWords,
)

# What completes a value of a parameter or a field that is called so.
_BY_NAME = {
    "condition": CONDITION,
    "when": CONDITION,
    "where": CONDITION,
    "status": STATUS,
    "status_before": STATUS,
}


def words_of(command: Command) -> CommandWords:
    """A command in words: an option for each parameter, and an argument for those that need no name."""
    options = [option for parameter in command.parameters.values() for option in _words(command, parameter)]
    return CommandWords(command.words, command.documentation, options)


def _words(command: Command, parameter: Parameter) -> list[OptionWords]:
    if parameter.name == "yes" or isinstance(parameter.check, Secret):
        return []
    if parameter.fields:
        kind = parameter.fields.record.kind_name if isinstance(parameter.fields, FieldsOf) else ""
        return [_field_words(field, kind) for field in parameter.fields.offered.values()]
    help_text = help_of(parameter)
    if isinstance(parameter.check, Flag):
        return [_switch_words(parameter.option, parameter.name, help_text)]
    takes, choices = _taken(command, parameter)
    option = OptionWords(
        (parameter.option, parameter.name),
        help_text,
        _metavar(parameter),
        several=parameter.many or isinstance(parameter.check, Tags),
        takes=takes,
        choices=choices,
    )
    argument = replace(option, names=(f"{parameter.name}_argument",), argument=True)
    return [argument, option] if parameter.positional else [option]


def help_of(parameter: Parameter) -> str:
    """The words for a parameter, with its default where they do not say it already."""
    text = f"{parameter.label}: {parameter.help}" if parameter.help else parameter.label
    if parameter.default in (None, "", (), [], False) or "default" in text:
        return text
    return f"{text} [default: {'yes' if parameter.default is True else parameter.default}]"


def _field_words(field: Field, kind: str) -> OptionWords:
    help_text = f"{field.label}: {field.help}" if field.help else field.label
    if isinstance(field.check, Flag):
        return _switch_words(field.option, field.name, help_text)
    takes, choices = _completed(field, kind)
    return OptionWords(
        (field.option, field.name),
        help_text,
        "NAME=VALUE" if isinstance(field.check, Extra) else field.name.upper(),
        several=isinstance(field.check, Tags | Extra),
        takes=takes,
        choices=choices,
    )


def _switch_words(option: str, name: str, help_text: str) -> OptionWords:
    """An option that says yes or no, or nothing where it is not given."""
    return OptionWords((f"{option}/{opposite(option)}", name), help_text, takes=SWITCH)


def _taken(command: Command, parameter: Parameter) -> tuple[str, Sequence[str]]:
    """The kind of completion of a parameter, and the choices there are."""
    if parameter.path:
        return PATH, ()
    if parameter.record:
        return f"record {parameter.record.kind_name}", ()
    if parameter.completed_by:
        return parameter.completed_by, ()
    if parameter.name == "sort":
        return CHOICE, _sorts(command)
    return _completed(parameter)


def _completed(asked: Parameter | Field, kind: str = "") -> tuple[str, Sequence[str]]:
    """The kind of completion of a plain value, or of a field of a record of this kind, and the choices there are."""
    check = asked.check
    if check is None:
        return "", ()
    if check.choices:
        return CHOICE, check.choices
    if isinstance(check, Id | NameOf):
        return f"record {check.record}", ()
    if kind and (isinstance(check, Country) or (isinstance(check, Line) and check.shared)):
        return f"field {kind} {asked.name}", ()
    if type(check) is Tags:
        return (TAGS if "tag" in asked.name else ""), ()
    return check.completed_by or _BY_NAME.get(asked.name, ""), ()


def _sorts(command: Command) -> Sequence[str]:
    """The fields that a list can be sorted by."""
    if command.group == "history":
        return ("id", "at", "user", "what")
    kind = next((kind for kind in RECORDS if kind.plural.replace(" ", "-") == command.group), Client)
    kind = Client if command.group == "views" else kind
    unsorted = ("extra", "notes", "version", *people(kind).values())
    return [name for name in field_names(kind) if name not in unsorted]


def opposite(option: str) -> str:
    """The option that says the contrary of a switch: --no-sale, and --reminders of --no-reminders."""
    return f"--{option.removeprefix('--no-')}" if option.startswith("--no-") else f"--no-{option[2:]}"


def _metavar(parameter: Parameter) -> str:
    if parameter.record:
        return parameter.record.kind_name.upper()
    return "FILE" if parameter.path else parameter.name.strip("_").upper()


def field_values(crm: CRM, takes: FieldsOf | Fields, options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were given, read. Raises FieldError."""
    values: dict[str, Any] = {}
    for name, field in takes.offered.items():
        written = options.get(name)
        if written is None or written == ():
            continue
        if isinstance(field.check, Flag):
            values[name] = written
            continue
        text = "\n".join(written) if isinstance(written, tuple) else written
        try:
            values[name] = _linked(crm, field.check, text) or field.check.entered(text, crm.conventions)
        except FieldError as error:
            raise error.at(name, field.option) from error
    return values


def written(parameter: Parameter, options: Mapping[str, Any]) -> Any:
    """The text given for a parameter, by its place or by its name; None where nothing was. Raises UsageError."""
    by_place, by_name = options.get(f"{parameter.name}_argument"), options.get(parameter.name)
    if parameter.many:
        return [*(by_place or ()), *(by_name or ())] or None
    if by_place not in (None, ()) and by_name not in (None, ()):
        raise UsageError(f"{parameter.label} is given twice. Give it once.")
    value = by_name if by_place in (None, ()) else by_place
    return None if value == () else value


def read(crm: CRM, parameter: Parameter, text: Any) -> Any:
    """Parse the text given for a parameter as its value, or values. Raises FieldError and NotFoundError."""
    if parameter.many:
        return [_read_one(crm, parameter, char) for char in text]
    return _read_one(
        crm, parameter, ",".join(text) if isinstance(text, Sequence) and not isinstance(text, str) else text
    )


def _read_one(crm: CRM, parameter: Parameter, text: Any) -> Any:
    if isinstance(text, bool):
        return text
    try:
        if parameter.path:
            return path_of(text)
        if parameter.record:
            return _selected(crm, parameter.record, text)
        return _linked(crm, parameter.value_check, text) or parameter.value_check.read(text, crm.conventions)
    except FieldError as error:
        raise error.at(parameter.name, parameter.option) from error


def _linked(crm: CRM, check: Check | None, text: str) -> int:
    """The number of the record that is named for a link, by its number or by what it is called; 0 where none is."""
    if not isinstance(check, Id) or text.strip() in ("", "0"):
        return 0
    return _selected(crm, BY_NAME[check.record], text).id


def _selected(crm: CRM, kind: type[Record], text: str) -> Record:
    # What finds records by their names is loaded when one is named.
    from crm.commands.lookup import selected

    return selected(crm, kind, text)


def answers(parameter: Parameter, question: Question) -> str:
    """The options that answer a question, in a sentence."""
    ways = []
    for value, words in question.choices.items():
        option = parameter.option
        if isinstance(parameter.check, Flag):
            option = option if value == "yes" else opposite(option)
        else:
            option = f"{option} {shlex.quote(value) if value else _metavar(parameter)}"
        spelled = dict.fromkeys([option, *(["--yes"] if value and value == question.yes else [])])
        ways.append((" or ".join(spelled), words))
    if len(ways) == 1:
        return f"Give {ways[0][0]} to continue."
    listed = [f"{option} ({words})" for option, words in ways]
    return f"Give {', '.join(listed[:-1])} or {listed[-1]}."
