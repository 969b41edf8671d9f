"""Commands that an error or a question names: in the menu by their titles."""

import io
import re

import pytest

from crm.commands.context import CRM
from crm.commands.registry import commands
from crm.errors import RefusedError, confirmation
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.command_titles import with_titles
from crm.terminal.toolkit.session import Session


@pytest.mark.parametrize(
    ("sentence", "in_menu"),
    [
        ("`stages list` shows all.", "“Stages” shows all."),
        ("your tax ID (`settings set vat_id`)", "your tax ID (“Settings, Tax ID”)"),
        ("credit it (`invoices credit RE-1`)", "credit it (“Credit an invoice”)"),
        ("`clients edit … --invoice-email` sets it", "“Clients, Edit, E-mail for invoices” sets it"),
        # What the menu has not, and what is no command, stays.
        ("run `users recover`, or type `back`", "run `users recover`, or type `back`"),
    ],
)
def test_a_command_in_a_sentence_is_named_by_its_title(sentence: str, in_menu: str) -> None:
    assert with_titles(sentence, "US") == in_menu


def test_every_command_of_the_menu_has_a_title_in_place_of_what_one_types() -> None:
    for command in commands():
        title = with_titles(f"`{command.words}`", "US")
        assert re.fullmatch("“[^`“”]+”", title), command.words


def test_errors_and_questions_in_the_menu_name_no_command_of_the_shell(crm: CRM) -> None:
    out = io.StringIO()
    screen = Screen(out, plain=True)
    session = Session(crm, LineKeyboard(io.StringIO("0\n"), screen), screen)

    def refuse() -> None:
        raise RefusedError("It is not won. Win it first (`deals win 3`). Nothing was changed.")

    session.attempt(refuse)
    session.attempt(lambda: session.prompts.answer(confirmation("`history undo 4` undoes it. Go on?", "Go on")))
    session.page("End")
    seen = " ".join(out.getvalue().split())
    assert "It is not won. Win it first (“Mark a deal as won”). Nothing was changed." in seen
    assert "“History, Undo” undoes it. Go on?" in seen
