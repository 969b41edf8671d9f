"""The declaration of a subject in its `__init__`: its commands by module, so that none is loaded too early.

`PLACE` is its place among the subjects. `MENUS` are the menus it brings, by name; the main menu has nine of them at
most, by how often they are needed, and the others are under one of these. `GROUPS` are the words that its commands of
two words begin with, and what such commands are about. `MODULES` are its modules that hold commands, in the order of
the menus.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from crm.lean_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu: its title, and its place in the main menu, or in the menu that it stands `under`.

    A section opens on a page and not on its commands: `page` names the one that it opens with, and after it those that
    this page has keys or numbers for. What is left stands one level down, as "more". `figures` reads of the CRM what is
    shown above the entries. `hint` is beside its entry where it is under another, and on its page of keys;
    title and hint fit 80 columns.
    """

    title: str
    place: int
    under: str = ""
    hint: str = ""
    page: tuple[str, ...] = ()
    figures: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """A module with commands: the first words of their names, separated by blanks, and the menu they are in, '' for
    none. For the command `alone`, one that people ask for often, it is loaded without the others that share its words.
    Those that are `outside` the shell alone has: users at the machine of the store run them, and nobody has to be
    signed in."""

    words: str
    menu: str = ""
    alone: str = ""
    outside: bool = False


class Subject(Protocol):
    """The `__init__` of a subject."""

    __name__: str
    PLACE: int
    MENUS: Mapping[str, Menu]
    GROUPS: Mapping[str, str]
    MODULES: Mapping[str, Module]
