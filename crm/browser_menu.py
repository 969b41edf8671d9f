"""The menu for somebody in a browser, as a process of the web server runs it: the same loop as in a terminal."""

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

from crm import app
from run import menu_loop

if TYPE_CHECKING:
    from crm.terminal.console.file_transfer import FileTransfer


def serve(opening: Mapping[str, str], exchange: "FileTransfer", stdin: IO[str], stdout: IO[str]) -> int:
    """Run the menu; `opening` names the session that it is for. Returns the exit code."""
    return app.serve(opening, exchange, stdin, stdout, menu_loop)


def programs() -> list[tuple[str, list[str], None, dict[str, str]]]:
    """The only program that a menu may start: the one that makes PDFs, with this command line and environment."""
    return app.programs_of_menus()


def preload() -> None:
    """Load what the menus share that are forked from this process."""
    app.preload()
