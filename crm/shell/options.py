"""The parameters of a command as options and arguments, and what was written for them as values."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from crm.commands.context import CRM
from crm.commands.registry import Command, FieldsOf, Parameter
from crm.errors import FieldError, Question, UsageError
from crm.model import Field
from crm.model.fields import Extra, Flag, Secret, Tags
from crm.model.paths import path_of

# What may stand for a parameter, or a field, that begins with what was typed.
Complete = Callable[[Parameter | Field, str], list[CompletionItem[str]]]


def options(command: Command, complete: Complete) -> list[click.Parameter]:
    """The options of a command: an option for each parameter, and an argument for those that need no name."""
    return [option for parameter in command.parameters.values() for option in _options(parameter, complete)]


def _options(parameter: Parameter, complete: Complete) -> list[click.Parameter]:
    if parameter.name == "yes" or isinstance(parameter.check, Secret):
        return []
    if parameter.fields:
        return [_field_option(field, complete) for field in parameter.fields.offered.values()]
    help_text = f"{parameter.label}: {parameter.help}" if parameter.help else parameter.label
    # Whatever the words do not say already.
    if parameter.default not in (None, "", (), [], False) and "default" not in help_text:
        help_text += f" [default: {'yes' if parameter.default is True else parameter.default}]"
    if isinstance(parameter.check, Flag):
        return [_switch(parameter.option, parameter.name, help_text)]
    several = parameter.many or isinstance(parameter.check, Tags)
    attributes: dict[str, Any] = {
        "help": help_text,
        "metavar": _metavar(parameter),
        "shell_complete": lambda _, __, begun: complete(parameter, begun),
    }
    made: list[click.Parameter] = [click.Option([parameter.option, parameter.name], multiple=several, **attributes)]
    if parameter.positional:
        name, count = f"{parameter.name}_argument", -1 if several else 1
        made.insert(0, click.Argument([name], nargs=count, required=False, **attributes))
    return made


def _field_option(field: Field, complete: Complete) -> click.Option:
    help_text = f"{field.label}: {field.help}" if field.help else field.label
    if isinstance(field.check, Flag):
        return _switch(field.option, field.name, help_text)
    return click.Option(
        [field.option, field.name],
        multiple=isinstance(field.check, Tags | Extra),
        help=help_text,
        metavar="NAME=VALUE" if isinstance(field.check, Extra) else field.name.upper(),
        shell_complete=lambda _, __, begun: complete(field, begun),
    )


def _switch(option: str, name: str, help_text: str) -> click.Option:
    """An option that says yes or no, or nothing where it is not given."""
    return click.Option([f"{option}/--no-{option[2:]}", name], default=None, help=help_text)


def _metavar(parameter: Parameter) -> str:
    if parameter.record:
        return parameter.record.kind_name.upper()
    return "FILE" if parameter.path else parameter.name.strip("_").upper()


def field_values(crm: CRM, takes: FieldsOf, options: Mapping[str, Any]) -> dict[str, Any]:
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
            values[name] = field.check.entered(text, crm.conventions)
        except FieldError as error:
            raise error.at(name, field.option) from error
    return values


def written(parameter: Parameter, options: Mapping[str, Any]) -> Any:
    """The text given for a parameter, by its place or by its name; None where nothing was. Raises UsageError."""
    by_place, by_name = options.get(f"{parameter.name}_argument"), options.get(parameter.name)
    if parameter.many:
        return [*(by_place or ()), *(by_name or ())] or None
    if by_place not in (None, ()) and by_name not in (None, ()):
        raise UsageError(f"{parameter.label} is given twice.")
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
            # What finds records by their names is loaded when one is named.
            from crm.commands.lookup import selected

            return selected(crm, parameter.record, text)
        return parameter.value_check.read(text, crm.conventions)
    except FieldError as error:
        raise error.at(parameter.name, parameter.option) from error


def answers(parameter: Parameter, question: Question) -> str:
    """The options that answer a question, in a sentence."""
    ways = []
    for value, words in question.choices.items():
        option = parameter.option
        if isinstance(parameter.check, Flag):
            option = option if value == "yes" else f"--no-{option[2:]}"
        else:
            option = f"{option} {shlex.quote(value)}"
        spelled = dict.fromkeys([option, *(["--yes"] if value == question.yes else [])])
        ways.append((" or ".join(spelled), words))
    if len(ways) == 1:
        return f"Give {ways[0][0]} to go on."
    listed = [f"{option} ({words})" for option, words in ways]
    return f"Give {', '.join(listed[:-1])} or {listed[-1]}."
