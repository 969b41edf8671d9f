"""Esc in forms: the previous question comes back, and nothing that was typed is lost."""

import io
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.errors import Cancelled
from crm.model import Client, Deal
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.pages import load_flows
from crm.terminal.toolkit.session import Session
from tests.support.keyboards import Leaving

ESC = object()


class Hands(Leaving):
    """A Keyboard that answers from a list: a text as it is typed, the words of an entry, ESC, or a text that is left
    with ESC (as a tuple). `asked` are the questions, with what stood in their lines."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, str]] = []

    def choose(self, question: str, choices: Any, **_: Any) -> Any:
        self.asked.append((question, ""))
        answer = self._answers.pop(0)
        if answer is ESC:
            raise Back
        listed: list[Choice] = list(choices)
        return next(choice.value for choice in listed if choice.label.strip().startswith(answer))

    def text(self, label: str, read: Callable[[str], Any], *, default: str = "", **_: Any) -> Any:
        self.asked.append((label, default))
        answer = self._answers.pop(0)
        if answer is ESC:
            raise Back(default)
        if isinstance(answer, tuple):
            raise Back(answer[0])
        return read(default if answer is None else answer)


@pytest.fixture
def acme(crm: CRM) -> Client:
    """The one client."""
    load_flows()
    added: Client = named("clients add")(crm, {"company": "Acme"})
    return added


def led(crm: CRM, words: str, *answers: Any, **given: Any) -> Hands:
    """The questions of a command, until it ends or there are no more answers."""
    hands = Hands(*answers)
    session = Session(crm, hands, Screen(io.StringIO(), plain=True))
    with suppress(Back, Cancelled, IndexError):
        session.start(named(words), **given)
    return hands


def deals(crm: CRM) -> list[Deal]:
    with crm.read() as snapshot:
        return snapshot.find_all(Deal)


def test_a_deal_keeps_its_title_and_value(crm: CRM, acme: Client) -> None:
    hands = led(crm, "deals add", "Roof", ("12",), ESC, ESC, None, None, ESC, "Go back", None, "Save", client=acme)
    assert hands.asked[:3] == [("Title", ""), ("Value", ""), ("Title", "Roof")]
    # Nothing is lost unasked, and the line that was left has what stood in it.
    assert hands.asked[3][0].startswith("Discard what you typed")
    assert hands.asked[4:6] == [("Title", "Roof"), ("Value", "12")]
    assert ("Value", "12.00") in hands.asked
    assert [(deal.title, deal.value) for deal in deals(crm)] == [("Roof", Decimal(12))]


@pytest.mark.parametrize("answers", [(ESC,), ("Roof", ESC, ESC, "Discard")])
def test_a_form_is_left_from_its_first_question(crm: CRM, acme: Client, answers: tuple[Any, ...]) -> None:
    led(crm, "deals add", *answers, client=acme)
    assert deals(crm) == []


def test_the_amount_of_a_won_deal_is_kept(crm: CRM, acme: Client) -> None:
    deal = named("deals add")(crm, acme, "Roof", Decimal(5))
    hands = led(crm, "deals move", "Won", "7.50", ESC, None, "", deal=deal)
    assert [question for question in hands.asked if "Amount" in question[0]] == [
        ("Amount of the sale", "5.00"),
        ("Amount of the sale", "7.50"),
    ]
    with crm.read() as snapshot:
        assert snapshot.get(Client, acme.id).total_spend == Decimal("7.50")


def test_a_reason_can_be_chosen_again(crm: CRM, acme: Client) -> None:
    deal = named("deals add")(crm, acme, "Roof", Decimal(5))
    hands = led(crm, "deals lose", "Another", ("too sm",), "Another", "too small", deal=deal)
    assert hands.asked[-1] == ("Reason", "too sm")
    assert deals(crm)[0].lost_reason == "too small"


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        ("follow-ups add", ("Call", ("tomo",), None)),
        ("interactions add", ("Call", ("tomo",), "Call")),
        ("contacts add", ("tomo", ESC, "Go back")),
        ("clients add", ("A company", "tomo", ESC, "Go back")),
        ("templates add", ("E-mail", "tomo", ESC, "Go back")),
        ("sales add", ("10", ("tomo",), None)),
        ("users add", ("a@example.com", ("tomo",), None)),
        ("clients pin", ("Another", ("tomo",), "Another")),
        ("views save", ("Big", ("tomo",), None)),
    ],
)
def test_every_form_goes_back_one_question_with_what_was_typed(
    crm: CRM, acme: Client, words: str, answers: tuple[Any, ...]
) -> None:
    given = {} if words in ("clients add", "templates add", "users add", "views save") else {"client": acme}
    # Where the answers end, the question is asked again with what stood in its line.
    assert led(crm, words, *answers, **given).asked[-1][1] == "tomo"


@pytest.mark.usefixtures("acme")
def test_esc_in_a_line_keeps_what_was_typed_in_it(start: Callable[..., Any]) -> None:
    session = start().choose("Deals").press("n").sees("Client (").press("acme", "enter").sees("Title:")
    # Tab goes to the next field of a form, and back; elsewhere it says what to press.
    session.press("Roof", "\t").sees("Value (").press("\x1b[Z").sees("Title: Roof").press("enter").sees(
        "Value ("
    ).press("12", "esc").sees("Title: Roof").press("enter")
    session.sees("): 12").press("esc").sees("Title: Roof").press("esc").sees("Discard what you typed").press("1")
    session.press("q").sees("Note (").press("call", "\t").sees("Press Enter when you are done.").sees("call")


def test_a_client_that_was_chosen_stays_when_its_question_comes_again(crm: CRM, acme: Client) -> None:
    named("clients add")(crm, {"company": "Another"})
    hands = led(crm, "sales add", "Acme", ESC, None, "12", None, None)
    lines = [line for label, line in hands.asked if label == "Client"]
    assert lines == ["", f"{acme.id} Acme"]
    assert [label for label, _ in hands.asked][:4] == ["Client", "Amount", "Client", "Amount"]
