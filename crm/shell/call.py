"""One call of a command: who runs it, its arguments, and where its answer goes."""

import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

from crm import program
from crm.accounts import SignedIn
from crm.commands.context import CRM, begin_day, damage_explained, has_accounts, shut
from crm.commands.registry import Command, Parameter
from crm.config import Config, from_environment, sample_store, store_file
from crm.errors import (
    Cancelled,
    CRMError,
    FieldError,
    FileError,
    Question,
    RefusedError,
    SignedOutError,
    SignInRefusedError,
    StoreDamagedError,
    StoreError,
    UsageError,
)
from crm.lean_dataclass import dataclass
from crm.local_database import remove_unused
from crm.model import Conventions
from crm.model.encoding import plain
from crm.model.fields import Secret
from crm.model.file_errors import is_missing, would_replace
from crm.model.paths import display_path, path_of
from crm.model.rights import OWNER
from crm.repository import Wait
from crm.repository.shut import Shut
from crm.shell.machine_key import key_in
from crm.shell.options import answers, field_values, read, written

if TYPE_CHECKING:
    from crm.accounts.saved_sessions import SavedSessions
    from crm.terminal.console.keyboard import Keyboard
    from crm.terminal.drawing.screen import Screen
    from crm.terminal.loop import Loop
    from crm.terminal.toolkit.prompts import Prompts
    from crm.terminal.toolkit.session import Session

# Commands that copy the store anyway, or replace it.
_BACKED_UP_BY_THEMSELVES = ("backup", "restore")
# What asks for a password where it makes the first account, and signs in with it.
_FIRST_ACCOUNT = "users add"
# Commands that create a store where there is none, by their last word or all words, and those that do not: they change
# people of a store, and at a mistyped one that would have no effect.
_BEGIN = frozenset(("add", "import", "restore", "demo", "capture", "settings set", "rules use", "sheets connect"))
_DO_NOT_BEGIN = frozenset(("opt-outs add", "keys add"))
# Of these nobody would see that they have made a store.
_BEGIN_UNSEEN = frozenset(("settings set", "rules use"))


class Call:
    """One call of a command on the store that the settings name; a person at a terminal is asked for what is
    missing."""

    def __init__(
        self, environment: Mapping[str, str], open_crm: Callable[..., CRM], settings: Mapping[str, Any]
    ) -> None:
        self._environment = environment
        self._open_crm = open_crm
        self._settings = settings

    @cached_property
    def config(self) -> Config:
        """The settings of the machine, for the store that was named."""
        return from_environment(self._environment, self._settings["store"])

    def run(self, command: Command, options: Mapping[str, Any]) -> int:
        """Run a command with what was written for it, and print what it answers. Returns the exit code."""
        self._refuse_missing(command)
        self._refuse_csv(command)
        if not self._is_missing or command.outside or self.config.store == sample_store(self.config.folder):
            return self._run(command, options)
        file = store_file(self.config.store)
        with self._removed_if_unused(file):
            code = self._run(command, options)
        if command.words in _BEGIN_UNSEEN and file and not is_missing(file) and not self._settings["json"]:
            self._tell_beside("new_store", f"This has made a new store at {display_path(file)}.")
        return code

    @contextmanager
    def _removed_if_unused(self, file: Path | None) -> Iterator[None]:
        """Remove a store that was made meanwhile and that nothing was written to, with the folders made for it: a
        command that fails, or only looks, leaves none behind."""
        new_folders = [folder for folder in file.parents if not folder.exists()] if file else []
        try:
            yield
        finally:
            if file is not None:
                remove_unused(file, "transactions", "client", "user")
            with suppress(OSError):
                for folder in new_folders:
                    folder.rmdir()

    def _run(self, command: Command, options: Mapping[str, Any]) -> int:
        owner = crm = self._open()
        with closing(owner.repository), damage_explained(owner.repository):
            try:
                if command.outside:
                    self._print(crm, self._done(crm, command, options))
                    return 0
                crm = self._entered(owner, command)
                if command.words not in _BACKED_UP_BY_THEMSELVES and not isinstance(crm.repository, Shut):
                    # Where the store cannot be written, the command itself says so.
                    begin_day(owner)
                command.demand(crm.reader)
                result = self._done(crm, command, options)
                answer = result if self._settings["json"] or not command.as_text else command.as_text(crm, result)
                self._print(crm, answer, command.nothing)
                beside = None if self._settings["json"] else command.beside
                if beside and (line := beside(crm, self._arguments(crm, command, options))):
                    self._tell_beside("", line)
                if warning := getattr(result, "warning", ""):
                    self._tell_beside("warning", warning)
                self._tell_cut(crm, command, options, result)
                self._notice(crm)
            except SignedOutError as out:
                if not out.done:
                    raise
                # The command was done, and has ended the session in which it was asked for.
                self._print(owner, SessionEnded(out.saved, out.sentence))
                return 0
        return int(getattr(result, "exit_code", bool(getattr(result, "failed", False))))

    def _done(self, crm: CRM, command: Command, options: Mapping[str, Any]) -> Any:
        try:
            arguments = self._arguments(crm, command, options)
            result = self._answered(crm, command, arguments)
            if command.words == _FIRST_ACCOUNT and arguments.get("password"):
                _remember(crm, result.email, arguments["password"])
            return result
        except (KeyboardInterrupt, EOFError) as left:
            raise Cancelled from left

    def _entered(self, crm: CRM, command: Command | None = None) -> CRM:
        """The CRM with the rights of the person who has signed in on this machine, or of the key in the environment;
        all rights without accounts, and none where it cannot be known who may use it. For a command somebody at the
        terminal is asked to sign in."""
        if (key := key_in(self._environment)) is not None:
            # A call with a key has the rights of the key only, whatever else is possible here.
            return crm.enter(crm, crm.accounts.open().machine_keys.find(key))
        try:
            if not has_accounts(crm):
                return crm.enter(crm, None)
            who = crm.accounts.open().sessions.find(_remembered(crm).token(crm.repository.url))
        except StoreError as error:
            if command is not None and isinstance(error, command.unread):
                return shut(crm, error)
            raise
        if who is None and command is not None and self._asks:
            try:
                with _session(crm, self._environment) as session:
                    return _signed_in(session)
            except StoreDamagedError as error:
                # What could be read before suffices to know who there is, but nobody can sign in.
                if isinstance(error, command.unread):
                    return shut(crm, error)
                raise
        if who is None:
            raise SignInRefusedError(f"This store has accounts. Sign in first: {program.command('sign-in')}")
        if who.must_change or who.needs_second_factor:
            raise SignInRefusedError("Choose a new password or set up a second factor first: open the menu for that.")
        return crm.enter(crm, who)

    def sign_in(self, email: str) -> None:
        """Sign in on this machine."""
        crm = self._open()
        try:
            if not has_accounts(crm):
                raise RefusedError("This store has no accounts. Nobody has to sign in. `users add` makes the first.")
            with _session(crm, self._environment) as session:
                _signed_in(session, email)
        finally:
            crm.repository.close()

    def secret(self) -> None:
        """Print a secret that nobody guesses."""
        from crm.accounts.keys import new

        made = new()
        sys.stdout.write((json.dumps({"secret": made}) if self._settings["json"] else made) + "\n")

    def sign_out(self) -> None:
        """End the sign-in of this machine."""
        crm = self._open()
        try:
            remembered = _remembered(crm)
            token = remembered.token(crm.repository.url)
            remembered.keep(crm.repository.url, "")
            try:
                who = crm.accounts.open().sessions.find(token)
                if who is not None:
                    crm.accounts.open().sessions.end(who.session)
            except StoreError as error:
                raise StoreError(
                    "This machine has forgotten the sign-in. The session itself could not be ended and ends 12 hours"
                    f" after it began. {error.sentence}"
                ) from error
        finally:
            crm.repository.close()

    def web(self, serve: Callable[[Config, str, int], int] | None, host: str, port: int) -> int:
        """Serve the menu to browsers. Returns the exit code."""
        if serve is None:
            raise UsageError("The menu is not served to browsers here.")
        return serve(self.config, host, port)

    def menu(self, loop: "Loop") -> int:
        """Open the menu. Returns the exit code."""
        from crm.terminal.home.menu import run_menu

        if self.config.store == sample_store(self.config.folder):
            self._refuse_without_sample()
        return run_menu(
            partial(self._open_crm, self.config),
            sys.stdin,
            sys.stdout,
            loop,
            self._environment,
            debug=bool(self._settings["debug"]),
        )

    @contextmanager
    def quietly(self) -> Iterator[CRM | None]:
        """The CRM with the rights of the person who has signed in, to be looked at: nothing is asked, printed or made;
        None where there is no store yet. Raises CRMError."""
        config = self.config
        file = store_file(config.store)
        if file is not None and is_missing(file):
            yield None
            return
        crm = self._open_crm(config)
        try:
            yield self._entered(crm)
        finally:
            crm.repository.close()

    def _refuse_csv(self, command: Command) -> None:
        """Raise UsageError for what prints no table and for a file that is there already, and FileError where none can
        be written."""
        if not self._settings["csv"]:
            return
        if not _has_rows(command):
            raise UsageError(
                f"--csv is for lists and reports, and `{command.words}` is neither. Nothing was done. Use --json. In a"
                " pipe the answer has tabs between its cells."
            )
        if self._settings["csv"] != "-":
            file = path_of(self._settings["csv"])
            if not self._settings["yes"] and would_replace(file):
                raise UsageError(f"{display_path(file)} already exists. Give --yes to replace it.")

    def _refuse_missing(self, command: Command) -> None:
        """Raise StoreError where a command that only reads or changes what is there is called on a store that was
        named and is not there: a mistyped name makes no store."""
        config = self.config
        file = store_file(config.store)
        if config.store == sample_store(self.config.folder) and command.words != "demo":
            self._refuse_without_sample()
        begins = bool({command.name, command.words} & _BEGIN) and command.words not in _DO_NOT_BEGIN
        # Where a record has to be named, there is none yet in a new store.
        needs_record = any(parameter.record and parameter.required for parameter in command.parameters.values())
        if not self._is_missing or file is None or command.outside:
            return
        if command.words in _BEGIN_UNSEEN and not file.parent.is_dir():
            raise StoreError(f"No folder {display_path(file.parent)}, and no store was made. Check the name.")
        if begins and not needs_record:
            return
        first = program.command("clients add")
        raise StoreError(
            f"No store at {display_path(file)}, and none was made. The menu, `{first}` and"
            f" `{program.command('import')}` make one."
        )

    @property
    def _is_missing(self) -> bool:
        """Return whether a file was named as the store and is not there."""
        config = self.config
        file = store_file(config.store)
        return bool(config.named_store) and file is not None and is_missing(file) and not file.is_symlink()

    def _refuse_without_sample(self) -> None:
        """Raise StoreError where the sample data is named and is not made yet."""
        file = store_file(self.config.store)
        if file is not None and is_missing(file):
            raise StoreError(f"No sample data yet. `{program.command('demo')}` makes it.")

    def _open(self) -> CRM:
        crm = self._open_crm(self.config, **self._doors())
        crm.attended = self._asks
        return crm

    @property
    def _asks(self) -> bool:
        """Return whether somebody sits here who can be asked."""
        return not self._settings["json"] and sys.stdin.isatty() and sys.stdout.isatty()

    def _doors(self) -> dict[str, Any]:
        if not self._asks:
            return {"waiting": WaitNotes(as_json=self._settings["json"])}
        screen = _screen(self._environment)
        return {"progress": screen.progress, "waiting": screen.waiting}

    def _arguments(self, crm: CRM, command: Command, options: Mapping[str, Any]) -> dict[str, Any]:
        """The command's arguments, read and checked; what is missing is asked where a person sits."""
        arguments: dict[str, Any] = {}
        for name, parameter in command.parameters.items():
            if name == "yes":
                arguments[name] = self._settings["yes"]
                continue
            if parameter.fields:
                arguments[name] = field_values(crm, parameter.fields, options)
                continue
            text = written(parameter, options)
            if text is None:
                if command.words == "restore" and parameter.path:
                    self._list_backups(crm)
                if parameter.required:
                    arguments[name] = self._asked(crm, parameter)
                continue
            arguments[name] = read(crm, parameter, text)
        return arguments

    def _list_backups(self, crm: CRM) -> None:
        """Say on stderr which backups there are, the newest first: who restores one has to name it."""
        if self._settings["json"] or isinstance(crm.repository, Shut):
            return
        from crm.commands.client_selection import pluralize

        by = _conventions(crm)
        for backup in crm.repository.known_backups():
            counts = (
                "cannot be read"
                if backup.clients is None
                else "\t".join(
                    (
                        pluralize(backup.clients, "client", "clients", by),
                        pluralize(backup.sales or 0, "sale", "sales", by),
                    )
                )
            )
            sys.stderr.write(f"{display_path(backup.path)}\t{by.number(backup.size // 1000)} KB\t{counts}\n")

    def _asked(self, crm: CRM, parameter: Parameter) -> Any:
        if not self._asks and isinstance(parameter.check, Secret) and (line := sys.stdin.readline()):
            # A secret on the command line could be read by others on this machine.
            return line.rstrip("\r\n")
        if not self._asks:
            if isinstance(parameter.check, Secret):
                raise UsageError(f"{parameter.label} is missing. Give it as a line of the input.")
            where = "Write it after the command, or give" if parameter.positional else "Give"
            raise UsageError(f"“{parameter.label}” is missing. {where} {parameter.option}.")
        with _prompts(crm, self._environment) as prompts:
            return prompts.ask(parameter)

    def _answered(self, crm: CRM, command: Command, arguments: dict[str, Any]) -> Any:
        """Call the command; a question is answered by --yes where that says what is meant, by the person, or else
        names its options."""
        while True:
            try:
                return command(crm, **arguments)
            except KeyboardInterrupt as left:
                # The interruption may have come while it was being saved.
                raise Cancelled(
                    "Interrupted. A change is saved as a whole or not at all. `history list` shows whether it was."
                ) from left
            except FieldError as error:
                needed = command.parameters.get(error.field)
                if needed is None or needed.name in arguments or not isinstance(needed.check, Secret):
                    raise
                # A secret is no option; it is asked for where the command says that it needs it.
                arguments[needed.name] = self._asked(crm, needed)
            except Question as question:
                parameter = command.parameters[question.parameter]
                if self._settings["yes"] and question.yes and not arguments.get(parameter.name):
                    arguments[parameter.name] = read(crm, parameter, question.yes)
                    continue
                if self._asks:
                    with _prompts(crm, self._environment) as prompts:
                        return prompts.run(command, arguments)
                raise Question(
                    f"{question.sentence} {answers(parameter, question)}",
                    parameter=question.parameter,
                    choices=question.choices,
                    yes=question.yes,
                    kind=question.question_kind,
                ) from question

    def _tell_cut(self, crm: CRM, command: Command, options: Mapping[str, Any], result: Any) -> None:
        """Say on stderr, beside the answer, that a list was cut at a limit that nobody gave."""
        limit = command.parameters.get("limit")
        cut = limit is not None and limit.default and written(limit, options) is None
        if limit is None or not cut or not isinstance(result, list) or len(result) < limit.default:
            return
        count = len(command(crm, **{**self._arguments(crm, command, options), "limit": 0}))
        if count > len(result):
            by = crm.conventions
            self._tell_beside("cut", f"{by.number(len(result))} of {by.number(count)}. --limit 0 shows all.")

    def _write_csv(self, rows: Sequence[Any]) -> None:
        """Write the rows of a list as CSV, with the names that JSON has."""
        from crm.files.writing import csv_lines, write_csv

        records = [plain(row) for row in rows]
        header = list(dict.fromkeys(name for record in records for name in record))
        cells = ([record.get(name) for name in header] for record in records)
        if self._settings["csv"] != "-":
            write_csv(path_of(self._settings["csv"]), header, cells)
            return
        for line in csv_lines(header, cells):
            sys.stdout.write(line.decode("utf-8"))

    def _notice(self, crm: CRM) -> None:
        """Say on stderr, beside the answer, that the data is not of this moment where the store is offline, and that
        the session has ended where the command has ended it."""
        with suppress(CRMError):
            if message := crm.repository.notice():
                self._tell_beside("offline", message)
        # The owner, who has just made the first account, never was in a session.
        if crm.saved.ended and crm.reader != OWNER:
            self._tell_beside("signed_out", "This ended your own session. Sign in again.")

    def _tell_beside(self, notice: str, message: str) -> None:
        as_json = self._settings["json"]
        sys.stderr.write(
            f"{json.dumps({'notice': notice, 'message': message}, ensure_ascii=False) if as_json else message}\n"
        )

    def _print(self, crm: CRM, result: Any, nothing: str = "") -> None:
        try:
            if self._settings["json"]:
                answer = _rows_of_list(result)
                written = json.dumps(
                    plain(result if answer is None else answer), ensure_ascii=not _writes_unicode(), indent=2
                )
                sys.stdout.write(f"{written}\n")
                if answer is not None and (after := getattr(result, "next", "")):
                    self._tell_beside("next", f"There is more. --after {after} shows it.")
            elif self._settings["csv"] and (rows := _rows_for_csv(result)) is not None:
                self._write_csv(rows)
            elif not sys.stdout.isatty() and (lines := _tabbed(crm, result)) is not None:
                sys.stdout.writelines(f"{line}\n" for line in lines)
                if not lines and nothing:
                    sys.stderr.write(f"{nothing}\n")
            elif nothing and _is_empty(result):
                sys.stdout.write(f"{nothing}\n")
            else:
                if isinstance(result, SessionEnded):
                    sys.stdout.write(f"{result.message}\n")
                    sys.stdout.flush()
                    return
                from crm.terminal.console.console import screen_of_answers
                from crm.terminal.drawing.render import names_in, show

                screen = screen_of_answers(sys.stdin, sys.stdout, self._environment)
                screen.statuses = cache(lambda: _coloured_statuses(crm))
                show(screen, result, _conventions(crm), names_in(crm, result))
            sys.stdout.flush()
        except KeyboardInterrupt as left:
            raise Cancelled("Interrupted. The command itself was done.") from left
        except BrokenPipeError:
            # The reader has stopped (`| head`); nothing more is written, not even on exit.
            _write_nowhere()
        except OSError as error:
            _write_nowhere()
            raise FileError(f"The command was done, but its answer could not be written: {error.strerror}.") from error


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The answer of a command that has ended the session in which it was asked for: what it has saved."""

    saved: Sequence[str]
    message: str
    signed_out: bool = True


class WaitNotes:
    """Notes on stderr of what is waited for, once for each wait."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._last: Wait | None = None

    def __call__(self, wait: Wait) -> None:
        if wait.left != 0 and not wait.follows(self._last):
            message = f"{wait.sentence}."
            sys.stderr.write(json.dumps({"notice": "waiting", "message": message}) if self._as_json else message)
            sys.stderr.write("\n")
            sys.stderr.flush()
        self._last = wait


# Where the rows stand of a list that the screen shows with its figures, by the type of the answer. JSON has the rows
# alone, as of each other list.
_LISTS: Mapping[str, str] = {
    "Agenda": "items", "Timeline": "entries", "DealList": "deals", "FollowUpList": "follow_ups"
}  # fmt: skip
# The same of all that CSV is made of; in JSON a report keeps its heads and totals.
_ROWS: Mapping[str, str] = {**_LISTS, "Report": "rows"}


def _has_rows(command: Command) -> bool:
    """Return whether the answer of a command is a list, or has one in it."""
    answer = inspect.signature(command.function).return_annotation
    return get_origin(answer) in (list, Sequence) or getattr(answer, "__name__", "") in _ROWS


def _rows_for_csv(result: Any) -> Sequence[Any] | None:
    """The rows of an answer, as JSON has them; None for one without."""
    if isinstance(result, list | tuple):
        return result
    name = _ROWS.get(type(result).__name__)
    rows: Sequence[Any] | None = plain(result)[name] if name else None
    return rows


def _is_empty(result: Any) -> bool:
    """Return whether an answer is a list without rows."""
    rows = result if isinstance(result, list | tuple) else _rows_of_list(result)
    return rows is not None and not rows


def _rows_of_list(result: Any) -> Sequence[Any] | None:
    """The rows of a list that the screen shows with its figures; None for every other answer."""
    name = _LISTS.get(type(result).__name__)
    return None if name is None else getattr(result, name)


def _tabbed(crm: CRM, result: Any) -> list[str] | None:
    """A list as another program reads it; None for what is none."""
    from crm.terminal.drawing.render import columns_of, names_in, tabbed

    rows = _rows_of_list(result)
    if rows and columns_of(type(rows[0])) is not None:
        result = rows
    return tabbed(result, _conventions(crm), names_in(crm, result))


def _coloured_statuses(crm: CRM) -> Sequence[str]:
    """The statuses that have a colour, read where a result shows one."""
    from crm.commands.clients.status_colours import coloured_statuses

    with suppress(CRMError), crm.read() as snapshot:
        return coloured_statuses(snapshot)
    return ()


def _writes_unicode() -> bool:
    return (sys.stdout.encoding or "utf-8").lower().replace("-", "").startswith("utf")


def _write_nowhere() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _conventions(crm: CRM) -> Conventions:
    """The conventions of the team, or usual conventions where the store cannot be read: the answer is still printed."""
    try:
        return crm.conventions
    except (StoreError, SignedOutError):
        return Conventions()


def _screen(environment: Mapping[str, str]) -> "Screen":
    from crm.terminal.console.console import screen_on

    return screen_on(sys.stdin, sys.stdout, environment)


@contextmanager
def _prompts(crm: CRM, environment: Mapping[str, str]) -> Iterator["Prompts"]:
    """Prompts for the person at this terminal."""
    from crm.terminal.toolkit.prompts import Prompts

    with _keyboard(environment) as (keyboard, screen):
        yield Prompts(crm, keyboard, screen)


@contextmanager
def _session(crm: CRM, environment: Mapping[str, str]) -> Iterator["Session"]:
    """The pages of the menu, for a person at this terminal or for lines from a pipe."""
    from crm.terminal.toolkit.session import Session

    with _keyboard(environment) as (keyboard, screen):
        yield Session(crm, keyboard, screen)


@contextmanager
def _keyboard(environment: Mapping[str, str]) -> Iterator[tuple["Keyboard", "Screen"]]:
    """The keyboard and the screen of this terminal; leaving a question leaves the command."""
    from crm.terminal.console.console import keyboard_on
    from crm.terminal.console.keyboard import Back, Closed

    screen = _screen(environment)
    try:
        with keyboard_on(sys.stdin, screen) as keyboard:
            yield keyboard, screen
    except (Back, Closed) as left:
        raise Cancelled from left


def _signed_in(session: "Session", email: str = "") -> CRM:
    """The CRM with the rights of the person who signs in now; the sign-in is remembered. Raises Cancelled."""
    from crm.terminal.team.signing_in import sign_in

    url, remembered = session.crm.repository.url, _remembered(session.crm)
    who = sign_in(session, email)
    if who is None:
        raise Cancelled("Nobody has signed in.")
    before = remembered.token(url)
    remembered.keep(url, who.token)
    # What cannot be ended now ends 12 hours after it began.
    with suppress(StoreError):
        accounts = session.crm.accounts.open()
        if (replaced := accounts.sessions.find(before)) is not None:
            accounts.sessions.end(replaced.session)
    session.screen.clear()
    return session.crm


def _remember(crm: CRM, email: str, password: str) -> None:
    """Sign in the first account on this machine; where that fails, its person signs in later."""
    from crm.terminal.team.signing_in import DEVICE

    with suppress(CRMError):
        who = crm.accounts.open().authentication.sign_in(email, password, device=DEVICE)
        if isinstance(who, SignedIn):
            _remembered(crm).keep(crm.repository.url, who.token)


def _remembered(crm: CRM) -> "SavedSessions":
    """The sign-ins of this machine."""
    from crm.accounts.saved_sessions import SavedSessions

    return SavedSessions(crm.config.folder)
