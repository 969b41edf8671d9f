"""The console: the screen and keyboard of a terminal, or lines in and out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from typing import IO, TYPE_CHECKING

from crm.terminal.console.keyboard import Keyboard
from crm.terminal.drawing.screen import PipedScreen, Screen

if TYPE_CHECKING:
    from crm.terminal.console.file_transfer import FileTransfer


def screen_on(stdin: IO[str], stdout: IO[str], environment: Mapping[str, str]) -> Screen:
    """The screen; plain unless both sides are a terminal that can be drawn on. `environment` says what the terminal
    is (TERM, NO_COLOR, COLUMNS)."""
    for stream in (stdin, stdout):
        if hasattr(stream, "reconfigure"):
            # A name that the terminal cannot write is shown in part; it stops nothing.
            with suppress(UnsupportedOperation):
                # A password may have been read from a pipe before.
                stream.reconfigure(errors="replace")
    dumb = environment.get("TERM", "") in ("dumb", "unknown")
    return Screen(stdout, plain=dumb or not (stdin.isatty() and stdout.isatty()), environment=environment)


def screen_of_answers(stdin: IO[str], stdout: IO[str], environment: Mapping[str, str]) -> Screen:
    """The screen for what a command answers: what is piped on, or goes to a file, is whole."""
    return screen_on(stdin, stdout, environment) if stdout.isatty() else PipedScreen(stdout, environment)


@contextmanager
def keyboard_on(stdin: IO[str], screen: Screen, exchange: "FileTransfer | None" = None) -> Iterator[Keyboard]:
    """The keyboard that goes with the screen; the terminal is left as it was. With an `exchange` the keys that a
    question knows are shown there too."""
    if screen.plain:
        from crm.terminal.console.line_keyboard import LineKeyboard

        yield LineKeyboard(stdin, screen)
        return
    from crm.terminal.console.prompt_toolkit_keyboard import terminal

    show_keys = exchange.show_keys if exchange else lambda _: None
    # A page in a browser makes its colours strong enough by itself.
    asked = screen if exchange is None else None
    with terminal(stdin, screen.console.file, screen.environment, show_keys, asked) as keyboard:
        yield keyboard
