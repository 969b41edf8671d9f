"""The interface between the menu loop of run.py and a menu."""

from collections.abc import Callable
from typing import Any, Protocol

# The choice that exits the program.
EXIT = "exit"


class Menu(Protocol):
    """A page of numbered entries that lead to command modules."""

    def show(self) -> None:
        """Draws what stands above the entries."""

    def choose(self) -> Any:
        """Shows the numbered entries and asks for one: what was chosen, EXIT where the person leaves."""

    def dispatch(self, choice: Any) -> None:
        """Goes where a choice leads: to the commands of a module, until the person comes back."""


Loop = Callable[[Menu], int]
