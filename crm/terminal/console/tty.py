"""The terminal as it is handed to prompt_toolkit, and as it is between two questions."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import IO, TextIO, cast

from prompt_toolkit.output import ColorDepth, Output


def output_to(out: IO[str], environment: Mapping[str, str]) -> Output:
    """The output that prompt_toolkit draws on; `environment` says what the terminal is (TERM, NO_COLOR)."""
    if sys.platform == "win32":
        from prompt_toolkit.output import create_output

        return create_output(cast(TextIO, out))
    from prompt_toolkit.output.vt100 import Vt100_Output

    # Asking the terminal where its cursor is leaves junk behind on slow lines, and nothing here needs it.
    depth = ColorDepth.DEPTH_1_BIT if environment.get("NO_COLOR") else None
    output = Vt100_Output.from_pty(cast(TextIO, out), term=environment.get("TERM"), default_color_depth=depth)
    output.enable_cpr = False
    return output


def quiet(source: IO[str]) -> AbstractContextManager[None]:
    """The terminal between two questions: keys are kept for the next one and not written across the screen. Ctrl-C
    alone does at once what it does: the others that end or stop a program do nothing in a question either."""
    return _without(source, ("ICRNL", "IXON"), ("ECHO", "ICANON", "IEXTEN"), ("VQUIT", "VSUSP"))


def unseen(source: IO[str]) -> AbstractContextManager[None]:
    """A line that is typed meanwhile does not show."""
    return _without(source, (), ("ECHO",))


@contextmanager
def _without(
    source: IO[str], incoming: Sequence[str], local: Sequence[str], characters: Sequence[str] = ()
) -> Iterator[None]:
    """The terminal without some of its flags and special characters, by their names in termios; it is left as it
    was."""
    if not source.isatty() or sys.platform == "win32":
        yield
        return
    import termios

    before = termios.tcgetattr(source.fileno())
    changed = [*before[:6], [*before[6]]]
    for at, names in ((0, incoming), (3, local)):
        for name in names:
            changed[at] &= ~getattr(termios, name)
    for name in characters:
        changed[6][getattr(termios, name)] = os.fpathconf(source.fileno(), "PC_VDISABLE").to_bytes()
    termios.tcsetattr(source.fileno(), termios.TCSANOW, changed)
    try:
        yield
    finally:
        # The terminal may be gone by now.
        with suppress(OSError, termios.error):
            termios.tcsetattr(source.fileno(), termios.TCSANOW, before)
