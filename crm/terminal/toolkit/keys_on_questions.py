"""The frame of a page around every question: the search and the keys work on it, they are named at the bottom of the
window, and a wide window has something beside it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from crm.terminal.console.keyboard import BACK, Back, Choice, FormPlace, Interrupted, Keyboard, lines_of
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.discarding import Discarded, discards
from crm.terminal.toolkit.pages import Pieces


class Keys(Protocol):
    """The keys that a question has besides its own, from its entries and its own keys; letters may narrow these."""

    def __call__(
        self, entries: Sequence[Choice], keys: Sequence[Choice], *, narrows: bool = False
    ) -> Sequence[Choice]: ...


_DIGITS = 9
# The way back and the keys.
_BELOW = 2


class QuestionKeyboard:
    """A Keyboard on whose questions these keys work as well; then the question is asked again as it was. A page has
    them already, and a text that is typed has none: there they are characters. What stands `beside` a question is drawn
    where a window is wide enough, and below it in others."""

    def __init__(self, keyboard: Keyboard, keys: Keys, screen: Screen, beside: Callable[[], Pieces]) -> None:
        self._keyboard = keyboard
        self._keys = keys
        self._screen = screen
        self._beside = beside

    @property
    def pointed(self) -> Any:
        """The value of the entry that was pointed at when the last question was answered."""
        return self._keyboard.pointed

    def choose(
        self, question: str, choices: Sequence[Choice], *, hidden: Sequence[Choice] = (), hint: str = "", **how: Any
    ) -> Any:
        """Ask as Keyboard.choose does. Raises Back, Cancelled or Closed."""
        if any(key.key == letters.KEYS.key for key in hidden):
            return self._keyboard.choose(question, choices, hidden=hidden, hint=hint, **how)
        # Of many answers the digits choose the first nine, and letters narrow them to others.
        many = sum(not choice.key for choice in choices) > _DIGITS
        how["narrows"] = how.get("narrows", many and not any(key.key.isalpha() for key in hidden))
        keys = self._keys(choices, hidden, narrows=how["narrows"])
        if choices and not self._screen.plain:
            narrowing = "type to narrow the list" if how["narrows"] else ""
            hint = "   ".join(filter(None, (hint, narrowing)))
            if not how["narrows"]:
                # What is above it gives way to a question with all its answers.
                self._screen.shorten(self._screen.height - self._lines(question, choices))
            how["room"] = self._screen.left
            how["above"] = self._screen.show_resized
            is_whole = self._lines(question, choices) <= self._screen.left
            if how.get("back", "Back") and how.get("at") is not BACK and not is_whole:
                # The way back is among the keys then, and always seen.
                way_back = letters.BACK(BACK)
                how["back"], hidden = "", [*hidden, way_back]
                hint = "   ".join(filter(None, (letters.line([way_back]), hint)))
            hint = self._with_keys(hint, keys)
        if (card := self._card()) and not any(choice.card for choice in choices):
            choices = [replace(choice, card=card) for choice in choices]
        while True:
            chosen = self._keyboard.choose(question, choices, hidden=[*hidden, *keys], hint=hint, **how)
            if not any(chosen is key.value for key in keys):
                return chosen
            how["at"] = self._keyboard.pointed
            chosen()

    def _lines(self, question: str, choices: Sequence[Choice]) -> int:
        """The number of lines of a question with its entries, the way back and the keys."""
        from crm.terminal.console.prompt import wrapped

        asked = len(wrapped(question).splitlines())
        return asked + lines_of(choices, self._screen.width) + _BELOW

    def _card(self) -> Callable[[], Pieces] | None:
        """Draw what is beside a question, or below it in a narrow window; None for nothing."""
        pieces = () if self._screen.plain else self._beside()
        return (lambda: pieces) if pieces else None

    def _with_keys(self, hint: str, keys: Sequence[Choice]) -> str:
        """A hint with as many of the keys as there is room for on its line: that of all keys first."""
        for keys_named in (keys, keys[-1:]):
            longer = "   ".join(filter(None, (hint, letters.line(keys_named, short=True))))
            if self._screen.measure(longer) <= self._screen.width - 2:
                return longer
        return hint

    def text(
        self,
        label: str,
        read: Callable[[str], Any],
        *,
        default: str = "",
        form: FormPlace | None = None,
        passing: bool = False,
        **how: Any,
    ) -> Any:
        """Ask for a text as Keyboard.text does. Ctrl-C asks before it discards what was typed, and so does Esc, but for
        a question of a `form`, which keeps it, and for a `passing` text. A line that was begun was typed, too."""
        line, is_typed = default, bool(how.get("begun")) and form is None
        how["room"] = 0 if self._screen.plain else self._screen.left
        how["card"] = self._card()
        how["above"] = None if self._screen.plain else self._screen.show_resized
        while True:
            try:
                return self._keyboard.text(label, read, default=line, form=form, **how)
            except (Back, Interrupted) as left:
                is_kept = isinstance(left, Back) and (form is not None or passing)
                if is_kept or left.typed.strip() in ("", "" if is_typed else default):
                    raise
                if discards(self):
                    raise (Back() if isinstance(left, Back) else Discarded()) from left
                line, how["begun"] = left.typed, True

    def pause(self, room: int = 0) -> None:
        """Wait until the person has read."""
        self._keyboard.pause(room)
