"""Parameters of commands asked for one by one, each from its description, and questions answered."""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rich.text import Text

from crm.commands.context import CRM
from crm.commands.file_output import ending_of
from crm.commands.registry import Command, Parameter
from crm.errors import CRMError, FieldError, Question, RuleError
from crm.model import Client, Record
from crm.model.fields import Check, Day, Extra, Flag, Person, Prose, Secret, Unit
from crm.model.fields import Choice as OneOf
from crm.model.paths import display_path, path_of
from crm.model.units import usual_units
from crm.terminal.console.keyboard import (
    BACK,
    YES_OR_NO,
    Back,
    Choice,
    FormPlace,
    Keyboard,
    Needed,
    Suggestion,
    reason,
    yes_or_no,
)
from crm.terminal.drawing.list_conventions import ListConventions
from crm.terminal.drawing.screen import Screen, clean
from crm.terminal.toolkit.picking import line_of, pick, pick_several
from crm.terminal.toolkit.suggestions import PEOPLE, known_people, suggestions

if TYPE_CHECKING:
    from crm.terminal.console.file_transfer import FileTransfer

_KINDS_OF_FILE = {
    ".xlsx": "Excel", ".csv": "CSV", ".json": "JSON", ".vcf": "vCard, for an address book", ".png": "PNG picture",
    ".svg": "SVG picture", ".ics": "calendar",
}  # fmt: skip
# As many people have a key of their own beside the other entries.
_PEOPLE = 30
# How the help of a command says that a day may be left out.
# What a help says of options in the shell alone.
_SHELL_ONLY = "; may be given again"
_TODAY = "today by default"
# What only says how a list is cut, and is turned by keys.
_PAGING = frozenset(("limit", "offset"))


class Prompts:
    """The questions for what commands take, whatever the keyboard is."""

    def __init__(
        self,
        crm: CRM,
        keyboard: Keyboard,
        screen: Screen,
        insist: Callable[[Callable[[], Any]], Any] = lambda action: action(),
        exchange: "FileTransfer | None" = None,
    ) -> None:
        self.crm = crm
        self.keyboard = keyboard
        self.screen = screen
        self.insist = insist
        self.exchange = exchange

    def ask(
        self,
        parameter: Parameter,
        *,
        typed: str = "",
        error: str = "",
        begun: bool = False,
        form: FormPlace | None = None,
        beside: Mapping[str, Any] = MappingProxyType({}),
    ) -> Any:
        """The value of one parameter, at its place in a `form`. `typed` is in the line to be corrected, where it was
        `begun` to be gone on with, `error` what was wrong with it; `beside` are the answers so far, by their names.

        Raises Back.
        """
        value = self._asked(parameter, typed, error, form, beside, begun=begun)
        self.show_answer(parameter, value)
        return value

    def show_answer(self, parameter: Parameter, value: Any, wide: int = 0) -> None:
        """Leave an answer on the screen, as it was understood, behind a label that takes so many columns."""
        if not self.screen.plain:
            label = f"{parameter.label}:".ljust(wide + 1)
            text = self.screen.cut(self._answer_text(parameter, value) or "empty", len(label) + 1)
            self.screen.print(Text(f"{label} ", "muted").append(text, "default"))

    def _take_back(self, parameter: Parameter, value: Any) -> None:
        """Take an answer that was refused off the screen: what is there was accepted."""
        if not self.screen.plain:
            self.screen.erase(self.screen.drawn([lambda: self.show_answer(parameter, value)]))

    def _answer_text(self, parameter: Parameter, value: Any) -> str:
        match value:
            case None if isinstance(parameter.check, Day) and _TODAY in parameter.help:
                return parameter.check.show(self.crm.today, self.crm.conventions)
            case None | "" | () | []:
                return ""
            case Client():
                return value.name
            case Record():
                return line_of(value, ListConventions.of(self.crm.conventions))
            case PurePath() if parameter.names_file and self.exchange is not None:
                return "a download"
            case PurePath():
                return display_path(value)
            case list() | tuple() if parameter.many:
                one = dataclasses.replace(parameter, many=False)
                return ", ".join(self._answer_text(one, item) for item in value)
        if parameter.check:
            return parameter.check.show(value, self.crm.conventions)
        return str(value)

    def _asked(
        self,
        parameter: Parameter,
        typed: str,
        error: str,
        form: FormPlace | None,
        beside: Mapping[str, Any],
        *,
        begun: bool,
    ) -> Any:
        if parameter.record and parameter.many:
            return pick_several(self.crm, self.keyboard, parameter.record, parameter.label, beside)
        if parameter.record:
            current = beside.get(parameter.name)
            return pick(
                self.crm,
                self.keyboard,
                parameter.record,
                parameter.label,
                required=parameter.required,
                current=current if isinstance(current, parameter.record) else None,
            )
        if parameter.path:
            return self._path(parameter, typed, error, begun=begun)
        if parameter.check is None:
            raise TypeError(f"{parameter.name} is no single value")
        if parameter.many:
            return self._several(parameter, parameter.check)
        return self.value(
            parameter.label,
            parameter.check,
            help=parameter.help,
            typed=typed,
            error=error,
            # One that may be left out is only asked for where it turned out to be needed.
            required=parameter.required or isinstance(parameter.check, Secret),
            default=parameter.default,
            suggest=suggestions(self.crm, parameter.name),
            begun=begun,
            form=form,
        )

    def value(
        self,
        label: str,
        check: Check,
        *,
        help: str = "",
        typed: str = "",
        error: str = "",
        required: bool = False,
        default: Any = None,
        suggest: Callable[[str], Sequence[Suggestion]] | None = None,
        current: Any = None,
        of_record: bool = False,
        begun: bool = False,
        form: FormPlace | None = None,
    ) -> Any:
        """A value that a check accepts: chosen by number where there are few, else typed. `current` is the value that
        is there as `typed`, which is left as it is even where it could not be typed any more. A value `of_record` may
        be kept as it is typed; one that was `begun` is gone on with."""
        by, unchanged = self.crm.conventions, typed
        if isinstance(check, Flag):
            answers = [Choice("Yes", True), Choice("No", False)]
            return self.keyboard.choose(f"{label}?", answers, hidden=yes_or_no(True, False))
        if isinstance(check, OneOf):
            entries = [Choice(words, value) for value, words in check.words(by).items()]
            return self.keyboard.choose("\n".join(filter(None, (error, f"{label}:"))), entries, at=typed or default)
        if isinstance(check, Person):
            suggest = suggestions(self.crm, PEOPLE)
            if not error and (people := known_people(self.crm)[:_PEOPLE]):
                # Whom the team knows is chosen by a key, anybody else is typed.
                entries = [Choice(name, name) for name in people] + [Choice("Someone else", None)]
                entries += [] if required else [Choice("Nobody" if typed else "Leave it out", "")]
                chosen = self.keyboard.choose(f"{label}:", entries, at=typed or self.crm.me)
                if chosen is not None:
                    return chosen or default
                typed, required = "", True

        if isinstance(check, Unit) and not error:
            entries = [Choice(name.capitalize(), code) for code, name in usual_units().items()]
            entries.append(Choice("Another unit, by its code", None))
            chosen = self.keyboard.choose(f"{label}:", entries, at=typed or default)
            if chosen is not None:
                return chosen
            typed, required = "", True

        def read(text: str) -> Any:
            if current is not None and text == unchanged:
                return current
            if text.strip():
                return check.entered(text, by) if of_record else check.read(text, by)
            if required:
                raise Needed
            return default

        about = help.rstrip(".") or check.hint(by)
        if not (
            required or typed or any(word in about for word in ("empty", "unless", "Enter", "default", "optional"))
        ):
            about = "; ".join(filter(None, (about, "optional")))
        about = about.replace(_TODAY, "Enter for today").replace(_SHELL_ONLY, "")
        return self.keyboard.text(
            label,
            read,
            default=typed,
            help=about,
            error=error,
            suggest=suggest,
            multiline=isinstance(check, Prose | Extra),
            secret=isinstance(check, Secret),
            begun=begun,
            form=form,
        )

    def in_menu(self, sentence: str) -> str:
        """A sentence of a command as the menu says it: what one types in the shell has its title there."""
        if "`" not in sentence:
            return sentence
        # Few sentences name a command.
        from crm.terminal.toolkit.command_titles import with_titles

        return with_titles(sentence, self.crm.conventions.country)

    def answer(self, question: Question) -> Any:
        """The answer to a question that a command raised: the value of one of its choices, or one of its
        records where the person would rather have that. Raises Back for no."""
        entries = []
        if question.question_kind == "duplicate":
            entries = [
                Choice(f"Open {line_of(record, ListConventions.of(self.crm.conventions))} instead", record)
                for record in question.records[:5]
            ]
        if question.typed:
            self.screen.print(Text(clean(self.in_menu(question.sentence), lines=True), "warning"))
            self.typed_count(question.typed, f"Type {question.typed} to confirm")
            return question.yes
        entries += [Choice(words, value) for value, words in question.choices.items()]
        return self.keyboard.choose(
            self.in_menu(question.sentence),
            entries,
            back="No, go back",
            hidden=(short := _short_answers(question)),
            hint=YES_OR_NO if short and len(entries) == 1 else "",
            at=BACK if question.destructive else None,
        )

    def typed_count(self, count: str, label: str) -> None:
        """Go on once the person has typed how many it concerns. Raises Back."""

        def read(typed: str) -> bool:
            if not typed.strip():
                raise Needed
            if re.sub(r"\D", "", typed) != count:
                raise FieldError(f"type {count} to confirm, or Esc to go back")
            return True

        self.keyboard.text(label, read, passing=True)

    def run(self, command: Command, arguments: Mapping[str, Any]) -> Any:
        """Call a command, ask what it asks, and let a value that it refuses be corrected. Raises Back.

        Where a question is answered by one of its records, that record is the result.
        """
        arguments = dict(arguments)
        while True:
            try:
                return self.insist(lambda: command(self.crm, **arguments))
            except Question as question:
                answer = self.answer(question)
                if isinstance(answer, Record):
                    return answer
                parameter = command.parameters[question.parameter]
                check = parameter.check
                if answer == "" and "" in question.choices:
                    arguments[question.parameter] = self.ask(dataclasses.replace(parameter, required=True))
                    continue
                arguments[question.parameter] = check.read(answer, self.crm.conventions) if check else answer
            except (FieldError, RuleError) as error:
                wrong = _refused(command, arguments, error)
                if wrong is None:
                    raise
                value, message = arguments.get(wrong.name), reason(error, self.screen.width - 1)
                message = self.in_menu(message)
                self._take_back(wrong, value)
                if wrong.many and wrong.check and value:
                    arguments[wrong.name] = self._several_again(wrong, wrong.check, value, message)
                else:
                    arguments[wrong.name] = self.ask(wrong, typed=self.typed(wrong, value), error=message)

    def typed(self, parameter: Parameter, value: Any) -> str:
        """An answer given before, as text to change."""
        if value in (None, "", ()) or parameter.many or parameter.record:
            return ""
        if parameter.path:
            return str(value)
        return parameter.check.edit(value, self.crm.conventions) if parameter.check else ""

    def _path(self, parameter: Parameter, typed: str, error: str, *, begun: bool) -> Any:
        if self.exchange is not None:
            return self._exchanged(self.exchange, parameter)

        def read(text: str) -> Any:
            if text.strip():
                path = path_of(text.strip().strip("'\""))
                if len(parameter.makes) > 1:
                    ending_of(path, parameter.makes)
                return path
            if parameter.required:
                raise Needed
            return parameter.default

        return self.keyboard.text(
            parameter.label, read, default=typed, help=parameter.help, error=error, path=True, begun=begun
        )

    def _exchanged(self, exchange: "FileTransfer", parameter: Parameter) -> Any:
        """A file where the person sits elsewhere: taken from their device, or made here to be handed over."""
        if parameter.names_file:
            from tempfile import mkdtemp

            # Files handed over earlier keep their place.
            return Path(mkdtemp(dir=exchange.folder))
        if parameter.makes:
            endings = [Choice(_KINDS_OF_FILE.get(part, part), part) for part in parameter.makes]
            ending = endings[0].value if len(endings) == 1 else self.keyboard.choose("As:", endings)
            made = exchange.folder / f"crm-{self.crm.today}{ending}"
            # An earlier download of that name is no longer needed.
            made.unlink(missing_ok=True)
            return made
        self.screen.print(Text(f"Choose it in the bar “{parameter.label}” above the terminal. Esc cancels.", "muted"))
        file = exchange.ask_file(parameter.label)
        if file is None:
            raise Back
        return file

    def _several(self, parameter: Parameter, check: Check) -> list[Any]:
        """Values one after another until an empty one."""
        values: list[Any] = []
        while True:
            required = parameter.required and not values
            value = self.value(f"{parameter.label} {len(values) + 1}", check, help=parameter.help, required=required)
            if value in (None, ""):
                return values or parameter.default or []
            values.append(value)

    def _several_again(self, parameter: Parameter, check: Check, before: Sequence[Any], error: str) -> list[Any]:
        """Several values of which one was refused: each is there to be corrected, and one that is cleared is dropped;
        a single one is not."""
        values: list[Any] = []
        for place, value in enumerate(before, start=1):
            label = parameter.label if len(before) == 1 else f"{parameter.label} {place}"
            typed = check.edit(value, self.crm.conventions)
            again = self.value(label, check, help=parameter.help, typed=typed, error=error, required=len(before) == 1)
            error = ""
            values += [again] if again not in (None, "") else []
        return values


def _short_answers(question: Question) -> list[Choice]:
    """The keys y and n, where it is a question of yes or no. One with records to open instead has three answers."""
    if question.question_kind == "duplicate" and question.records:
        return []
    match list(question.choices):
        case [only]:
            return yes_or_no(only)
        case ["yes", "no"]:
            return yes_or_no("yes", "no")
    return []


def in_order(command: Command) -> list[Parameter]:
    """The parameters that a person is asked for: required ones first. Yes and no are asked by the command itself when
    it matters, and how a list is cut is turned by keys."""
    asked = [
        parameter
        for parameter in command.parameters.values()
        if not parameter.fields
        and parameter.name not in _PAGING
        and not (isinstance(parameter.check, Flag) and not parameter.required)
    ]
    return sorted(asked, key=lambda parameter: not parameter.required)


def _refused(command: Command, arguments: Mapping[str, Any], error: CRMError) -> Parameter | None:
    """The parameter whose value a command refused, where it is known and a person typed it."""
    named = command.parameters.get(error.field) if isinstance(error, FieldError) else None
    if named and named.check:
        return named
    if isinstance(error, RuleError):
        for name in ("where", "condition", "when", "rule", "line"):
            if arguments.get(name) and name in command.parameters and command.parameters[name].check:
                return command.parameters[name]
    return None
