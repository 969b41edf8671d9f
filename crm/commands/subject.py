"""The declaration of a subject in its `__init__`: its commands by module, so that none is loaded too early.

`PLACE` is its place among the subjects. `MENUS` are the menus it brings, by name. `GROUPS` are the words that its
commands of two words begin with, and what such commands are about. `MODULES` are its modules that hold commands, in the
order of the menus.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu: its title, and its place in the main menu."""

    title: str
    place: int


@dataclass(frozen=True, slots=True)
class Module:
    """A module with commands: the first words of their names, separated by blanks, and the menu they stand in, '' for
    none. Those that are `outside` the shell alone has: users at the machine of the store run them, and nobody
    has to be signed in."""

    words: str
    menu: str = ""
    outside: bool = False


class Subject(Protocol):
    """The `__init__` of a subject."""

    __name__: str
    PLACE: int
    MENUS: Mapping[str, Menu]
    GROUPS: Mapping[str, str]
    MODULES: Mapping[str, Module]
