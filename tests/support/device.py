"""The device of a person who works on another computer."""

from collections.abc import Sequence
from pathlib import Path


class Device:
    """A person's own device, as far as the menu knows it: it keeps what it is offered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.offered: dict[str, bytes] = {}

    def offer(self, path: Path, name: str) -> None:
        self.offered[name] = path.read_bytes()

    def ask_file(self, what: str, ending: str = "") -> Path | None:
        raise AssertionError(f"nothing asks for a file: {what} {ending}")

    def show_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        raise AssertionError(f"line by line there are no keys: {keys}")

    def note(self, error: Exception) -> None:
        raise AssertionError("no step fails") from error
