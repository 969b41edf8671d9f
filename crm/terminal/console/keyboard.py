"""The keyboard: questions to a person, whether keys are read one by one or lines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any, Protocol

from crm.errors import FieldError, RuleError


class Back(Exception):
    """The person goes back one step; `typed` is what stood in the line that was left."""

    def __init__(self, typed: str = "") -> None:
        super().__init__()
        self.typed = typed


class End(Back):
    """Ctrl-D: back one step, or out of the program where there is no step left."""


class Needed(FieldError):
    """A required answer was left empty. Where lines are typed, which know no Esc, it goes back as well."""

    def __init__(self) -> None:
        super().__init__("it is needed; Esc goes back")


class Closed(Exception):
    """The terminal is gone, or the input has come to its end."""


# The way back, as the entry that is pointed at first.
BACK = object()


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry to choose; `key` is given to it when it is ''. `label` may be styled pieces of prompt_toolkit."""

    label: str
    value: Any
    key: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A suggestion for what was typed so far: `text` stands in the line when it is taken."""

    text: str
    label: str
    about: str = ""


class Keyboard(Protocol):
    """Asks a person. Raises Back (Esc, nothing), Cancelled (Ctrl-C) or Closed."""

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
    ) -> Any:
        """The value of the entry chosen by one key. `hidden` ones are not listed, `hint` tells of them; `at` is the
        value that is pointed at first, BACK where that is the way back. `resized` is given back once the terminal has
        another size, so that all of the page can be drawn anew."""

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
    ) -> Any:
        """Ask for a text; the value that `read` makes of it. Where it raises FieldError or RuleError, the reason is
        shown and the text is there to correct. A `secret` is not seen as it is typed."""

    def pause(self) -> None:
        """Waits until the person has read."""


_KEYS = "123456789abcdefghijklmnopqrstuvwxyz"


def numbered(choices: Sequence[Choice], hidden: Sequence[Choice] = ()) -> list[Choice]:
    """The choices, each with a key of its own: digits first, then letters. Where there are more, the last have none and
    are chosen by arrows, or by their words."""
    taken = {choice.key for choice in (*choices, *hidden) if choice.key}
    free = iter([key for key in _KEYS if key not in taken])
    return [choice if choice.key else Choice(choice.label, choice.value, next(free, "")) for choice in choices]


def reason(error: FieldError | RuleError, width: int = 80) -> str:
    """The reason why a text was not taken: a sentence, and of a rule the place and the names there are."""
    words = error.reason[:1].upper() + error.reason[1:]
    lines = fill(words if words.endswith((".", "?", "!")) else f"{words}.", width).splitlines()
    if isinstance(error, RuleError):
        if error.text:
            start = max(0, error.position - width + 12)
            lines += [f"  {error.text[start : start + width - 4]}", f"  {' ' * (error.position - start)}^"]
        if error.names:
            lines += fill(f"Names there are: {', '.join(error.names)}.", width).splitlines()
    return "\n".join(lines)
