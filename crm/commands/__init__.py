"""The use cases: one module a menu entry, each command one typed function that every door calls."""

from importlib import import_module

# In the order in which their commands stand in the menus.
_MODULES = (
    "clients",
    "bulk",
    "views",
    "contacts",
    "interactions",
    "timeline",
    "sales",
    "board",
    "deals",
    "closing",
    "stages",
    "follow_ups",
    "rules",
    "today",
    "dashboard",
    "agenda",
    "capture",
    "messages",
    "templates",
    "mailings",
    "occasions",
    "fetching",
    "texting",
    "reports",
    "importing",
    "exporting",
    "history",
    "store",
    "copying",
    "spreadsheets",
    "demo",
    "settings",
    "users",
    "people",
    "profile",
)


def place(module: str) -> int:
    """Where the commands of a module stand among all, whichever module was imported first."""
    return _MODULES.index(module.removeprefix(f"{__name__}.").partition(".")[0])


def load() -> None:
    """Registers every command."""
    for name in _MODULES:
        import_module(f"crm.commands.{name}")
