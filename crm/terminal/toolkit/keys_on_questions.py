"""The search and the keys of the page work on every question, not on pages alone."""

from collections.abc import Callable, Sequence
from typing import Any

from crm.terminal.console.keyboard import Choice, Keyboard
from crm.terminal.toolkit import letters

# The keys that a question has besides its own, from its entries and its own keys.
Keys = Callable[[Sequence[Choice], Sequence[Choice]], Sequence[Choice]]


class QuestionKeyboard:
    """A Keyboard on whose questions these keys work as well; then the question is asked again as it was. A page has
    them already, and a text that is typed has none: there they are characters."""

    def __init__(self, keyboard: Keyboard, keys: Keys, *, plain: bool) -> None:
        self._keyboard = keyboard
        self._keys = keys
        self._plain = plain

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
        if choices and not self._plain:
            hint = "   ".join(filter(None, (hint, letters.line(keys, short=True))))
        while True:
            chosen = self._keyboard.choose(question, choices, hidden=[*hidden, *keys], hint=hint, **how)
            if not any(chosen is key.value for key in keys):
                return chosen
            how["at"] = self._keyboard.pointed
            chosen()

    def text(self, label: str, read: Callable[[str], Any], **how: Any) -> Any:
        """Ask for a text as Keyboard.text does."""
        return self._keyboard.text(label, read, **how)

    def pause(self) -> None:
        """Waits until the person has read."""
        self._keyboard.pause()
