"""The use cases: a folder for each subject, in which each command is one typed function that every door calls."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crm.commands.subject import Menu, Module, Subject


@cache
def subjects() -> "tuple[Subject, ...]":
    """The subjects in their order; of each only what its folder says of itself is loaded."""
    packages: list[Any] = [
        import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__) if module.ispkg
    ]
    return tuple(sorted(packages, key=lambda subject: subject.PLACE))


@cache
def menus() -> "Mapping[str, Menu]":
    """The menus by name, in their order."""
    menus = [(name, menu) for subject in subjects() for name, menu in subject.MENUS.items()]
    return dict(sorted(menus, key=lambda item: (item[1].under, item[1].place)))


def menu_path(name: str) -> list[str]:
    """The titles that lead to a menu from the main menu."""
    menu = menus()[name]
    return [*(menu_path(menu.under) if menu.under else []), menu.title]


@cache
def groups() -> Mapping[str, str]:
    """The words that commands of two words begin with, each with what such commands are about."""
    return {word: about for subject in subjects() for word, about in subject.GROUPS.items()}


def subject_of(module: str) -> str:
    """The subject that a module of the commands or of the records belongs to, by the folder or file it is in."""
    return module.split(".")[2]


def place(module: str) -> int:
    """The position of a module's commands among all, whichever module was imported first."""
    return next(at for at, (name, _) in enumerate(_modules()) if f"{module}.".startswith(f"{name}."))


def first_words() -> list[str]:
    """The first words of commands, in the order of the menus; nothing is loaded."""
    return list(dict.fromkeys(word for _, module in _modules() for word in module.words.split()))


def load(word: str = "", menu: str = "") -> None:
    """Register every command, or at least those that begin with a word, or that are in a menu."""
    for name, module in _modules():
        if not module.outside and (not word or word in module.words.split()) and menu in ("", module.menu):
            import_module(name)


def load_alone(words: str) -> bool:
    """Register a command without the others that begin with its word; whether there is a module that holds it so."""
    holding = next((name for name, module in _modules() if module.alone == words), "")
    if holding:
        import_module(holding)
    return bool(holding)


def load_outside(word: str) -> None:
    """Register the commands that the shell alone has, and that begin with a word."""
    for name, module in _modules():
        if module.outside and word in module.words.split():
            import_module(name)


def _modules() -> "Iterator[tuple[str, Module]]":
    for subject in subjects():
        for name, module in subject.MODULES.items():
            yield f"{subject.__name__}.{name}", module
