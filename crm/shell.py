"""The command line, made from the register of commands: the same use cases for scripts and cron."""

import inspect
import json
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import TyperException

from crm.accounts.remembered import Remembered
from crm.commands.context import CRM, has_accounts
from crm.commands.registry import Command, FieldsOf, Parameter, commands
from crm.commands.selecting import selected
from crm.config import Config, data_folder, from_environment
from crm.errors import (
    Cancelled,
    CRMError,
    FieldError,
    FileError,
    Question,
    RefusedError,
    SignInRefusedError,
    StoreError,
    UsageError,
)
from crm.model import Conventions, Field
from crm.model.encoding import plain
from crm.model.fields import Extra, Flag, Secret, Tags
from crm.repository import Wait

if TYPE_CHECKING:
    from crm.terminal.loop import Loop
    from crm.terminal.prompts import Prompts
    from crm.terminal.screen import Screen
    from crm.terminal.session import Session

# What stands before or after the command and holds for all of them.
_GLOBAL: Mapping[str, tuple[Any, str]] = {
    "store": (str, "Where the data lives, like sqlite:///path/to/file.sqlite3."),
    "json": (bool, "Print one JSON document."),
    "yes": (bool, "Answer every confirmation with yes."),
    "debug": (bool, "Show where an error came from."),
}
_HELP = """A CRM for the terminal: clients, sales, and a status that rules review after each sale.

Without a command the menu opens."""


class _Shell:
    """One call of the program: what stood on the command line, and where the answer goes."""

    def __init__(
        self,
        environment: Mapping[str, str],
        open_crm: Callable[..., CRM],
        serve: Callable[[Config, str, int], int] | None,
        loop: "Loop | None",
    ) -> None:
        self._environment = environment
        self._open_crm = open_crm
        self._serve = serve
        self._loop = loop
        self.settings: dict[str, Any] = {"store": "", "json": False, "yes": False, "debug": False}

    def application(self) -> typer.Typer:
        """The Typer application with a command for each of the register."""
        application = typer.Typer(
            help=_HELP,
            context_settings={"help_option_names": ["-h", "--help"]},
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
        )
        application.callback(invoke_without_command=True)(self._with_globals(self._menu, hidden=False))
        groups: dict[str, typer.Typer] = {}
        for each in commands():
            target = application
            if each.group:
                if each.group not in groups:
                    groups[each.group] = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
                    application.add_typer(groups[each.group], name=each.group, help=_group_help(each.group))
                target = groups[each.group]
            target.command(each.name, help=each.documentation)(self._function(each))
        for name, function, told in (
            ("sign-in", self._sign_in, "Signs in on this machine, for the commands of the next hours."),
            ("sign-out", self._sign_out, "Ends the sign-in of this machine."),
            *([("web", self._web, "Serves the menu to browsers, until it is stopped.")] if self._serve else []),
        ):
            application.command(name, help=told)(self._with_globals(function, hidden=True))
        return application

    def _menu(self, ctx: typer.Context) -> None:
        if ctx.invoked_subcommand is None and self._loop is not None:
            from crm.terminal.menu import run_menu

            debug = bool(self.settings["debug"])
            opening = partial(self._open_crm, self._config())
            raise typer.Exit(run_menu(opening, sys.stdin, sys.stdout, self._loop, debug=debug))

    def _with_globals(self, function: Callable[..., None], *, hidden: bool) -> Callable[..., None]:
        """The function with the global options added, so that they may stand before or after the command."""
        signature = inspect.signature(function)
        added = [_global_option(name, hidden=hidden) for name in _GLOBAL]
        kept = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]

        def called(**given: Any) -> None:
            for name in _GLOBAL:
                self.settings[name] = given.pop(f"global_{name}") or self.settings[name]
            function(**given)

        return _signed(called, function.__name__, [*kept, *added])

    def _function(self, command: Command) -> Callable[..., None]:
        """The function that Typer calls for a command, with an option for each parameter."""
        options = [option for parameter in command.parameters.values() for option in _options(parameter)]

        def called(**given: Any) -> None:
            self._call(command, given)

        return self._with_globals(_signed(called, command.name, options), hidden=True)

    def _config(self) -> Config:
        return from_environment(self._environment, self.settings["store"])

    def _call(self, command: Command, given: Mapping[str, Any]) -> None:
        owner = crm = self._open_crm(self._config(), **self._doors())
        try:
            if command.words not in _BACKED_UP_BY_THEMSELVES:
                # Once a day, at first use; where it cannot be written the command itself says what is wrong.
                with suppress(CRMError):
                    owner.repository.daily_backup()
            crm = self._entered(owner)
            result = self._done(crm, command, given)
            self._print(crm, result)
            self._notice(crm)
        finally:
            owner.repository.close()
        if getattr(result, "failed", False):
            raise typer.Exit(1)

    def _done(self, crm: CRM, command: Command, given: Mapping[str, Any]) -> Any:
        try:
            arguments = self._arguments(crm, command, given)
            return self._answered(crm, command, arguments)
        except (KeyboardInterrupt, EOFError) as left:
            raise Cancelled from left

    def _entered(self, crm: CRM) -> CRM:
        """The CRM as whoever has signed in on this machine has it; where the store has no accounts, as it is."""
        try:
            if not has_accounts(crm):
                return crm
        except StoreError:
            # The command itself says what is wrong, and may be what mends it.
            return crm
        who = crm.accounts.open().session(Remembered(data_folder()).token(crm.repository.url))
        if who is None and self._asks:
            with _session(crm) as session:
                return _signed_in(session)
        if who is None:
            raise SignInRefusedError("This store has accounts. Sign in first: python run.py sign-in")
        if who.must_change or who.needs_second_factor:
            raise SignInRefusedError("First a new password or a second factor is asked of you: open the menu for that.")
        return crm.enter(crm, who)

    def _sign_in(self, email: Annotated[str, typer.Option("--email", help="Your e-mail address.")] = "") -> None:
        crm = self._open_crm(self._config(), **self._doors())
        try:
            if not has_accounts(crm):
                raise RefusedError("This store has no accounts; nobody has to sign in. `users add` makes the first.")
            with _session(crm) as session:
                _signed_in(session, email)
        finally:
            crm.repository.close()

    def _sign_out(self) -> None:
        crm = self._open_crm(self._config(), **self._doors())
        try:
            remembered = Remembered(data_folder())
            who = crm.accounts.open().session(remembered.token(crm.repository.url))
            remembered.keep(crm.repository.url, "")
            if who is not None:
                crm.accounts.open().end(who.session)
        finally:
            crm.repository.close()

    def _web(
        self,
        port: Annotated[int, typer.Option("--port", help="Where to listen; PORT unless told, else 8000.")] = 0,
        host: Annotated[str, typer.Option("--host", help="On which address; this machine alone unless told.")] = "",
    ) -> None:
        if self._serve is None:
            raise UsageError("The menu is not served to browsers here.")
        raise typer.Exit(self._serve(self._config(), host, port))

    @property
    def _asks(self) -> bool:
        """Whether somebody sits here who can be asked."""
        return not self.settings["json"] and sys.stdin.isatty() and sys.stdout.isatty()

    def _doors(self) -> dict[str, Any]:
        if not self._asks:
            return {"waiting": _Waiting(as_json=self.settings["json"])}
        screen = _screen()
        return {"progress": screen.progress, "waiting": screen.waiting}

    def _arguments(self, crm: CRM, command: Command, given: Mapping[str, Any]) -> dict[str, Any]:
        """The command's arguments, read and checked; what is missing is asked where a person sits."""
        arguments: dict[str, Any] = {}
        for name, parameter in command.parameters.items():
            if name == "yes":
                arguments[name] = self.settings["yes"]
                continue
            if parameter.fields:
                arguments[name] = _field_values(parameter.fields, given, crm.conventions)
                continue
            written = _written(parameter, given)
            if written is None:
                if parameter.required:
                    arguments[name] = self._asked(crm, parameter)
                continue
            arguments[name] = _read(crm, parameter, written)
        return arguments

    def _asked(self, crm: CRM, parameter: Parameter) -> Any:
        if not self._asks and isinstance(parameter.check, Secret) and (line := sys.stdin.readline()):
            # A secret on the command line could be read by others on this machine.
            return line.rstrip("\r\n")
        if not self._asks:
            if isinstance(parameter.check, Secret):
                raise UsageError(f"{parameter.label} is missing: give it as a line of the input.")
            raise UsageError(f"{parameter.label} is missing: give {parameter.option}.")
        with _prompts(crm) as prompts:
            return prompts.ask(parameter)

    def _answered(self, crm: CRM, command: Command, arguments: dict[str, Any]) -> Any:
        """Calls the command; a question is answered by --yes where that says what is meant, by the person, or else
        names its options."""
        while True:
            try:
                return command(crm, **arguments)
            except KeyboardInterrupt as left:
                # It may have come in the very moment of saving.
                told = "Interrupted. A change is saved as a whole or not at all; `history list` shows whether it was."
                raise Cancelled(told) from left
            except Question as question:
                parameter = command.parameters[question.parameter]
                if self.settings["yes"] and question.yes and not arguments.get(parameter.name):
                    arguments[parameter.name] = _read(crm, parameter, question.yes)
                    continue
                if self._asks:
                    with _prompts(crm) as prompts:
                        return prompts.run(command, arguments)
                raise Question(
                    f"{question.sentence} {_answers(parameter, question)}",
                    parameter=question.parameter,
                    choices=question.choices,
                    yes=question.yes,
                    kind=question.question_kind,
                ) from question

    def _notice(self, crm: CRM) -> None:
        """Says on stderr, beside the answer, what holds for all of it: that it is not of this moment."""
        with suppress(CRMError):
            if told := crm.repository.notice():
                as_json = self.settings["json"]
                notice = json.dumps({"notice": "offline", "message": told}, ensure_ascii=False) if as_json else told
                sys.stderr.write(f"{notice}\n")

    def _print(self, crm: CRM, result: Any) -> None:
        try:
            if self.settings["json"]:
                sys.stdout.write(json.dumps(plain(result), ensure_ascii=not _writes_unicode(), indent=2) + "\n")
            else:
                from crm.terminal.render import show

                show(_screen(), result, _conventions(crm))
            sys.stdout.flush()
        except KeyboardInterrupt as left:
            raise Cancelled("Interrupted. The command itself was done.") from left
        except BrokenPipeError:
            # Whoever read has had enough (`| head`); nothing is left to say, not even on exit.
            _write_nowhere()
        except OSError as error:
            _write_nowhere()
            raise FileError(f"It is done, but the answer could not be written: {error.strerror}.") from error

    def tell(self, error: CRMError) -> None:
        """Says an error on stderr: a sentence, or with --json an object."""
        if self.settings["json"]:
            kind = error.question_kind if isinstance(error, Question) else error.kind
            sys.stderr.write(json.dumps({"error": kind, "message": error.sentence}, ensure_ascii=False) + "\n")
        else:
            from crm.terminal.screen import clean

            sys.stderr.write("\n".join(clean(line) for line in error.sentence.split("\n")) + "\n")


class _Fault(CRMError):
    """A fault of this program itself."""

    kind = "fault"


# What copies the store anyway, or puts another in its place.
_BACKED_UP_BY_THEMSELVES = ("backup", "restore")


class _Waiting:
    """Says once a wait on stderr, beside the answer, what is waited for."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._last: Wait | None = None

    def __call__(self, wait: Wait) -> None:
        if wait.left != 0 and not wait.follows(self._last):
            told = f"{wait.told}."
            sys.stderr.write(json.dumps({"notice": "waiting", "message": told}) if self._as_json else told)
            sys.stderr.write("\n")
            sys.stderr.flush()
        self._last = wait


def _writes_unicode() -> bool:
    return (sys.stdout.encoding or "utf-8").lower().replace("-", "").startswith("utf")


def _write_nowhere() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    open_crm: Callable[..., CRM],
    serve: Callable[[Config, str, int], int] | None = None,
    loop: "Loop | None" = None,
) -> int:
    """Runs one command line and returns its exit code: 0 done, 1 refused, 2 wrong usage, 130 interrupted.

    `serve` runs the web server with the settings on a host ('' for the usual one) and a port (0 for the usual one);
    without it there is no such command. `loop` is that of the menu, for who names no command.
    """
    shell = _Shell(environment, open_crm, serve, loop)
    # An error of the command line itself comes before its options are read.
    shell.settings["json"] = "--json" in arguments
    shell.settings["debug"] = "--debug" in arguments
    if hasattr(sys.stdout, "reconfigure"):
        # A name that cannot be written here is shown in part; it stops nothing.
        sys.stdout.reconfigure(errors="replace")
    try:
        code = shell.application()(list(arguments), standalone_mode=False, prog_name="run.py")
        return int(code or 0)
    except typer.Exit as leaving:
        return int(leaving.exit_code)
    except TyperException as error:
        shell.tell(UsageError(error.format_message()))
        return 2
    except (KeyboardInterrupt, typer.Abort, Cancelled, EOFError):
        shell.tell(Cancelled())
        return 130
    except CRMError as error:
        if shell.settings["debug"]:
            traceback.print_exc()
        shell.tell(error)
        return error.exit_code
    except Exception as error:
        if shell.settings["debug"]:
            traceback.print_exc()
        shell.tell(_Fault(f"Something went wrong in this program ({type(error).__name__}); --debug shows where."))
        return 1


def _conventions(crm: CRM) -> Conventions:
    """How the team writes; what was done is told even where the store cannot say that."""
    try:
        return crm.conventions
    except StoreError:
        return Conventions()


def _screen() -> "Screen":
    from crm.terminal.door import screen_on

    return screen_on(sys.stdin, sys.stdout)


@contextmanager
def _prompts(crm: CRM) -> Iterator["Prompts"]:
    """Prompts for the person at this terminal; leaving a question leaves the command."""
    from crm.terminal.door import keyboard_on
    from crm.terminal.keyboard import Back, Closed
    from crm.terminal.prompts import Prompts

    screen = _screen()
    try:
        with keyboard_on(sys.stdin, screen) as keyboard:
            yield Prompts(crm, keyboard, screen)
    except (Back, Closed) as left:
        raise Cancelled from left


@contextmanager
def _session(crm: CRM) -> Iterator["Session"]:
    """The pages of the menu for whoever sits here, or writes lines."""
    from crm.terminal.door import keyboard_on
    from crm.terminal.keyboard import Closed
    from crm.terminal.session import Session

    screen = _screen()
    try:
        with keyboard_on(sys.stdin, screen) as keyboard:
            yield Session(crm, keyboard, screen)
    except Closed as left:
        raise Cancelled from left


def _signed_in(session: "Session", email: str = "") -> CRM:
    """The CRM as whoever signs in now; the sign-in is remembered. Raises Cancelled."""
    from crm.terminal.signing_in import sign_in

    who = sign_in(session, email)
    if who is None:
        raise Cancelled("Nobody has signed in.")
    Remembered(data_folder()).keep(session.crm.repository.url, who.token)
    session.screen.clear()
    return session.crm


_GROUP_HELP = {
    "clients": "Clients: added, found, shown, edited, tagged, merged, pinned and deleted.",
    "views": "Saved lists of clients.",
    "contacts": "Contacts: the people at a client.",
    "interactions": "Calls, meetings, messages and notes.",
    "follow-ups": "What is to be done by when, and for whom.",
    "email": "E-mail: written to clients, sent, and fetched.",
    "templates": "Texts with fields, for messages that are written again and again.",
    "mailings": "One text to many clients.",
    "occasions": "Greetings: to each client once a year.",
    "sms": "Text messages to clients.",
    "dashboard": "What stands on one's own dashboard.",
    "deals": "Deals: on their way through the pipeline, won and lost.",
    "stages": "The stages of the pipeline.",
    "people": "The people of the team, and what each has to do.",
    "sales": "Sales: recorded, listed and taken back.",
    "reports": "Reports, as a table, a chart, a file or a picture.",
    "rules": "Status rules: changed, previewed, applied and explained.",
    "history": "What was done, and taking it back.",
    "sheets": "The store in a Google spreadsheet: connected, set up, and left again.",
    "settings": "The team's settings.",
    "users": "Accounts: who may sign in, and as what.",
    "profile": "One's own account.",
}


def _group_help(group: str) -> str:
    return _GROUP_HELP.get(group, group.capitalize())


# Signatures: Typer reads what a function takes from its signature, so each command gets one made to measure.


def _signed(function: Callable[..., None], name: str, parameters: Sequence[inspect.Parameter]) -> Callable[..., None]:
    function.__name__ = name
    function.__signature__ = inspect.Signature(list(parameters))  # type: ignore[attr-defined]
    function.__annotations__ = {each.name: each.annotation for each in parameters}
    return function


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _global_option(name: str, *, hidden: bool) -> inspect.Parameter:
    kind, told = _GLOBAL[name]
    option = typer.Option(f"--{name}", help=told, hidden=hidden, show_default=False)
    return _keyword(f"global_{name}", Annotated[kind, option], "" if kind is str else False)


def _options(parameter: Parameter) -> list[inspect.Parameter]:
    """What stands on the command line for a parameter: an option, and an argument where it needs no name."""
    if parameter.name == "yes" or isinstance(parameter.check, Secret):
        return []
    if parameter.fields:
        return [_field_option(field) for field in parameter.fields.offered.values()]
    told = f"{parameter.label}: {parameter.help}" if parameter.help else parameter.label
    if isinstance(parameter.check, Flag):
        switch = f"{parameter.option}/--no-{parameter.option[2:]}"
        return [
            _keyword(parameter.name, Annotated[bool | None, typer.Option(switch, help=told, show_default=False)], None)
        ]
    option = typer.Option(parameter.option, help=told, show_default=False, metavar=_metavar(parameter))
    several = parameter.many or isinstance(parameter.check, Tags)
    kind: Any = list[str] | None if several else str | None
    options = [_keyword(parameter.name, Annotated[kind, option], None)]
    if parameter.positional:
        argument = typer.Argument(help=told, show_default=False, metavar=_metavar(parameter))
        options.insert(0, _keyword(f"{parameter.name}_argument", Annotated[kind, argument], None))
    return options


def _metavar(parameter: Parameter) -> str:
    if parameter.record:
        return parameter.record.kind_name.upper()
    return "FILE" if parameter.path else parameter.name.strip("_").upper()


def _field_option(field: Field) -> inspect.Parameter:
    told = f"{field.label}: {field.help}" if field.help else field.label
    if isinstance(field.check, Flag):
        switch = f"{field.option}/--no-{field.option[2:]}"
        return _keyword(field.name, Annotated[bool | None, typer.Option(switch, help=told, show_default=False)], None)
    kind: Any = list[str] | None if isinstance(field.check, Tags | Extra) else str | None
    metavar = "NAME=VALUE" if isinstance(field.check, Extra) else field.name.upper()
    option = typer.Option(field.option, help=told, show_default=False, metavar=metavar)
    return _keyword(field.name, Annotated[kind, option], None)


# Reading what was written


def _field_values(takes: FieldsOf, given: Mapping[str, Any], by: Conventions) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, field in takes.offered.items():
        written = given.get(name)
        if written is None or written == []:
            continue
        if isinstance(field.check, Flag):
            values[name] = written
            continue
        text = "\n".join(written) if isinstance(written, list) else written
        try:
            values[name] = field.check.read(text, by)
        except FieldError as error:
            raise error.at(name, field.option) from error
    return values


def _written(parameter: Parameter, given: Mapping[str, Any]) -> Any:
    """What was written for a parameter, by its place or by its name; None where nothing was."""
    by_place, by_name = given.get(f"{parameter.name}_argument"), given.get(parameter.name)
    if parameter.many:
        return [*(by_place or []), *(by_name or [])] or None
    if by_place not in (None, []) and by_name not in (None, []):
        raise UsageError(f"{parameter.label} is given twice.")
    return by_name if by_place in (None, []) else by_place


def _answers(parameter: Parameter, question: Question) -> str:
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
    told = [f"{option} ({words})" for option, words in ways]
    return f"Give {', '.join(told[:-1])} or {told[-1]}."


def _read(crm: CRM, parameter: Parameter, written: Any) -> Any:
    if parameter.many:
        return [_read_one(crm, parameter, each) for each in written]
    if isinstance(written, list):
        written = ",".join(written)
    return _read_one(crm, parameter, written)


def _read_one(crm: CRM, parameter: Parameter, written: Any) -> Any:
    if isinstance(written, bool):
        return written
    try:
        if parameter.path:
            if "\0" in written:
                raise FieldError("no file has a NUL in its name")
            return Path(written)
        if parameter.record:
            return selected(crm, parameter.record, written)
        return parameter.value_check.read(written, crm.conventions)
    except FieldError as error:
        raise error.at(parameter.name, parameter.option) from error
