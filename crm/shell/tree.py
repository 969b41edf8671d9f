"""The commands as the shell has them: each group, and each command, is made when it is asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import click

import crm
from crm import program
from crm.commands import first_words, groups, load_alone
from crm.lean_dataclass import dataclass
from crm.shell import completion
from crm.shell.words import SWITCH, CommandWords, OptionWords, known

if TYPE_CHECKING:
    from crm.commands.context import CRM
    from crm.config import Config
    from crm.shell.call import Call
    from crm.terminal.loop import Loop

_CONTEXT = {"help_option_names": ["-h", "--help"]}
# What is before or after the command and holds for all of them.
_GLOBAL: Mapping[str, tuple[bool, str]] = {
    "store": (False, "Where the data is, like sqlite:///path/to/file.sqlite3, or sample for the sample data."),
    "json": (True, "Print one JSON document."),
    "csv": (False, "Write a list as CSV to a file, or with - to the standard output."),
    "yes": (True, "Answer every confirmation with yes."),
    "debug": (True, "Show where an error came from."),
}
_HELP = """A CRM for the terminal: clients, sales, and a status that rules review after each sale.

Without a command the menu opens."""


@dataclass
class Line:
    """One command line: what its environment says, the doors it may go through, and its `settings`, which hold for
    whatever command it names. It `completes` where a shell asks what may come next: then commands are as `words.json`
    has them, and none is loaded."""

    environment: Mapping[str, str]
    open_crm: "Callable[..., CRM]"
    serve: "Callable[[Config, str, int], int] | None" = None
    loop: "Loop | None" = None
    completes: bool = False
    settings: dict[str, Any] = field(
        default_factory=lambda: {"store": "", "csv": "", "json": False, "yes": False, "debug": False}
    )

    def call(self) -> "Call":
        """The function that runs a command."""
        # Not loaded for --help and --version.
        from crm.shell.call import Call

        return Call(self.environment, self.open_crm, self.settings)

    def config(self) -> "Config":
        """The settings of the machine, for the store that was named."""
        from crm.config import from_environment

        return from_environment(self.environment, self.settings["store"])

    def command(self, words: str) -> "CommandWords | None":
        """The words of a command that can be loaded without the others of its group; None for the others."""
        if self.completes:
            return None
        from crm.repository.quick_import import import_sqlalchemy

        import_sqlalchemy()
        if not load_alone(words):
            return None
        from crm.commands.registry import named
        from crm.shell.options import words_of

        return words_of(named(words))

    def commands(self, word: str) -> Mapping[str, Callable[[], CommandWords]]:
        """The commands that begin with a word, by their last word; the words of each are made when asked for."""
        if self.completes:
            return known(word)
        from crm.repository.quick_import import import_sqlalchemy

        import_sqlalchemy()
        from crm.commands.registry import commands, commands_outside
        from crm.shell.options import words_of

        every = (*commands(word), *commands_outside(word))
        return {command.words.removeprefix(f"{word} "): partial(words_of, command) for command in every}


def command_line(line: Line) -> click.Group:
    """The whole command line."""
    return _Whole(
        line,
        help=_HELP,
        context_settings=_CONTEXT,
        invoke_without_command=True,
        callback=partial(_menu, line),
        params=[
            *_globals(line, hidden=False),
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_version,
                help="Show the version.",
            ),
            *completion.options(),
        ],
    )


@click.pass_context
def _menu(context: click.Context, line: Line) -> int:
    """Open the menu where no command is named."""
    if context.invoked_subcommand is not None or line.loop is None:
        return 0
    return line.call().menu(line.loop)


def _version(context: click.Context, _: click.Parameter, requested: bool) -> None:
    if requested and not context.resilient_parsing:
        click.echo(f"{program.name()} {crm.__version__}")
        context.exit()


class _Lazy(click.Group):
    """A group whose commands are made when they are asked for."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            # Click suggests one of those that are made already.
            names = self.list_commands(ctx)
            raise click.NoSuchCommand(error.command_name, possibilities=names, ctx=ctx) from None


class _Whole(_Lazy):
    """All groups, the commands of one word, and what only the shell has."""

    def __init__(self, line: Line, **attributes: Any) -> None:
        super().__init__(program.name(), **attributes)
        self._line = line
        self._own = _own(line)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*first_words(), *self._own]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in groups():
            return _Group(self._line, cmd_name)
        if cmd_name in first_words():
            return _made(self._line, self._line.commands(cmd_name)[cmd_name]())
        return self._own.get(cmd_name)


class _Group(_Lazy):
    """The commands that begin with a word."""

    def __init__(self, line: Line, words: str) -> None:
        super().__init__(
            words.rpartition(" ")[2], help=groups()[words], no_args_is_help=True, context_settings=_CONTEXT
        )
        self._line = line
        self._words = words

    @cached_property
    def _commands(self) -> Mapping[str, Callable[[], CommandWords]]:
        """The commands of the group by the words behind those of the group."""
        first, _, behind = self._words.partition(" ")
        start = f"{behind} " if behind else ""
        every = self._line.commands(first)
        return {words.removeprefix(start): command for words, command in every.items() if words.startswith(start)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(dict.fromkeys(words.partition(" ")[0] for words in self._commands))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if f"{self._words} {cmd_name}" in groups():
            return _Group(self._line, f"{self._words} {cmd_name}")
        if alone := self._line.command(f"{self._words} {cmd_name}"):
            return _made(self._line, alone)
        command = self._commands.get(cmd_name)
        return None if command is None else _made(self._line, command())


def _made(line: Line, command: "CommandWords") -> click.Command:
    """A command with its options."""

    def called(**options: Any) -> int:
        from crm.commands.registry import of_shell

        return line.call().run(of_shell(command.words), options)

    return _command(line, command.name, command.help, called, [_option(line, words) for words in command.options])


def _option(line: Line, words: OptionWords) -> click.Parameter:
    if words.takes == SWITCH:
        return click.Option(list(words.names), default=None, help=words.help)
    attributes: dict[str, Any] = {
        "metavar": words.metavar,
        "help": words.help,
        "shell_complete": lambda _, __, begun: completion.complete(line.config, line.call, words, begun),
    }
    if words.argument:
        return click.Argument(list(words.names), nargs=-1 if words.several else 1, required=False, **attributes)
    return click.Option(list(words.names), multiple=words.several, **attributes)


def _own(line: Line) -> dict[str, click.Command]:
    """The commands that only the shell has."""

    def sign_in(email: str) -> None:
        line.call().sign_in(email)

    def web(port: int, host: str) -> int:
        return line.call().web(line.serve, host, port)

    made: Mapping[str, tuple[str, Callable[..., Any], Sequence[click.Parameter]]] = {
        "sign-in": (
            "Sign in on this machine, for the commands of the next hours.",
            sign_in,
            [click.Option(["--email"], default="", show_default=False, help="Your e-mail address.")],
        ),
        "help": (
            "Show how to call the program, or a command of it.",
            lambda words: _show_help(words),
            [click.Argument(["words"], nargs=-1, metavar="[COMMAND]...")],
        ),
        "secret": ("Print a new secret for CRM_SECRET.", lambda: line.call().secret(), []),
        "sign-out": ("End the sign-in of this machine.", lambda: line.call().sign_out(), []),
        "web": (
            "Serve the menu to browsers, until it is stopped.",
            web,
            [
                click.Option(["--port"], type=int, default=0, help="Where to listen: PORT by default, else 8000."),
                click.Option(["--host"], default="", help="On which address. By default only this machine."),
            ],
        ),
    }
    return {
        name: _command(line, name, help_text, function, params)
        for name, (help_text, function, params) in made.items()
        if name != "web" or line.serve
    }


def _show_help(words: Sequence[str]) -> int:
    """The help of a command, as `--help` behind it shows it."""
    context = click.get_current_context().find_root()
    command: click.Command = context.command
    for word in words:
        named = command.get_command(context, word) if isinstance(command, click.Group) else None
        if named is None:
            raise click.NoSuchCommand(word, ctx=context)
        command, context = named, click.Context(named, context, word, help_option_names=["-h", "--help"])
    click.echo(command.get_help(context))
    return 0


def _command(
    line: Line, name: str, help_text: str, function: Callable[..., Any], params: Sequence[click.Parameter]
) -> click.Command:
    """A command that also takes the options which hold for all of them."""
    every = [*params, *_globals(line, hidden=True)]
    return click.Command(name, callback=function, params=every, help=help_text, context_settings=_CONTEXT)


def _globals(line: Line, *, hidden: bool) -> list[click.Parameter]:
    def keep(_: click.Context, option: click.Parameter, value: Any) -> None:
        name = str(option.name).removeprefix("global_")
        line.settings[name] = value or line.settings[name]

    return [
        click.Option(
            [f"--{name}", f"global_{name}"],
            is_flag=is_flag,
            default=False if is_flag else "",
            show_default=False,
            help=help_text,
            hidden=hidden,
            expose_value=False,
            callback=keep,
        )
        for name, (is_flag, help_text) in _GLOBAL.items()
    ]
