"""Draws the picture of the menu in the README: runs the program on its sample data and saves what it shows."""

import io
import os
import pty
import select
import struct
import sys
import tempfile
import time
from fcntl import ioctl
from pathlib import Path
from signal import SIGKILL
from termios import TIOCSWINSZ

import pyte
from rich.color import ANSI_COLOR_NAMES
from rich.console import Console
from rich.style import Style
from rich.text import Text

COLUMNS, LINES = 80, 26
_DAY = "2026-11-21"


def shown(keys: str, expected: str, deadline: float = 20.0) -> pyte.Screen:
    """The screen after the keys have led to the expected words; raises RuntimeError where they do not come."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    with tempfile.TemporaryDirectory() as folder:
        child, terminal = pty.fork()
        if child == 0:
            plain = {"PATH": os.environ["PATH"], "HOME": folder, "XDG_DATA_HOME": folder, "LANG": "en_US.UTF-8"}
            told = {"TERM": "xterm-256color", "CRM_TODAY": _DAY, "CRM_STORE": f"sqlite:///{folder}/crm.sqlite3"}
            os.execvpe(sys.executable, [sys.executable, "run.py"], {**plain, **told})
        ioctl(terminal, TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        try:
            waiting = list(keys)
            started = quiet = time.monotonic()
            while time.monotonic() - started < deadline:
                if select.select([terminal], [], [], 0.1)[0]:
                    stream.feed(os.read(terminal, 65536))
                    quiet = time.monotonic()
                elif time.monotonic() - quiet > 1.0:
                    if not waiting:
                        break
                    os.write(terminal, waiting.pop(0).encode())
                    quiet = time.monotonic()
        finally:
            os.kill(child, SIGKILL)
            os.waitpid(child, 0)
            os.close(terminal)
    if expected not in "\n".join(screen.display):
        raise RuntimeError("\n".join(["the menu did not come up:", *screen.display]))
    return screen


def as_text(screen: pyte.Screen) -> Text:
    """The screen with its colours."""
    text = Text()
    for line in range(LINES):
        for column in range(COLUMNS):
            cell = screen.buffer[line][column]
            text.append(cell.data or " ", Style(color=_colour(cell.fg), bgcolor=_colour(cell.bg), bold=cell.bold))
        text.append("\n")
    return text


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    name = name.replace("brown", "yellow").replace("bright", "bright_")
    return name if name in ANSI_COLOR_NAMES else f"#{name}"


def main(target: Path) -> None:
    """Saves the picture."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(as_text(shown("3", "SAMPLE DATA")), end="")
    console.save_svg(str(target), title="python run.py")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
