"""Sections: what a menu opens on, and what else can be done there, one level down."""

from crm.commands import menus
from crm.commands.registry import commands, named
from crm.model.rights import OWNER
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.session import Session


def open_section(session: Session, menu: str) -> None:
    """Opens a menu: on its page where the person has it, else on what can be done there. Raises Back."""
    page = menus()[menu].page
    if page and session.offers(named(page[0])):
        session.start(named(page[0]))
    else:
        session.menu([menus()[menu].title], lambda: entries(session, menu))


def entries(session: Session, menu: str) -> list[Choice]:
    """The entries of a menu besides its page: commands, and the menus that stand under it."""
    page = menus()[menu].page
    listed = [
        Choice(command.title, lambda command=command: session.start(command))
        for command in commands(menu=menu)
        if command.words not in page and session.offers(command)
    ]
    below = [
        Choice(declared.title, lambda name=name: open_section(session, name))
        for name, declared in menus().items()
        if declared.under == menu and leads_to(session, name)
    ]
    return [*listed, *below]


def leads_to(session: Session, menu: str) -> bool:
    """Return whether a menu has anything for the person. It has for the owner, who need not wait until all was loaded;
    but nobody has an account of their own who has not signed in."""
    if session.crm.reader == OWNER and menu == "profile":
        return False
    if session.crm.reader == OWNER and (session.real is None or not menus()[menu].under):
        return True
    return any(session.offers(command) for command in commands(menu=menu)) or any(
        leads_to(session, name) for name, declared in menus().items() if declared.under == menu
    )


def more(session: Session, words: str) -> list[Choice]:
    """The key to what else can be done in the section that opens on the page of a command; none where that is all."""
    sections = [name for name, declared in menus().items() if declared.page and declared.page[0] == words]
    return [letters.MORE(lambda name=name: _show_more(session, name)) for name in sections if entries(session, name)]


def _show_more(session: Session, menu: str) -> None:
    session.menu([menus()[menu].title, letters.MORE.word], lambda: entries(session, menu))
