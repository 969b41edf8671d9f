"""The keyboard: questions to a person, whether keys are read one by one or lines."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import replace
from textwrap import fill
from typing import Any, Protocol

from crm.errors import Cancelled, FieldError, RuleError
from crm.lazy_pattern import lazy_pattern
from crm.lean_dataclass import dataclass
from crm.model.folding import fold
from crm.wording import as_sentences


class Back(Exception):
    """The person goes back one step; `typed` is what was in the line that was left."""

    def __init__(self, typed: str = "") -> None:
        super().__init__()
        self.typed = typed


class End(Back):
    """Ctrl-D: back one step, or out of the program where there is no step left."""


class Interrupted(Cancelled):
    """Ctrl-C in a text; `typed` is what was in the line."""

    def __init__(self, typed: str) -> None:
        super().__init__()
        self.typed = typed


class Needed(FieldError):
    """A required answer was left empty. Where lines are typed, which know no Esc, it goes back as well."""

    def __init__(self) -> None:
        super().__init__("this is required; Esc goes back")


class Closed(Exception):
    """The terminal is gone, or the input has come to its end."""


# The way back, as the entry that is pointed at first.
BACK = object()
# What stands between two keys in a line of them.
KEYS_APART = "   "
# The words that answer a question of yes or no, beside its entries.
YES, NO = "yes", "no"
YES_OR_NO = "y yes   n no"
# Keys without a character that may choose. Where they do not, up and down move the pointer. Those beyond the last entry
# and the first are down and up where there is no further entry; any capital letter is CAPITAL, and its value is called
# with it.
BEYOND_LAST, BEYOND_FIRST, CAPITAL = "beyond-last", "beyond-first", "A-Z"
ARROWS = ("up", "down", "left", "right", "s-up", "s-down", "s-left", "s-right", "pageup", "pagedown", "home", "end")


# Every page makes dozens: the constructor of the standard library takes a third of the time.
@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """One entry to choose; the first nine get a digit for their `key` where it is '', unless it is not `keyed` and is
    reached by arrows alone.
    `pieces` are its label where there are colours: each a token of the theme and a text. `card` draws, in such pieces,
    what is beside the entries while this one is pointed at. A `heading` is on a line above it.

    `field` is what it is called in a form. There a letter points at the next field that begins with it, and opens none:
    somebody who types an e-mail address before choosing a field has not chosen one by its letters. On a page the first
    entry that is not `instant` is pointed at: an instant one changes or sends something without a further question."""

    label: str
    value: Any
    key: str = ""
    keyed: bool = True
    pieces: Sequence[tuple[str, str]] = ()
    card: Callable[[], Sequence[tuple[str, str]]] | None = None
    heading: str = ""
    field: str = ""
    instant: bool = False


@dataclass(frozen=True, slots=True)
class FormPlace:
    """The place of a question in a form: whether another comes before it, the labels of those that come after, and
    whether Esc leaves it."""

    before: bool = False
    after: Sequence[str] = ()
    leaves: bool = True


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A suggestion for what was typed so far: `text` is in the line when it is taken."""

    text: str
    label: str
    about: str = ""


class Keyboard(Protocol):
    """The questions that a person is asked. Raises Back (Esc, nothing), Cancelled (Ctrl-C) or Closed."""

    # The value of the entry that was pointed at when the last question was answered, by whatever key; None where
    # nothing is pointed at.
    @property
    def pointed(self) -> Any: ...

    def choose(
        self,
        question: str,
        choices: Sequence[Choice],
        *,
        back: str = "Back",
        hidden: Sequence[Choice] = (),
        hint: str = "",
        at: Any = None,
        resized: Any = None,
        room: int = 0,
        note: str = "",
        in_column: int = 0,
        narrows: bool = False,
        above: Callable[[], None] | None = None,
    ) -> Any:
        """The value of the entry chosen by one key. `hidden` ones are not listed, `hint` tells of them; `at` is the
        value that is pointed at first, BACK where that is the way back. `resized` is given back once the terminal has
        another size, so that all of the page can be redrawn.

        Where lines can be drawn, so many are the `room` of the question: a `note` in the escape sequences of a terminal
        and the hint are at its end, whatever is above. Keys with names are those of `ARROWS`. With `in_column` the
        entries are in two columns, so many below each other. Where it `narrows`, letters leave only the entries with
        words that begin so, and the first nine of those have the digits. `above` clears the page and shows again what
        is above the question, in a window of another size."""

    def text(
        self,
        label: str,
        read: Callable[[str], Any],
        *,
        default: str = "",
        help: str = "",
        error: str = "",
        suggest: Callable[[str], Sequence[Suggestion]] | None = None,
        multiline: bool = False,
        path: bool = False,
        secret: bool = False,
        begun: bool = False,
        form: FormPlace | None = None,
        passing: bool = False,
        room: int = 0,
        card: Callable[[], Sequence[tuple[str, str]]] | None = None,
        above: Callable[[], None] | None = None,
    ) -> Any:
        """Ask for a text; the value that `read` makes of it. Where it raises FieldError or RuleError, the reason is
        shown and the text is there to correct. A `default` of one line is replaced by what is typed, as in a form of a
        browser, unless a key moves in it first; not one that the person has `begun` to type themselves. A `secret` is
        not seen as it is typed. Of a `form` the fields that come after are seen below, and the arrow up goes to the one
        before. A `passing` text, like that of a search, is nothing that somebody would miss. The `room` and what is
        `above` are as for a choice, and the `card` is what is beside."""

    def pause(self, room: int = 0) -> None:
        """Wait until the person has read; the last of so many lines says so, the next one where there are none."""


def yes_or_no(yes: Any, no: Any = BACK) -> list[Choice]:
    """The keys that answer a question of yes or no beside its entries."""
    return [Choice(YES, yes, "y"), Choice(NO, no, "n")]


# What is said where any key goes on.
CONTINUE = "Press any key to continue."
# The columns before an entry: the pointer, its key and a bracket.
KEYED = 6
_DIGITS = 9
_WORD = lazy_pattern(r"[^\W_]+")


def lines_of(choices: Sequence[Choice], columns: int) -> int:
    """The number of lines that choices take below each other in a window of so many columns."""
    room = columns - KEYED - 1
    lines = [line for choice in choices for line in choice.label.split("\n")]
    return sum(bool(choice.heading) for choice in choices) + sum(max(1, -(-len(line) // room)) for line in lines)


def numbered(choices: Sequence[Choice], most: int = _DIGITS) -> list[Choice]:
    """The choices, the first so many of them with a number for their key. The others are chosen by arrows, or by their
    words: letters act, and mean the same on every page."""
    numbers = iter(range(1, most + 1))
    return [
        replace(choice, key=str(next(numbers, ""))) if choice.keyed and not choice.key else choice for choice in choices
    ]


def narrowed(choices: Sequence[Choice], typed: str) -> list[Choice]:
    """The choices that have, for each word that was typed, a word that begins so; the first nine have the digits."""
    parts = fold(typed).split()
    fitting = [
        choice for choice in choices if all(any(word.startswith(part) for word in _words(choice)) for part in parts)
    ]
    return [replace(choice, key=str(place) if place <= _DIGITS else "") for place, choice in enumerate(fitting, 1)]


def _words(choice: Choice) -> list[str]:
    return _WORD.findall(fold(choice.label))


def reason(error: FieldError | RuleError, width: int = 80) -> str:
    """The reason why a text was not taken: a sentence, and of a rule the place and the names that are used most."""
    lines = fill(as_sentences(error.reason), width).splitlines()
    if isinstance(error, RuleError):
        if error.text:
            start = max(0, error.position - width + 12)
            lines += [f"  {error.text[start : start + width - 4]}", f"  {' ' * (error.position - start)}^"]
        lines += fill(error.advice, width).splitlines()
    return "\n".join(lines)
