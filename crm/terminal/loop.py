"""The interface between the menu loop of run.py and a menu."""

from collections.abc import Callable
from typing import Any, Protocol

# The choice that exits the program.
EXIT = "exit"


class Menu(Protocol):
    """A page of numbered entries that lead to command modules."""

    def show(self) -> None:
        """Draw what is above the entries."""

    def choose(self) -> Any:
        """Show the numbered entries and ask for one: what was chosen, EXIT where the person leaves."""

    def dispatch(self, choice: Any) -> None:
        """Go where a choice leads: to the commands of a module, until the person comes back."""


Loop = Callable[[Menu], int]
