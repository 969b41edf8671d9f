"""Writer of the generated reference: docs/commands.md, docs/settings.md, and the words that a shell completes."""

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from crm.commands import menu_path
from crm.commands.registry import Command, Parameter, commands, commands_outside
from crm.config import ENVIRONMENT, TEAM
from crm.model.fields import Flag
from crm.shell import words
from crm.shell.options import help_of, opposite, words_of

DOCS = Path(__file__).parent


def settings_page() -> str:
    """docs/settings.md, from the table of settings."""
    lines = ["# Settings", "", "## From the environment", "", "| variable | what it is |", "| --- | --- |"]
    lines += [f"| `{option.variable}` | {option.description} |" for option in ENVIRONMENT]
    lines += [
        "| `CRM_KEY` | A key made by `keys add`: the shell has the rights of this key only. The menu and the web"
        " terminal ignore it. |",
        "| `CRM_KEY_FILE` | A file with that key, which only its owner can read. |",
        "| `NO_COLOR` | If it is set to anything, there are no colours. |",
        "| `CRM_BACKGROUND` | `dark` or `light`, if the terminal does not say which its background is. |",
        "| `CRM_DEBUG` | If it is set to anything, errors show where they came from. |",
    ]
    lines += [
        "",
        "Without `CRM_STORE` and `--store`, the data is in the Google spreadsheet that was connected last (`store.txt`"
        " in the user's data folder names it), or else in a SQLite file in that folder:"
        " `~/.local/share/crm/crm.sqlite3` on Linux, `~/Library/Application Support/crm` on macOS,"
        " `%LOCALAPPDATA%\\crm` on Windows. Backups are in `backups` beside it.",
        "",
        "E-mail, the mailbox and SMS can also be set up in the menu, for one computer: [E-mail](email.md#set-it-up)."
        " Environment variables override those settings.",
        "",
        "## Team settings, kept with the data",
        "",
        "Everyone who uses a store has the same settings."
        " In the menu they are under *Data & settings*, *Settings*; in the shell use"
        " `.venv/bin/python run.py settings set NAME VALUE`. `settings list` shows the names and the values.",
        "A new store takes its first values from the language and country of the machine it is made on.",
        "",
        "| name | what it is |",
        "| --- | --- |",
    ]
    lines += [f"| `{option.name}` | {option.description} |" for option in TEAM]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """docs/commands.md, from the register of commands."""
    lines = [
        "# Commands",
        "",
        "Each command can be run in the shell; most are in the menu as well.",
        "",
        "```",
        ".venv/bin/python run.py [--store URL] [--json] [--yes] [--debug] GROUP COMMAND [OPTIONS]",
        "```",
        "",
        "- `--store` names where the data is (`sample`: the sample data that `demo` makes), `--json` prints one JSON"
        " document, `--yes` answers every confirmation with yes, `--debug` shows where an error came"
        " from. They can come before or after the command.",
        "- In JSON a list is an array of records only, even if the screen also shows totals; a report is an object with"
        " its `rows`. `deals board` and `reports forecast` have the sums of deals.",
        "- `--yes` does not answer questions with several answers (which client is meant, whether to remove a sale)."
        " The command is then refused, the message names the options to use, and nothing is changed.",
        "- The exit code is 0 for done, 1 for refused, 2 for wrong usage, 3 for not allowed for this account, 4 for"
        " not known whether it was saved (a spreadsheet to which the connection broke: `history find` tells), and 130"
        ' for interrupted. Errors go to stderr, with `--json` as `{"error": kind, "message": sentence}`; with exit code'
        " 4 also with the name of the `change`.",
        "- Required options are marked `*`; at a terminal the program asks for those you leave out.",
        "- Name a client by its number, its reference, or its name if only one client has it.",
        "- Write dates as `2026-11-21`, `today`, `yesterday`, `fri`, or day and month in the team's order. Write"
        " amounts as the team does, or with a point before the decimals; an amount has as many decimals as its"
        " currency (EUR two, JPY none, KWD three). In JSON and CSV it has two decimals, or four if two are too few;"
        " invoices, payments, statements and billing reports have the decimals of their currency there, too.",
        "- `.venv/bin/python run.py --install-completion` sets up completion for bash, zsh or fish, whichever way this"
        " program is called: `python run.py`, `./run.py` or `crm`. Values are completed too: statuses, stages, tags,"
        " views, cities and others that records share, and the names that you may see.",
        "- Installed with pipx, uv or pip, the program is called `crm` instead of `.venv/bin/python run.py`."
        " `--version` shows its version.",
        "",
    ]
    # Only the shell has the last one.
    for command in (*commands(), *commands_outside("users")):
        lines += _section(command)
    return "\n".join(lines).rstrip() + "\n"


def _section(command: Command) -> Iterator[str]:
    yield f"## {command.words}"
    yield ""
    yield command.documentation
    yield ""
    if command.menu:
        yield f"Menu: {', '.join(f'*{title}*' for title in (*menu_path(command.menu), command.title))}."
        yield ""
    rows = [row for parameter in command.parameters.values() for row in _rows(parameter)]
    if rows:
        yield from ("| option | |", "| --- | --- |", *rows, "")


def _rows(parameter: Parameter) -> Iterator[str]:
    if parameter.name == "yes":
        return
    if parameter.fields:
        for field in parameter.fields.offered.values():
            is_flag = isinstance(field.check, Flag)
            option = _flag(field.option) if is_flag else field.option
            example = f", like `{field.check.example}`" if field.check.example and not is_flag else ""
            yield f"| `{option}` | {field.label}{f': {field.help}' if field.help else ''}{example} |"
        return
    option = parameter.option
    if isinstance(parameter.check, Flag):
        option = _flag(option)
    by_place = f" or `{parameter.name.strip('_').upper()}` (positional)" if parameter.positional else ""
    marks = ("*" if parameter.required else "") + (" (several)" if parameter.many else "")
    yield f"| `{option}`{by_place}{marks} | {help_of(parameter)} |"


def _flag(option: str) -> str:
    """An option that takes no value, and the one that takes it back."""
    return f"{option}`, `{opposite(option)}"


def shell_words() -> str:
    """crm/shell/words.json, from the register of commands."""
    return words.written_down(words_of(command) for command in (*commands(), *commands_outside("users")))


PAGES = {"settings.md": settings_page, "commands.md": commands_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), "utf-8")
    words.FILE.write_text(shell_words(), "utf-8")
    sys.exit(0)
