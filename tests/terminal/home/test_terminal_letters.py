"""Keys of the menu: each means one thing on every page, and every command can be reached.

In this process, with a keyboard that goes by itself through whatever a page offers.
"""

import io
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm.app import open_crm
from crm.commands import load, menus
from crm.commands.context import CRM
from crm.commands.registry import Command, commands, named
from crm.config import Config
from crm.model import Client, FollowUp, Message
from crm.repository import Query
from crm.terminal.console.keyboard import BACK, CAPITAL, NO, YES, Back, Choice, numbered
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.home.main_menu import MainMenu
from crm.terminal.toolkit import cheat_sheet, letters
from crm.terminal.toolkit.pages import FLOWS, load_flows
from crm.terminal.toolkit.sections import entries
from crm.terminal.toolkit.session import Session
from tests.support.clocks import TODAY, running_on
from tests.support.keyboards import Leaving

# What is done to the whole store, or elsewhere, is not tried.
# More turns than the main menu has entries and keys.
_SECTIONS = 20
# As many of each kind as their pages have entries and keys.
_RECORDS = 6
_NOT_PRESSED = ("Exit", "Undo", "Search", "Restore", "Try it on", "Open the")


# A record among breadcrumbs, and what is done with one.
_RECORD = re.compile(r"(Acme|Roof|Hello|Hour|Big|Sale|Draft) \d.*|Jo Fox|Call|x\d@example\.com")
_ACT = re.compile(r"(Add|Edit|Delete|Record|Log|Mark|Merge|Move|Pin|Remove|Tag)\b")

Page = tuple[str, ...]


class Walking(Leaving):
    """A Keyboard that presses on each page each key once, then goes back; questions are left unanswered."""

    def __init__(self) -> None:
        self.session: Session
        # By key, the labels that it had, each with a page.
        self.labels: dict[str, dict[str, Page]] = defaultdict(dict)
        # By page, how many entries it has without a letter of their own, and more than digits.
        self.too_long: dict[Page, int] = {}
        self.pressed: set[str] = set()
        # By page, what its page of keys says that it is for.
        self.purposes: dict[Page, str] = {}
        # By page on which a letter jumps, the name of the key for these letters, and the other letters that act there.
        self.jumping: dict[Page, dict[str, set[str]]] = defaultdict(dict)
        # The breadcrumbs of every page and every question.
        self.places: set[Page] = set()
        self._pressed: dict[tuple[Page, Page], set[str]] = defaultdict(set)

    def choose(self, question: str, choices: Sequence[Choice], *, hidden: Sequence[Choice] = (), **_: Any) -> Any:
        self.places.add(tuple(self.session.place))
        for choice in hidden:
            if choice.label.startswith("to ") and len(choice.key) > 1:
                self.jumping[tuple(self.session.place)][choice.key] = {key.key for key in hidden if key.key.isalpha()}
        # Arrows and the like scroll.
        hidden = [choice for choice in hidden if len(choice.key) == 1]
        keyed = numbered(choices)
        for choice in filter(lambda choice: choice.label and not choice.key.isdigit(), (*keyed, *hidden)):
            self.labels[choice.key].setdefault(choice.label, tuple(self.session.place))
        # A question has no keys but yes and no, the search and the keys of the page.
        if not {choice.label for choice in hidden} - {YES, NO, "Search", "Keys"}:
            next((choice.value for choice in hidden if choice.label == "Keys"), lambda: None)()
            raise Back
        if (unkeyed := sum(choice.keyed and not (choice.key or choice.field) for choice in keyed)) > 0:
            self.too_long[tuple(self.session.place)] = unkeyed
        # The pages of two records are one: what was done on the first is not done on the second.
        pressed = self._pressed[tuple(choice.label for choice in choices), tuple(choice.key for choice in hidden)]
        for choice in (*choices, *hidden):
            name = choice.key or choice.label
            if (
                name not in pressed
                and choice.label
                and choice.value is not BACK
                and not choice.label.startswith(_NOT_PRESSED)
            ):
                pressed.add(name)
                self.pressed.add(choice.label)
                return choice.value
        raise Back

    def text(self, *_: Any, **__: Any) -> Any:
        self.places.add(tuple(self.session.place))
        raise Back


def fill_with_everything(crm: CRM) -> None:
    """Give every list something to open."""
    for number in range(_RECORDS):
        client: Client = named("clients add")(crm, {"company": f"Acme {number}", "email": f"a{number}@example.com"})
        named("contacts add")(crm, client, "Jo Fox")
        named("sales add")(crm, client, Decimal(40_000))
        named("deals add")(crm, client, f"Roof {number}", Decimal(500), expected_close_on=TODAY)
        named("follow-ups add")(crm, client, "Call", due=TODAY + timedelta(days=number))
        named("interactions add")(crm, client, "call", subject="rang")
        named("templates add")(crm, name=f"Hello {number}", subject="Hello", body="Hello")
        named("services add")(crm, f"Hour {number}", Decimal(80))
        named("invoices add")(crm, client, ["3 h Consulting 100 19%"])
        named("views save")(crm, f"Big {number}", "total_spend > 1")
        named("opt-outs add")(crm, f"x{number}@example.com")
        named("rules add")(crm, f"Big {number} when total_spend > {number}")


@pytest.fixture
def store_of_everything(crm: CRM) -> CRM:
    """A store in which every list has something to open."""
    fill_with_everything(crm)
    return crm


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Walking, set[str]]:
    """A walk through the whole menu, and the commands that it came to. One is enough for all that it shows."""
    folder = tmp_path_factory.mktemp("walk")
    load()
    load_flows()
    crm = open_crm(Config(f"sqlite:///{folder / 'crm.sqlite3'}", "tester", running_on(TODAY)))
    with closing(crm.repository), pytest.MonkeyPatch.context() as patch:
        fill_with_everything(crm)
        patch.setenv("XDG_DATA_HOME", str(folder))
        patch.chdir(folder)
        patch.setattr(Session, "_crashed", _raise)
        called: set[str] = set()
        start, run = Session.start, Command.__call__

        def starts(session: Session, command: Command, **given: Any) -> None:
            called.add(command.words)
            start(session, command, **given)

        def runs(command: Command, *arguments: Any, **given: Any) -> Any:
            called.add(command.words)
            return run(command, *arguments, **given)

        patch.setattr(Session, "start", starts)
        patch.setattr(Command, "__call__", runs)
        _note_flows(patch, called)
        keyboard = Walking()

        def draws(_screen: Any, _entries: Any, _keys: Any, _room: int, about: str, **_: Any) -> None:
            keyboard.purposes[tuple(keyboard.session.place)] = about

        patch.setattr(cheat_sheet, "draw_keys", draws)
        screen = Screen(io.StringIO(), plain=False, environment={"TERM": "xterm", "COLUMNS": "80", "LINES": "24"})
        with closing(Session(crm, keyboard, screen)) as session:
            keyboard.session = session
            menu = MainMenu(session)
            menu._loads_rest = False
            for _ in range(_SECTIONS):
                menu.show()
                menu.dispatch(menu.choose())
    return keyboard, called


def _note_flows(patch: pytest.MonkeyPatch, called: set[str]) -> None:
    """Pages call one another's functions directly as well: what leads through a command is noted wherever a module
    calls it by name."""
    for words, flow in FLOWS.items():

        def leads(*arguments: Any, words: str = words, flow: Any = flow, **given: Any) -> Any:
            called.add(words)
            return flow(*arguments, **given)

        for module in [module for name, module in sys.modules.items() if name.startswith("crm.terminal.")]:
            for name in [name for name, value in vars(module).items() if value is flow]:
                patch.setattr(module, name, leads)


def _raise(_: Session, error: Exception) -> None:
    raise error


# What needs an account, a message, a mailing, a spreadsheet or a backup that this store has not, or is not pressed.
_ELSEWHERE = (
    "invoices", "numbers set", "payments", "receipts", "reminders", "statements",
    "bounces clear", "clients search", "contacts primary", "deals reopen", "people",
    "dashboard", "demo", "email", "history", "keys", "mailbox", "mailings",
    "occasions remove", "profile", "restore", "sheets", "sms", "users", "views",
)  # fmt: skip


# What runs once a question was answered, by the entry that asks it.
_BEHIND_A_QUESTION = {
    "clients delete-many": "Bulk actions", "clients edit-many": "Bulk actions", "follow-ups assign": "Reassign",
    "follow-ups snooze": "Snooze", "follow-ups edit-many": "Bulk actions", "follow-ups delete-many": "Bulk actions",
    # Marked follow-ups are done at once, before the walk comes to one that it could edit in the list.
    "follow-ups edit": "Edit",
    "sales undo": "Delete this sale",
    "settings set": "Settings",
}  # fmt: skip


# The keys with more than one word: the same for another kind of record, back again, or (n) on a question.
_SEVERAL_WORDS = {
    "d": {"Delete", "Remove", "End"},
    " ": {"Mark", "Stop marking"},
    "a": {"Only mine", "Everyone's"},
    "v": {"Saved views", "List view", "Board view", "Table view", "Chart view"},
    "n": {"New", "no"},
    "+": {"Won", "Done"},
}


@pytest.mark.slow
def test_a_letter_key_means_the_same_on_every_page(walked: tuple[Walking, set[str]]) -> None:
    keyboard, _ = walked
    words = {key: tuple(letter.word for letter in letters.LETTERS if letter.key == key) for key in letters.MEANINGS}
    # A word that is new here is a second meaning, unless it is the same for another kind of record or page.
    several = {key: set(names) for key, names in words.items() if len(names) > 1}
    assert several == _SEVERAL_WORDS
    assert len(keyboard.labels) > 20
    for key, labels in keyboard.labels.items():
        if len(key) != 1:
            continue
        assert key in letters.MEANINGS, labels
        for label, page in labels.items():
            assert label.startswith(words[key]), (key, label, page)


@pytest.mark.slow
def test_only_capital_letters_without_a_meaning_jump_and_only_in_lists_of_names(
    walked: tuple[Walking, set[str]],
) -> None:
    jumping = walked[0].jumping
    for page, by_key in jumping.items():
        assert set(by_key) == {CAPITAL}, page
        # Redo is a capital letter like any other where there is nothing to redo.
        acting = {key for key in by_key[CAPITAL] if key.isupper()} - {letters.REDO.key}
        assert not acting, (page, acting)
    assert {page[-1] for page in jumping} == {
        "Clients", "Contacts", "Opt-outs", "People", "Services", "Settings", "Templates"
    }  # fmt: skip


@pytest.mark.slow
def test_the_keys_of_each_page_say_what_it_is_for(walked: tuple[Walking, set[str]]) -> None:
    purposes = walked[0].purposes
    assert len(purposes) > 40
    without = [" › ".join(page[:-1]) for page, purpose in purposes.items() if not purpose]
    assert not without, "\n".join(without)


@pytest.mark.slow
def test_breadcrumbs_show_section_record_and_action(walked: tuple[Walking, set[str]]) -> None:
    places = walked[0].places
    for place in places:
        records = [at for at, crumb in enumerate(place) if _RECORD.fullmatch(crumb)]
        acts = [at for at, crumb in enumerate(place) if _ACT.match(crumb)]
        assert 0 not in records, place
        assert not (records and acts) or max(records) < min(acts), place
        assert len(set(place)) == len(place), place
    assert len(places) > 200
    assert places >= {
        ("Clients", "Acme 5", "Record a sale"),
        ("Clients", "Acme 5", "Add a follow-up"),
        ("Clients", "Acme 5", "Jo Fox", "Edit"),
        ("Follow-ups", "Add a follow-up"),
        ("Deals", "Add a deal"),
        ("Deals", "Roof 5", "Add a follow-up"),
        ("Deals", "Roof 5", "Move"),
        ("Sales", "Sale 6", "Delete"),
        ("History", "added Acme 5"),
    }


@pytest.mark.slow
def test_no_page_has_more_entries_than_digits_but_today(walked: tuple[Walking, set[str]]) -> None:
    assert set(walked[0].too_long) <= {("Today",)}


@pytest.mark.slow
def test_every_command_is_reached_by_the_menu(walked: tuple[Walking, set[str]]) -> None:
    _, called = walked
    missing = {command.words for command in commands()} - called
    unreached = sorted(words for words in missing if not words.startswith((*_ELSEWHERE, *_BEHIND_A_QUESTION)))
    assert not unreached, " ".join(unreached)
    for words, label in _BEHIND_A_QUESTION.items():
        assert any(pressed.startswith(label) for pressed in walked[0].pressed), words


def test_the_main_menu_has_nine_sections_at_most_and_no_menu_more_entries_than_digits(crm: CRM) -> None:
    load()
    screen = Screen(io.StringIO(), plain=True)
    with closing(Session(crm, LineKeyboard(io.StringIO(), screen), screen)) as session:
        main = MainMenu(session)
        assert len(main.entries()) <= 9
        for name, menu in menus().items():
            assert len(entries(session, name)) <= 9, menu.title


# The tasks of a day, from the main menu and back: the keys, each with a word of the screen on which it is pressed, and
# how many the same took before there were sections and letters, as the table in docs/guide.md has it. What is typed
# stands in brackets and is no key; the Enter after it is one.
DAY: Sequence[tuple[str, int, str]] = (
    ("add a client", 6, "Exit:n person:1 name:[Bo] Bo:enter Last:[Fox] Fox:enter Save:1 Added:"),
    ("record a sale", 6, "Exit:r Client:[a1@] a1@:enter Amount:[12] 12:enter Date:enter Note:enter $12.00:"),
    ("log a call", 6, "Exit:/ Find:[a2@] a2@:enter Timeline:l call:1 Call:[Hi] Hi:enter Save:1 Hi:"),
    ("add a follow-up", 6, "Exit:5 new:n Client:[a3@] a3@:enter What:[Ask] Ask:enter Due:[fri] fri:enter Save:1 Ask:"),
    ("mark a follow-up done", 4, "Exit:5 1-:1 Snooze:enter Done:"),
    ("find a client", 2, "Exit:/ Find:[a4@] a4@:enter Timeline:"),
    ("move a deal", 2, "Exit:4 Deals:) Proposal:"),
    ("send an e-mail", 7, "Exit:6 new:n Client:[a5@] a5@:enter Start:2 Preview:1 Send:1 sent:"),
    ("undo", 2, "Exit:u Undo:1 Undone:"),
    ("see the sales of this month", 2, "month:"),
)


@pytest.mark.slow
def test_everyday_actions_need_no_more_keys_than_before(start: Callable[..., Any], store_of_everything: CRM) -> None:
    session = start(lines=40, CRM_SMTP_URL="smtp://127.0.0.1:9", CRM_MAIL_FROM="Anna <anna@example.com>")
    for task, before, steps in DAY:
        pressed = 0
        for step in steps.split():
            word, _, key = step.rpartition(":")
            session.sees(word)
            if key:
                session.press(key.strip("[]"))
                pressed += not key.startswith("[")
        assert pressed <= before, task
        while "Exit" not in session.settled().text:
            session.press("esc")
    with store_of_everything.read() as snapshot:
        assert [client.name for client in snapshot.find_all(Client, Query({"first_name": "Bo"}))] == ["Bo Fox"]
        assert snapshot.count(Message) == 1
        # One was added, one is done.
        assert snapshot.count(FollowUp, Query({"done_on": None})) == _RECORDS


def test_the_list_of_keys_fits_one_screen_and_matches_the_page(start: Callable[..., Any], crm: CRM) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    session = start().choose("Clients").sees("n new").press("?").sees("Clients › Keys").settled()
    text = session.text
    for words in ("n          new client", "space      mark", "0, Esc", "List all clients by name"):
        assert words in text, text
    session.press("/").sees("Find").press("esc").press("esc").press("esc").sees("Exit").choose("Clients")
    session.sees("1-1 of 1").press("1").sees(") More").press("?").sees("Anna › Keys").sees("w          why")
