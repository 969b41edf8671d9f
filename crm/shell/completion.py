"""Completion: what may come next on the command line, asked for by bash, zsh or fish as click's protocol says."""

import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping
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
from crm.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    from crm.config import Config
    from crm.shell.call import Call
    from crm.shell.words import OptionWords

# What bash would take for something else than a part of a word.
_SPECIAL = lazy_pattern(r"([^\w@%+=:,./-])")
_GLOB = lazy_pattern(r"[*?\[]")


def variable() -> str:
    """The environment variable in which a shell asks."""
    return f"_{program.name()}_COMPLETE".replace(".", "_").upper()


def complete(
    config: "Callable[[], Config]", call: "Callable[[], Call]", asked: "OptionWords", begun: str
) -> list[CompletionItem[str]]:
    """The values that complete an option, as far as the person who has signed in may see them. Nothing is offered where
    the store is missing, locked, or needs a sign-in; nothing is ever printed or asked."""
    with suppress(Exception):
        from crm.shell.values import values

        return values(config, call, asked, begun)
    return []


class _Bash(BashComplete):
    """Bash, which takes an answer as it stands, so that blanks in a name are escaped, unless it is quoted already."""

    def source(self) -> str:
        self._check_version()
        return _source(_BASH, shlex.quote)

    def get_completion_args(self) -> tuple[list[str], str]:
        args, begun = super().get_completion_args()
        # Bash makes three words of --status=VIP.
        if len(args) > 1 and args[-1] == "=" and args[-2].startswith("--"):
            args.pop()
        return args, begun

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


class _Zsh(ZshComplete):
    def source(self) -> str:
        return _source(_ZSH, shlex.quote)


class _Fish(FishComplete):
    def source(self) -> str:
        return _source(_FISH, lambda text: "'" + re.sub(r"([\\'])", r"\\\1", text) + "'")


for _class in (_Bash, _Zsh, _Fish):
    add_completion_class(_class)
_CLASSES: Mapping[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}

# What the scripts do: `run.py` is completed as a command and behind `python`, where it is this one. Any other script
# is completed as if this one were not there, and is never run.
_BASH = r"""
_NAME_completion() {
    local IFS=$'\n' at=0 script type value completion response
    [[ ${1##*/} == python* ]] && at=1
    script=${COMP_WORDS[at]/#\~/$HOME}
    [[ $at == 0 && $script != */* ]] && script=$(type -P -- "$script")
    if ((COMP_CWORD <= at)) || ! [[ $script -ef SCRIPT ]]; then
        _NAME_completion_of_others "$@"
        return
    fi
    response=$(COMP_WORDS="${COMP_WORDS[*]:at}" COMP_CWORD=$((COMP_CWORD - at)) VARIABLE=bash_complete PROGRAM)
    for completion in $response; do
        IFS=',' read type value <<< "$completion"
        if [[ $type == file ]]; then
            COMPREPLY=()
            compopt -o default
        elif [[ $type == plain ]]; then
            COMPREPLY+=($value)
        fi
    done
}

_NAME_completion_of_others() {
    local name
    if [[ ${1##*/} == python* ]]; then
        for name in _comp_load _completion_loader; do
            declare -F $name >/dev/null && { $name python &>/dev/null; break; }
        done
        _NAME_completion_setup
        for name in _comp_cmd_python _python; do
            declare -F $name >/dev/null && { $name "$@"; return; }
        done
    fi
    COMPREPLY=()
    compopt -o default
}

_NAME_completion_setup() {
    complete -o nosort -F _NAME_completion COMMANDS
}

_NAME_completion_setup
"""
_ZSH = r"""
_NAME_completion() {
    local at=1 script type key descr
    local -a response plain described
    [[ ${words[1]:t} == python* ]] && at=2
    script=${${(Q)words[at]}/#\~/$HOME}
    [[ $at == 1 && $script != */* ]] && script=${commands[$script]}
    if (( CURRENT <= at )) || ! [[ $script -ef SCRIPT ]]; then
        if [[ $at == 2 ]] && (( $+functions[_python] )); then
            _python "$@"
        else
            _default "$@"
        fi
        return
    fi
    response=("${(@f)$(COMP_WORDS="${words[at,-1]}" COMP_CWORD=$((CURRENT-at)) VARIABLE=zsh_complete PROGRAM)}")
    for type key descr in ${response}; do
        if [[ $type == file ]]; then
            _files
        elif [[ $type == plain && $descr == _ ]]; then
            plain+=("$key")
        elif [[ $type == plain ]]; then
            described+=("$key:$descr")
        fi
    done
    local option=''
    [[ $words[CURRENT] == --*=* ]] && option=${words[CURRENT]%%=*}=
    [[ -n $described ]] && _describe -V unsorted described -U
    [[ -n $plain ]] && compadd -U -V unsorted -p "$option" -a plain
}

compdef _NAME_completion COMMANDS
"""
_FISH = r"""
function __NAME_words
    # The words of the line from the program on, where it is this one.
    set -l words (commandline -opc)
    string match -q 'python*' -- (string replace -r '.*/' '' -- $words[1]); and set -e words[1]
    set -q words[1]; or return 1
    set -l script (string replace -r '^~' $HOME -- $words[1])
    string match -q '*/*' -- $script; or test -e $script; or set script (command -s -- $script)
    set -l real (builtin realpath -- $script 2>/dev/null)
    test "$real" = SCRIPT; or return 1
    string join ' ' -- (string escape -- $words)
end

function __NAME_completion
    set -l words (__NAME_words)
    set -l token (commandline -ct)
    set -l option (string match -r -- '^--[^=]+=' $token)
    for line in (env VARIABLE=fish_complete COMP_WORDS="$words $token" COMP_CWORD="$token" PROGRAM)
        set -l parts (string split -m 1 ',' -- $line)
        if test $parts[1] = file
            __fish_complete_path $parts[2]
        else if test $parts[1] = plain
            echo -- "$option$parts[2]"
        end
    end
end

for command in COMMANDS
    complete --command $command --no-files --condition __NAME_words --arguments '(__NAME_completion)'
end
"""


def _source(script: str, quoted: Callable[[str], str]) -> str:
    """A script for this program: as it was installed, or run.py with the Python that has what it needs."""
    name = program.name()
    run = Path(sys.argv[0] if name == program.INSTALLED else program.FOLDER / name).resolve()
    parts = {
        "_NAME": f"_{name}".replace(".", "_"),
        "VARIABLE": variable(),
        "SCRIPT": quoted(str(run)),
        "PROGRAM": quoted(str(run)) if name == program.INSTALLED else f"{quoted(sys.executable)} {quoted(str(run))}",
        "COMMANDS": name if name == program.INSTALLED else f"{name} python python3",
    }
    return re.sub("|".join(parts), lambda match: parts[match.group()], script).lstrip()


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

    by_hand = f"`--show-completion {shell}` prints the script. Put it where {shell} reads it."
    try:
        home = Path.home()
    except RuntimeError as error:
        raise FileError(f"Completion cannot be installed: you have no home folder. {by_hand}") from error
    name = program.name()
    folder = home / ".config/fish/completions" if shell == "fish" else data_folder(os.environ)
    script = folder / f"{name}.{shell}"
    try:
        private_folder(script.parent)
        script.write_text(_script(context, shell), "utf-8")
        if shell != "fish":
            begins = home / f".{shell}rc"
            # Whatever else is in it may be written in any encoding.
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
