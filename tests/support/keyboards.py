"""Keyboards of tests that drive pages without a terminal."""

from typing import Any

from crm.terminal.console.keyboard import Back
from crm.terminal.toolkit.session import Session


class Leaving:
    """A Keyboard that leaves every question."""

    pointed: Any = None

    def choose(self, *_: Any, **__: Any) -> Any:
        raise Back

    def text(self, *_: Any, **__: Any) -> Any:
        raise Back

    def pause(self, room: int = 0) -> None:
        """Return at once: nobody has to press a key."""


class Watched(Session):
    """A menu whose own faults are not hidden."""

    def _crashed(self, error: Exception) -> None:
        raise error
