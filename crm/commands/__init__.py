"""The use cases: one module a menu entry, each command one typed function that every door calls."""

from collections.abc import Mapping
from importlib import import_module

# What begins a command of two words, and what such commands are about.
GROUPS: Mapping[str, str] = {
    "clients": "Clients: added, found, shown, edited, tagged, merged, pinned and deleted.",
    "views": "Saved lists of clients.",
    "contacts": "Contacts: the people at a client.",
    "interactions": "Calls, meetings, messages and notes.",
    "sales": "Sales: recorded, listed and taken back.",
    "deals": "Deals: on their way through the pipeline, won and lost.",
    "stages": "The stages of the pipeline.",
    "follow-ups": "What is to be done by when, and for whom.",
    "rules": "Status rules: changed, previewed, applied and explained.",
    "dashboard": "What stands on one's own dashboard.",
    "email": "E-mail: written to clients, sent, and fetched.",
    "templates": "Texts with fields, for messages that are written again and again.",
    "mailings": "One text to many clients.",
    "occasions": "Greetings: to each client once a year.",
    "sms": "Text messages to clients.",
    "reports": "Reports, as a table, a chart, a file or a picture.",
    "history": "What was done, and taking it back.",
    "sheets": "The store in a Google spreadsheet: connected, set up, and left again.",
    "settings": "The team's settings.",
    "users": "Accounts: who may sign in, and as what.",
    "people": "The people of the team, and what each has to do.",
    "profile": "One's own account.",
}

# The modules in the order in which their commands stand in the menus; of each the first words of its commands, and the
# menus that they stand in: so no more is loaded than is asked for.
_MODULES: Mapping[str, tuple[str, str]] = {
    "clients.clients": ("clients", "clients"),
    "clients.bulk": ("clients", "clients"),
    "clients.saved_views": ("views", "clients"),
    "clients.contacts": ("contacts", "clients"),
    "activity.interactions": ("interactions", "clients"),
    "activity.timeline": ("timeline", ""),
    "sales.sales": ("sales", "sales"),
    "sales.board": ("deals", "deals"),
    "sales.deals": ("deals", ""),
    "sales.outcomes": ("deals", ""),
    "sales.stages": ("stages", ""),
    "activity.follow_ups": ("follow-ups", "follow-ups"),
    "clients.rules": ("rules", "rules"),
    "home.today": ("today", "today"),
    "home.dashboard": ("dashboard", ""),
    "activity.agenda": ("agenda", ""),
    "activity.capture": ("capture", "capture"),
    "mail.messages": ("email", "email"),
    "mail.templates": ("templates", "email"),
    "mail.mailings": ("mailings", "email"),
    "mail.greetings": ("email occasions", "email"),
    "mail.inbox": ("email", "email"),
    "mail.sms": ("sms", "email"),
    "reports": ("reports", "reports"),
    "data.importing": ("import", "data"),
    "data.exporting": ("export", "data"),
    "data.history": ("history", "data"),
    "data.store": ("check backup restore", "data"),
    "data.copying": ("copy", "data"),
    "data.spreadsheets": ("sheets", "data"),
    "data.demo": ("demo", "data"),
    "data.settings": ("settings", "settings"),
    "team.users": ("users", "team"),
    "team.people": ("people", "follow-ups"),
    "team.profile": ("profile", "profile"),
}

# What the shell alone has: commands that whoever sits at the machine of the store runs, and nobody has to be signed in.
_OUTSIDE: Mapping[str, str] = {"recovering": "users"}


def place(module: str) -> int:
    """Where the commands of a module stand among all, whichever module was imported first."""
    within = f"{module.removeprefix(f'{__name__}.')}."
    return next(at for at, name in enumerate(_MODULES) if within.startswith(f"{name}."))


def first_words() -> list[str]:
    """What commands begin with, in the order of the menus; nothing is loaded."""
    return list(dict.fromkeys(word for words, _ in _MODULES.values() for word in words.split()))


def load(word: str = "", menu: str = "") -> None:
    """Registers every command, or at least those that begin with a word, or that stand in a menu."""
    for name, (words, menus) in _MODULES.items():
        if (not word or word in words.split()) and (not menu or menu in menus.split()):
            import_module(f"{__name__}.{name}")


def load_outside(word: str) -> None:
    """Registers the commands that the shell alone has, and that begin with a word."""
    for name, words in _OUTSIDE.items():
        if word in words.split():
            import_module(f"{__name__}.{name}")
