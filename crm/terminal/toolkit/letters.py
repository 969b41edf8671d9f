"""The keys that act: one table of them, in which each means one thing, whatever page it is pressed on.

A page says `letters.NEW(add, "deal")` and names no key itself. Numbers open what is beside them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.lean_dataclass import dataclass
from crm.terminal.console.keyboard import KEYS_APART, Choice

# What each key does, wherever it is pressed.
MEANINGS: Mapping[str, str] = {
    "n": "new; no to a question",
    "e": "edit",
    "d": "delete, remove, end",
    "f": "filter",
    "s": "sort",
    " ": "mark",
    "a": "only mine, or everyone's",
    "v": "another view of the page: a saved view, list or board, table or chart",
    "g": "bulk actions, for all of them or for the marked ones",
    "r": "record a sale",
    "q": "quick note",
    "l": "log a call, meeting or note",
    "b": "draft an invoice (bill)",
    "z": "snooze",
    "m": "e-mail",
    "t": "tags",
    "M": "mailings",
    "T": "templates",
    "o": "reassign",
    "p": "pin the status",
    "w": "why this status",
    "k": "copy an address or a number",
    "y": "yes to a question",
    "c": "contacts",
    "h": "history",
    "x": "export",
    "i": "bring in: import a file, fetch e-mail",
    ".": "more actions",
    ">": "the next of the list",
    "<": "the previous of the list",
    ")": "move on, to the next stage or place",
    "(": "move back, to the stage or place before",
    "]": "the next page",
    "[": "the previous page",
    "+": "won, done",
    "-": "lost",
    "/": "find a client, or a command",
    "u": "undo what you did last",
    "U": "redo what you undid",
    "?": "the keys of the page",
    "0": "back",
}


# What works on every page, and what of it is always said.
EVERYWHERE = ("/", "u", "U", "q", "?")
ALWAYS_NAMED = ("/", "?")
# What is said before other keys where there is no room for all, the most needed last: that a list goes on.
LEAST_NEEDED_FIRST = "[0]"


@dataclass(frozen=True, slots=True)
class Letter:
    """A key, and the word that begins its label; where it opens a page with that word as its title, `opens` is what
    the page is for."""

    key: str
    word: str
    opens: str = ""

    def __call__(self, action: Any, what: str = "") -> Choice:
        """The key on a page: what it does there, and to what."""
        return Choice(f"{self.word} {what}".rstrip(), action, self.key)


BACK = Letter("0", "Back")
NEW = Letter("n", "New")
EDIT = Letter("e", "Edit")
DELETE = Letter("d", "Delete")
REMOVE = Letter("d", "Remove")
END = Letter("d", "End")
FILTER = Letter("f", "Filter", "Choose which rows the list shows.")
SORT = Letter("s", "Sort", "Choose the order of the list. Choose it again to reverse it.")
MARK = Letter(" ", "Mark")
STOP_MARKING = Letter(" ", "Stop marking")
MINE = Letter("a", "Only mine")
EVERYONES = Letter("a", "Everyone's")
VIEWS = Letter("v", "Saved views", "Show a list that you filtered and saved, or save this one.")
LIST = Letter("v", "List view")
BOARD = Letter("v", "Board view")
TABLE = Letter("v", "Table view")
CHART = Letter("v", "Chart view")
GROUP = Letter("g", "Bulk actions", "Do one thing with many of them at once.")
MAILINGS = Letter("M", "Mailings")
TEMPLATES = Letter("T", "Templates")
SALE = Letter("r", "Record a sale")
NOTE = Letter("q", "Quick note")
LOG = Letter("l", "Log")
BILL = Letter("b", "Draft an invoice")
MAIL = Letter("m", "E-mail")
TAGS = Letter("t", "Tags")
REASSIGN = Letter("o", "Reassign")
SNOOZE = Letter("z", "Snooze")
PIN = Letter("p", "Pin")
WHY = Letter("w", "Why")
COPY = Letter("k", "Copy")
YES = Letter("y", "yes")
NO = Letter("n", "no")
CONTACTS = Letter("c", "Contacts")
HISTORY = Letter("h", "History")
EXPORT = Letter("x", "Export")
FETCH = Letter("i", "Fetch")
MORE = Letter(".", "More", "What else can be done here.")
NEXT = Letter(">", "Next")
PREVIOUS = Letter("<", "Previous")
MOVE_ON = Letter(")", "Move on")
MOVE_BACK = Letter("(", "Move back")
NEXT_PAGE = Letter("]", "Next")
PREVIOUS_PAGE = Letter("[", "Previous")
WON = Letter("+", "Won")
DONE = Letter("+", "Done")
LOST = Letter("-", "Lost")
SEARCH = Letter("/", "Search")
UNDO = Letter("u", "Undo")
REDO = Letter("U", "Redo")
KEYS = Letter("?", "Keys")

# The purposes of the pages that keys open, by title.
PURPOSES: Mapping[str, str] = {letter.word: letter.opens for letter in (FILTER, SORT, VIEWS, GROUP, MORE)}


def name_of(key: str) -> str:
    """A key as it is written on the screen."""
    return "space" if key == " " else key


def line(keys: Sequence[Choice], *, short: bool = False) -> str:
    """Keys on a line, each with what it does, `short` without to what."""
    labels = [word_of(key) if short else key.label for key in keys]
    return KEYS_APART.join(
        f"{name_of(key.key)} {label[:1].lower()}{label[1:]}" for key, label in zip(keys, labels, strict=True)
    )


def word_of(key: Choice) -> str:
    """The word for a key, without to what it does it."""
    if key.key == GROUP.key:
        return str(key.label)
    words = (letter.word for letter in LETTERS if letter.key == key.key and key.label.startswith(letter.word))
    return next(words, str(key.label))


LETTERS = [value for value in globals().values() if isinstance(value, Letter)]
