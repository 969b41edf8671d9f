"""Completion: what may come next on the command line, asked for by bash, zsh or fish as click's protocol says."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from crm import program
from crm.errors import FileError

if TYPE_CHECKING:
    from crm.commands.registry import Parameter
    from crm.model import Field
    from crm.shell.tree import Line

# What bash would take for something else than a part of a word.
_SPECIAL = re.compile(r"([^\w@%+=:,./-])")
_GLOB = re.compile(r"[*?\[]")


def variable() -> str:
    """The environment variable in which a shell asks."""
    return f"_{program.name()}_COMPLETE".replace(".", "_").upper()


def complete(line: "Line", asked: "Parameter | Field", begun: str) -> list[CompletionItem[str]]:
    """The values that complete a parameter or a field, as far as the person who has signed in may see them. Nothing is
    offered where the store is missing, locked, or needs a sign-in; nothing is ever printed or asked."""
    with suppress(Exception):
        from crm.shell.values import values

        return values(line.call, asked, begun)
    return []


class _Bash(BashComplete):
    """Bash takes an answer as it stands, so that blanks in a name are escaped, unless it is quoted already."""

    def format_completion(self, item: CompletionItem[Any]) -> str:
        if item.type != "plain":
            return super().format_completion(item)
        # "${COMP_WORDS[*]}" has a word a line.
        words = os.environ["COMP_WORDS"].split("\n")
        at = int(os.environ["COMP_CWORD"])
        is_quoted = at < len(words) and words[at][:1] in ("'", '"')
        value = item.value if is_quoted else _SPECIAL.sub(r"\\\1", item.value)
        # The script takes one backslash of each pair away, and patterns for names of files.
        return "" if _GLOB.search(value) else f"{item.type},{value}".replace("\\", r"\\")


add_completion_class(_Bash)
_CLASSES: Mapping[str, type[ShellComplete]] = {"bash": _Bash, "zsh": ZshComplete, "fish": FishComplete}


def options() -> list[click.Parameter]:
    """The options that set completion up."""

    def made(name: str, help_text: str, callback: Any) -> click.Option:
        return click.Option(
            [name],
            type=click.Choice(list(_CLASSES)),
            is_flag=False,
            flag_value=Path(os.environ.get("SHELL", "")).name,
            is_eager=True,
            expose_value=False,
            callback=callback,
            help=help_text,
        )

    return [
        made("--install-completion", "Install completion for bash, zsh or fish: yours by default.", _install),
        made("--show-completion", "Show the script that completes in bash, zsh or fish.", _show),
    ]


def _show(context: click.Context, _: click.Parameter, shell: str | None) -> None:
    if shell and not context.resilient_parsing:
        click.echo(_script(context, shell))
        context.exit()


def _install(context: click.Context, _: click.Parameter, shell: str | None) -> None:
    if not shell or context.resilient_parsing:
        return
    from crm.config import data_folder
    from crm.private_files import private_folder

    by_hand = f"`--show-completion {shell}` prints the script; put it where {shell} reads it."
    try:
        home = Path.home()
    except RuntimeError as error:
        raise FileError(f"Completion cannot be installed: you have no home folder. {by_hand}") from error
    name = program.name()
    script = (
        home / ".config/fish/completions" / f"{name}.fish" if shell == "fish" else data_folder() / f"{name}.{shell}"
    )
    try:
        private_folder(script.parent)
        script.write_text(_script(context, shell), "utf-8")
        if shell != "fish":
            begins = home / f".{shell}rc"
            # Whatever else stands in it may be written in any encoding.
            content = begins.read_text("utf-8", errors="replace") if begins.exists() else ""
            called = f'source "{script}"\n'
            if called not in content:
                prepared = "autoload -Uz compinit && compinit\n" if shell == "zsh" and "compinit" not in content else ""
                with begins.open("a", encoding="utf-8") as file:
                    file.write(f"\n# Completion of {name}\n{prepared}{called}")
    except OSError as error:
        raise FileError(
            f"Completion cannot be installed: {error.filename} cannot be written ({error.strerror}). {by_hand}"
        ) from error
    click.echo(f"Completion for {shell} is installed in {script}. It works in the next shell that you open.")
    context.exit()


def _script(context: click.Context, shell: str) -> str:
    return _CLASSES[shell](context.command, {}, program.name(), variable()).source()
