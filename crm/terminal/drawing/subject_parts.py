"""Parts of the subjects, loaded by the type of a record when they are first needed."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from crm.commands import subject_of


def load(kind: type, part: str) -> None:
    """Load a part (`rendering`, `picking`) of the subject that a type comes from, where it has one."""
    _load(kind.__module__, part)


@cache
def _load(module: str, part: str) -> None:
    place = module.split(".")
    if place[0] != "crm":
        return
    if place[1] == "repository":
        # What the store itself returns is of the subject of data.
        folder = "crm.terminal.data"
    elif place[1] == "commands" and len(place) == 3:
        # Several subjects have the results of this module in common.
        folder = "crm.terminal.drawing"
    else:
        folder = f"crm.terminal.{subject_of(module)}"
    if find_spec(folder) and find_spec(f"{folder}.{part}"):
        import_module(f"{folder}.{part}")
