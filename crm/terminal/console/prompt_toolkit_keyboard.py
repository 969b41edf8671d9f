"""The keyboard of a terminal that can be drawn on: one key chooses, and what is typed is completed and checked in
place."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

from prompt_toolkit.application.current import create_app_session, get_app_session

from crm.terminal.console.key_parser import keys_of
from crm.terminal.console.keyboard import CONTINUE, Choice
from crm.terminal.console.select_prompt import SelectPrompt, ShowKeys
from crm.terminal.console.tty import output_to, quiet
from crm.terminal.drawing.screen import Screen
from crm.terminal.drawing.theme import UNKNOWN

if TYPE_CHECKING:
    from crm.terminal.console.text_prompt import TextPrompt


# Asks a terminal for the colour of its background. Terminals of these names answer it or ignore it.
_WHICH_BACKGROUND = "\x1b]11;?\x1b\\"
_ASKED = ("xterm", "tmux", "screen", "rxvt", "alacritty", "foot", "kitty", "wezterm", "konsole", "vte", "ghostty")


@contextmanager
def terminal(
    source: IO[str],
    out: IO[str],
    environment: Mapping[str, str],
    show_keys: ShowKeys = lambda _: None,
    screen: Screen | None = None,
) -> Iterator["TerminalKeyboard"]:
    """The keyboard of a terminal, which is left as it was; `show_keys` gets the keys that each question knows. Where it
    is not known whether the background of a `screen` is dark or light, the terminal is asked, and nothing waits for its
    answer."""
    keyboards: list[TerminalKeyboard] = []

    def answered(ground: str) -> None:
        if screen is not None and ground != screen.ground:
            screen.ground = ground
            keyboards[0].redraw()

    keys = keys_of(source, answered)
    with quiet(source), create_app_session(input=keys, output=output_to(out, environment)):
        asks = screen is not None and not screen.ground and _answers(environment)
        question = _WHICH_BACKGROUND if asks else ""
        ground, side = (lambda: screen.ground, lambda: screen.side) if screen else (lambda: UNKNOWN, lambda: 0)
        keyboards.append(TerminalKeyboard(show_keys, ground, side, question))
        yield keyboards[0]


def _answers(environment: Mapping[str, str]) -> bool:
    """Return whether a terminal may be asked for its background, and has colours."""
    return not environment.get("NO_COLOR") and environment.get("TERM", "").startswith(_ASKED)


class TerminalKeyboard:
    """A Keyboard over questionary and prompt_toolkit, on the background that `ground` says, with so many columns at the
    `side` for what stands beside a question; what `asks` the terminal for its background is sent with the first page,
    which takes the answer."""

    def __init__(
        self,
        show_keys: ShowKeys = lambda _: None,
        ground: Callable[[], str] = lambda: UNKNOWN,
        side: Callable[[], int] = lambda: 0,
        asks: str = "",
    ) -> None:
        self._show_keys = show_keys
        self._ground = ground
        self._side = side
        self._asks = asks
        self._select = SelectPrompt(show_keys, ground, side)

    def redraw(self) -> None:
        """Draw the page that is shown once more."""
        self._select.redraw()

    @cached_property
    def _text(self) -> "TextPrompt":
        from crm.terminal.console.text_prompt import TextPrompt

        return TextPrompt(self._ground, self._side)

    def choose(self, question: str, choices: Sequence[Choice], **how: Any) -> Any:
        if self._asks and how.get("resized") is not None:
            get_app_session().output.write_raw(self._asks)
            self._asks = ""
        return self._select.ask(question, choices, **how)

    @property
    def pointed(self) -> Any:
        """The value of the entry that was pointed at when the last question was answered."""
        return self._select.pointed

    def text(self, label: str, read: Callable[[str], Any], *, passing: bool = False, **how: Any) -> Any:
        # Whether a text is passing only matters to who asks before it is discarded.
        self._show_keys(())
        return self._text.ask(label, read, **how)

    def pause(self, room: int = 0) -> None:
        """Wait for any key, said on the last of so many lines."""
        self._select.ask("", (), back="", hint=CONTINUE, room=room)
