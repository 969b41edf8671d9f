"""The keyboard of a terminal that can be drawn on: one key chooses, and what is typed is completed and checked in
place."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

from prompt_toolkit.application.current import create_app_session

from crm.terminal.console.key_parser import keys_of
from crm.terminal.console.keyboard import Choice
from crm.terminal.console.select_prompt import SelectPrompt, ShowKeys
from crm.terminal.console.tty import output_to, quiet

if TYPE_CHECKING:
    from crm.terminal.console.text_prompt import TextPrompt


@contextmanager
def terminal(
    source: IO[str], out: IO[str], environment: Mapping[str, str], show_keys: ShowKeys = lambda _: None
) -> Iterator["TerminalKeyboard"]:
    """The keyboard of a terminal, which is left as it was; `show_keys` gets the keys that each question knows."""
    with quiet(source), create_app_session(input=keys_of(source), output=output_to(out, environment)):
        yield TerminalKeyboard(show_keys)


class TerminalKeyboard:
    """A Keyboard over questionary and prompt_toolkit."""

    def __init__(self, show_keys: ShowKeys = lambda _: None) -> None:
        self._show_keys = show_keys
        self._select = SelectPrompt(show_keys)

    @cached_property
    def _text(self) -> "TextPrompt":
        from crm.terminal.console.text_prompt import TextPrompt

        return TextPrompt()

    def choose(self, question: str, choices: Sequence[Choice], **how: Any) -> Any:
        return self._select.ask(question, choices, **how)

    @property
    def pointed(self) -> Any:
        """The value of the entry that was pointed at when the last question was answered."""
        return self._select.pointed

    def text(self, label: str, read: Callable[[str], Any], *, passing: bool = False, **how: Any) -> Any:
        # Whether a text is passing only matters to who asks before it is discarded.
        self._show_keys(())
        return self._text.ask(label, read, **how)

    def pause(self) -> None:
        """Wait for any key."""
        self._select.ask("Press any key to continue.", (), back="")
