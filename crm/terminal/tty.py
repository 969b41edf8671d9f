"""The terminal as it is handed to prompt_toolkit, and as it is between two questions."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, TextIO, cast

from prompt_toolkit.output import ColorDepth, Output


def output_to(out: IO[str]) -> Output:
    """Where prompt_toolkit draws."""
    if sys.platform == "win32":
        from prompt_toolkit.output import create_output

        return create_output(cast(TextIO, out))
    from prompt_toolkit.output.vt100 import Vt100_Output

    # Asking the terminal where its cursor is leaves junk behind on slow lines, and nothing here needs it.
    depth = ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None
    output = Vt100_Output.from_pty(cast(TextIO, out), term=os.environ.get("TERM"), default_color_depth=depth)
    output.enable_cpr = False
    return output


@contextmanager
def quiet(source: IO[str]) -> Iterator[None]:
    """Keys pressed between two questions are kept for the next one and not written across the screen."""
    try:
        import termios

        before = termios.tcgetattr(source.fileno())
    except (ImportError, OSError, ValueError):
        yield
        return
    silent = [*before]
    silent[0] = before[0] & ~(termios.ICRNL | termios.IXON)
    silent[3] = before[3] & ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    termios.tcsetattr(source.fileno(), termios.TCSANOW, silent)
    try:
        yield
    finally:
        # The terminal may be gone by now.
        with suppress(OSError, termios.error):
            termios.tcsetattr(source.fileno(), termios.TCSANOW, before)
