"""Hints beside menu entries: each entry has its own, none is cut, and none belongs to a removed entry."""

import io
from contextlib import closing
from typing import Any, cast

from crm.commands import load, menus
from crm.commands.context import CRM
from crm.commands.registry import commands
from crm.errors import Question, confirmation
from crm.terminal.console.keyboard import Choice, Keyboard
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.prompts import Prompts
from crm.terminal.toolkit.sections import entries
from crm.terminal.toolkit.session import Session

# What stands before an entry: the pointer, its key and a bracket.
_BEFORE = 6


def test_each_entry_of_a_menu_has_a_hint_of_its_own_that_fits_eighty_columns(crm: CRM) -> None:
    load()
    screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm", "COLUMNS": "80", "LINES": "24"})
    labels: dict[str, str] = {}
    with closing(Session(crm, LineKeyboard(io.StringIO(), screen), screen)) as session:
        for menu in menus():
            labels |= {entry.label: menu for entry in entries(session, menu)}
    own = {entry.hint for entry in (*commands(), *menus().values()) if entry.hint}
    assert len(labels) > 60
    for label, menu in labels.items():
        _, _, hint = label.rpartition("  ")
        assert hint.strip() in own, (menu, label)
        assert _BEFORE + len(label) <= 80, (menu, label)


def test_no_hint_belongs_to_a_command_that_is_no_entry() -> None:
    load()
    on_pages = {words for menu in menus().values() for words in menu.page}
    assert not [
        command.words
        for command in commands()
        if command.hint and (command.menu not in menus() or command.words in on_pages)
    ]


class _Onlooker:
    """A Keyboard that takes the first answer and remembers the keys that the question named."""

    hint = ""

    def choose(self, question: str, choices: list[Choice], *, hint: str = "", **_: Any) -> Any:
        self.hint = hint
        return choices[0].value


def test_y_and_n_are_offered_only_for_yes_or_no_questions(crm: CRM) -> None:
    onlooker = _Onlooker()
    prompts = Prompts(crm, cast(Keyboard, onlooker), Screen(io.StringIO(), plain=True))
    prompts.answer(confirmation("The file is replaced.", "Replace it"))
    assert onlooker.hint == "y yes   n no"
    prompts.answer(Question("Is it a sale?", parameter="sale", choices={"yes": "Record it", "no": "Only the note"}))
    assert onlooker.hint == ""
