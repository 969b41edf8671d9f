"""The register of commands: one decorator says where a command is in the menu and on the command line."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from enum import Enum
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin

from crm.errors import ForbiddenError, SignedOutError, StoreError
from crm.lean_dataclass import dataclass
from crm.model import Field, Record, fields, typed_fields
from crm.model.fields import Check, Flag, Line, Tags, Whole
from crm.model.rights import ADMIN, CLIENT, KEY, OWNER, STAFF, Reader

if TYPE_CHECKING:
    from crm.commands.context import CRM

# Who may run a command.
ONLY_ADMIN = (ADMIN,)
TEAM = (ADMIN, STAFF)
EVERYBODY = (ADMIN, STAFF, CLIENT)


class Takes(Enum):
    """The fields of a record that a parameter takes: those of a new one, changes, or values to filter a list by."""

    NEW = "new"
    CHANGES = "changes"
    FILTERS = "filters"


@dataclass(frozen=True, slots=True)
class FieldsOf:
    """The mark of a parameter that stands for the fields of a record, `but` some: a mapping of those that were
    given."""

    record: type[Record]
    takes: Takes
    but: tuple[str, ...] = ()

    @property
    def offered(self) -> Mapping[str, Field]:
        """The fields that can be given, by name, in order."""
        known = fields(self.record) if self.takes is Takes.FILTERS else typed_fields(self.record)
        return {name: field for name, field in known.items() if name not in self.but}


@dataclass(frozen=True, slots=True)
class Fields:
    """The mark of a parameter that stands for fields of no record: a mapping of those that were given."""

    offered: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class About:
    """The description of a parameter; `positional` where the shell also takes it without its name. Of a file that the
    command writes, `makes` are the endings it may have; with `names_file` a folder will do, and the command names the
    file in it. `completed_by` is what completes the value on a command line, as `crm.shell.words` calls it, where its
    check does not say so."""

    label: str
    help: str = ""
    positional: bool = False
    completed_by: str = ""
    makes: tuple[str, ...] = ()
    names_file: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a command: what the menu asks for and the shell takes as an option.

    Exactly one of `check` (a plain value), `record` (a record, given by its id), `fields` and `path` (a
    file) says what it is; `many` where it takes several.
    """

    name: str
    label: str
    help: str
    required: bool
    default: Any
    positional: bool
    check: Check | None = None
    record: type[Record] | None = None
    fields: FieldsOf | Fields | None = None
    path: bool = False
    many: bool = False
    completed_by: str = ""
    makes: tuple[str, ...] = ()
    names_file: bool = False

    @property
    def option(self) -> str:
        """The parameter as an option of the shell."""
        return "--" + self.name.strip("_").replace("_", "-")

    @property
    def value_check(self) -> Check:
        """The check that reads and shows its plain value. Raises TypeError where it takes a record, a path or
        fields."""
        if self.check is None:
            raise TypeError(f"{self.name} is no plain value")
        return self.check


@dataclass(frozen=True)
class Command:
    """One use case. `group` is its word on the command line, '' for a command of one word; `menu` is the menu it is in,
    '' for none; `title` is its entry there; `roles` who may run it, besides the owner; `here` that it concerns the
    machine that the program runs on, and is not for remote users; `own_store` that it is about the team's own store,
    and not about the sample data.

    `key` is what a key has to be allowed to run it unattended: 'mail' or 'backup', '' where none runs it.

    `unread` are the errors with which it may run anyway where nobody can say who may use the store, since it
    repairs that, or does without the store: it gets one that is shut (`context.shut`). `outside` says that the shell
    alone has it, for users at the machine of the store, and that nobody is signed in while it runs. `as_text` makes of
    the result what the shell prints where that is another thing than the result: what was deleted, not its card.
    `beside` makes a line from the arguments that the shell says on stderr, not as a row: the total of a list. `nothing`
    is what is said of a list that is empty, in its own words: every command that gives a list has it. `hint` is
    beside its entry in a menu and says what one finds or gets there; title and hint fit 80 columns.
    """

    group: str
    name: str
    title: str
    menu: str
    function: Callable[..., Any] = field(repr=False)
    roles: tuple[str, ...] = TEAM
    here: bool = False
    own_store: bool = False
    unread: tuple[type[StoreError], ...] = ()
    outside: bool = False
    as_text: "Callable[[CRM, Any], Any] | None" = field(default=None, repr=False)
    key: str = ""
    beside: "Callable[[CRM, Mapping[str, Any]], str] | None" = field(default=None, repr=False)
    nothing: str = ""
    hint: str = ""

    @property
    def words(self) -> str:
        """The words of it in the shell."""
        return f"{self.group} {self.name}".strip()

    @property
    def summary(self) -> str:
        """The first sentence of its documentation."""
        return (inspect.getdoc(self.function) or "").partition("\n\n")[0].replace("\n", " ")

    @property
    def documentation(self) -> str:
        """All of its documentation."""
        return inspect.getdoc(self.function) or ""

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters by name, in order; the CRM itself is not among them."""
        described = inspect.signature(self.function).parameters.values()
        return {
            described_one.name: _parameter(described_one) for described_one in described if described_one.name != "crm"
        }

    @property
    def subject(self) -> Parameter | None:
        """The record that the command is about, or the several: its first parameter; None where it is about none."""
        first = next(iter(self.parameters.values()), None)
        return first if first is not None and first.record else None

    @property
    def required_subject(self) -> Parameter:
        """The record that the command is about. Raises TypeError where it is about none."""
        if self.subject is None:
            raise TypeError(f"{self.words} is about no record")
        return self.subject

    @property
    def form(self) -> Parameter | None:
        """The parameter that stands for the fields of a record and has to be given: a form asks for them; None where
        the command has no such parameter."""
        return next(
            (
                parameter
                for parameter in self.parameters.values()
                if isinstance(parameter.fields, FieldsOf)
                and parameter.fields.takes is not Takes.FILTERS
                and parameter.default is None
            ),
            None,
        )

    def parameter_of(self, kind: type[Record]) -> Parameter:
        """The first parameter that takes records of a kind. Raises TypeError where none does."""
        for parameter in self.parameters.values():
            if parameter.record is kind:
                return parameter
        raise TypeError(f"{self.words} takes no {kind.noun}")

    def demand(self, reader: Reader) -> None:
        """Raise ForbiddenError for a reader who may not run it."""
        if reader.role.startswith(KEY) and not may_run(self, reader):
            raise ForbiddenError(f"{reader.name} may not use “{self.words}”. Nothing was changed.")
        if not may_run(self, reader):
            who = "an admin" if STAFF not in self.roles else "staff"
            raise ForbiddenError(f"Only {who} can use “{self.words}”. Nothing was changed.")

    def __call__(self, crm: "CRM", *arguments: Any, **named: Any) -> Any:
        """Run it. Raises ForbiddenError for a reader who may not, and for one who is signed out while it runs
        SignedOutError, which says what was saved."""
        self.demand(crm.reader)
        before = len(crm.saved.what)
        try:
            return self.function(crm, *arguments, **named)
        except SignedOutError as out:
            if not (saved := crm.saved.what[before:]):
                raise
            raise SignedOutError(saved, done=crm.saved.ended, was_open=out.was_open, key=out.key) from out


_COMMANDS: dict[str, Command] = {}
_OUTSIDE: dict[str, Command] = {}
_Function = TypeVar("_Function", bound=Callable[..., Any])


def command(
    words: str,
    *,
    title: str,
    menu: str = "",
    roles: tuple[str, ...] = TEAM,
    here: bool = False,
    own_store: bool = False,
    unread: tuple[type[StoreError], ...] = (),
    outside: bool = False,
    as_text: "Callable[[CRM, Any], Any] | None" = None,
    key: str = "",
    beside: "Callable[[CRM, Mapping[str, Any]], str] | None" = None,
    nothing: str = "",
    hint: str = "",
) -> Callable[[_Function], _Function]:
    """Register a function as the command that the shell calls `words` and the menu `title`; the rest is as in
    `Command`."""

    def register(function: _Function) -> _Function:
        group, _, name = words.rpartition(" ")
        if words in _COMMANDS or words in _OUTSIDE:
            raise ValueError(f"two commands are called {words}")
        registered = _OUTSIDE if outside else _COMMANDS
        registered[words] = Command(
            group,
            name,
            title,
            menu,
            function,
            roles,
            here,
            own_store,
            unread,
            outside,
            as_text,
            key,
            beside,
            nothing,
            hint,
        )
        return function

    return register


def may_run(command: Command, reader: Reader) -> bool:
    """Return whether a user may run a command at all; their rights decide on which records."""
    if reader.role.startswith(KEY):
        return command.key in reader.role.removeprefix(KEY).split("+")
    return reader == OWNER or reader.role in command.roles


def commands(word: str = "", menu: str = "") -> Iterator[Command]:
    """The commands, in the order of the menus and of their registration: all, or those that begin with a word, or that
    are in a menu."""
    from crm import commands as package

    package.load(word, menu)
    # A copy: others may be loaded meanwhile.
    candidates = [
        command for command in list(_COMMANDS.values()) if not word or command.words.partition(" ")[0] == word
    ]
    yield from sorted(
        (command for command in candidates if menu in ("", command.menu)),
        key=lambda command: package.place(command.function.__module__),
    )


def commands_outside(word: str) -> Iterator[Command]:
    """The commands that begin with a word and that the shell alone has."""
    from crm import commands as package

    package.load_outside(word)
    yield from (command for command in list(_OUTSIDE.values()) if command.group == word)


def named(words: str) -> Command:
    """The command that the shell calls so. Raises KeyError."""
    from crm import commands as package

    if words not in _COMMANDS:
        package.load(words.partition(" ")[0])
    command = _COMMANDS[words]
    # Another thread may still be loading its module.
    import_module(command.function.__module__)
    return command


def of_shell(words: str) -> Command:
    """The command that the shell calls so, also one that only the shell has. Raises KeyError."""
    from crm import commands as package

    package.load_outside(words.partition(" ")[0])
    return _OUTSIDE.get(words) or named(words)


# The defaults of a type; Annotated gives details.
_CHECKS: Mapping[Any, Check] = {str: Line(1000), int: Whole(), bool: Flag(), tuple[str, ...]: Tags()}


def _parameter(described: inspect.Parameter) -> Parameter:
    hint = described.annotation
    extras: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        extras = tuple(rest)
    about = next(
        (extra for extra in extras if isinstance(extra, About)), About(described.name.replace("_", " ").capitalize())
    )
    check = next((extra for extra in extras if isinstance(extra, Check)), None)
    marked = next((extra for extra in extras if isinstance(extra, FieldsOf | Fields)), None)
    required = described.default is inspect.Parameter.empty
    options = [arg for arg in get_args(hint) if arg is not type(None)]
    many = get_origin(hint) in (list, tuple, Sequence) and hint != tuple[str, ...]
    kind = options[0] if options and (many or type(None) in get_args(hint)) else hint
    record = kind if isinstance(kind, type) and issubclass(kind, Record) else None
    path = kind is Path
    if not (check or marked or record or path):
        check = _CHECKS.get(kind)
    if not (check or marked or record or path):
        raise TypeError(f"the parameter {described.name} says not how it is read")
    return Parameter(
        name=described.name,
        label=about.label,
        help=about.help,
        required=required and marked is None,
        default=None if required else described.default,
        positional=about.positional,
        check=check,
        record=record,
        fields=marked,
        path=path,
        many=many,
        completed_by=about.completed_by,
        makes=about.makes,
        names_file=about.names_file,
    )
