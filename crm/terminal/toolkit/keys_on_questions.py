"""The search and the keys of the page work on every question, not on pages alone."""

from collections.abc import Callable, Sequence
from typing import Any

from crm.terminal.console.keyboard import Back, Choice, FormPlace, Interrupted, Keyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.discarding import Discarded, discards

# The keys that a question has besides its own, from its entries and its own keys.
Keys = Callable[[Sequence[Choice], Sequence[Choice]], Sequence[Choice]]

_DIGITS = 9


class QuestionKeyboard:
    """A Keyboard on whose questions these keys work as well; then the question is asked again as it was. A page has
    them already, and a text that is typed has none: there they are characters."""

    def __init__(self, keyboard: Keyboard, keys: Keys, screen: Screen) -> None:
        self._keyboard = keyboard
        self._keys = keys
        self._screen = screen

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
        keys = self._keys(choices, hidden)
        # Of many answers the digits choose the first nine, and letters narrow them to others.
        many = sum(not choice.key for choice in choices) > _DIGITS
        how["narrows"] = how.get("narrows", many and not any(key.key.isalpha() for key in hidden))
        if choices and not self._screen.plain:
            narrowing = "type to narrow the list" if how["narrows"] else ""
            hint = self._with_keys("   ".join(filter(None, (hint, narrowing))), keys)
        while True:
            chosen = self._keyboard.choose(question, choices, hidden=[*hidden, *keys], hint=hint, **how)
            if not any(chosen is key.value for key in keys):
                return chosen
            how["at"] = self._keyboard.pointed
            chosen()

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
        a question of a `form`, which keeps it, and for a `passing` text."""
        line = default
        while True:
            try:
                return self._keyboard.text(label, read, default=line, form=form, **how)
            except (Back, Interrupted) as left:
                is_kept = isinstance(left, Back) and (form is not None or passing)
                if is_kept or left.typed.strip() in ("", default):
                    raise
                if discards(self):
                    raise (Back() if isinstance(left, Back) else Discarded()) from left
                line, how["begun"] = left.typed, True

    def pause(self) -> None:
        """Waits until the person has read."""
        self._keyboard.pause()
