"""Everything that a menu loads and caches, loaded and cached once, before menus are forked."""

import os
import termios
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO

from rich.progress import Progress
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from crm.commands import load
from crm.config import team_defaults
from crm.model.conventions import Conventions
from crm.terminal.console.keyboard import Choice, Suggestion
from crm.terminal.console.prompt_toolkit_keyboard import terminal
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.pages import load_flows

_COLUMNS, _LINES = 80, 24
_SAMPLE = date(2026, 1, 31)


def warm_up() -> None:
    """Load all commands and flows and draw each kind of prompt once, on a terminal that nobody sees."""
    load()
    load_flows()
    defaults = team_defaults()
    by = Conventions(defaults["language"], defaults["currency"], defaults["country"])
    lines = [by.money(Decimal("1234.5")), by.amount(Decimal("1234.5")), by.day(_SAMPLE), by.month(_SAMPLE)]
    lines.append(by.time(datetime(2026, 1, 31, tzinfo=UTC)))
    master, slave = os.openpty()
    os.set_blocking(master, False)
    try:
        termios.tcsetwinsize(master, (_LINES, _COLUMNS))
        with (
            open(slave, encoding="utf-8", closefd=False) as keys,
            open(slave, "w", encoding="utf-8", closefd=False) as out,
        ):
            _draw(master, keys, out, lines)
    finally:
        os.close(slave)
        os.close(master)


def _draw(master: int, keys: IO[str], out: IO[str], lines: list[str]) -> None:
    screen = Screen(out, plain=False)
    screen.clear()
    screen.print(Rule(style="dim"))
    table = Table("a", "b", box=None)
    for words in lines:
        table.add_row(Text(words, "bold"), Text("ä 漢 🙂", "dim"))
    screen.print(table)
    # The bar itself would start a thread; only its drawing code is loaded.
    Progress(console=screen.console, disable=True).add_task("", total=1)
    _unread(master)
    entries = [Choice(words, at) for at, words in enumerate(lines)]
    with terminal(keys, out, screen.environment) as keyboard:
        for typed in (b"\x1b[B\r", b"2"):
            os.write(master, typed)
            keyboard.choose("?", entries, hidden=[Choice("Search", None, "/")], hint="/ search")
            _unread(master)
        os.write(master, b"ab\r")
        keyboard.text("?", str, help="help", suggest=lambda text: [Suggestion(text, text, "about")])
        _unread(master)


def _unread(master: int) -> None:
    """Make room: a terminal that nobody reads takes only so much."""
    with suppress(BlockingIOError):
        while os.read(master, 65_536):
            pass
