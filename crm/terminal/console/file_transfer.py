"""Files between the menu and the person's own device, where the menu runs somewhere else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class FileTransfer(Protocol):
    """The way of files to the person and from them. `folder` is where the menu may make files; it is
    removed with everything in it when the person leaves."""

    @property
    def folder(self) -> Path:
        """The menu's own folder."""

    def offer(self, path: Path, name: str) -> None:
        """Offer a file of `folder` as a download called `name`, once and for some minutes. Raises FileError."""

    def ask_file(self, what: str, ending: str = "") -> Path | None:
        """A file that the person chose on their device, now in `folder`; None where they would rather not.

        `what` says what is asked for; `ending` is what file names end with (".csv"), several with commas between
        them, '' for any. Raises Closed.
        """

    def show_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        """Show the keys that the question on the screen knows, each with its words; none where a text is asked for."""

    def note(self, error: Exception) -> None:
        """Note in the log that a step of the menu failed or was not allowed: the kind and the place of the error,
        without its words."""
