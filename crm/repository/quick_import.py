"""Imports SQLAlchemy without what only its asynchronous engines and its plugins need, which takes a short command as
long as reading its store."""

import importlib
import inspect
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

# What SQLAlchemy imports in any case, asyncio with TLS and subprocesses; and of each what it asks for at once.
_SELDOM_USED: Mapping[str, Mapping[str, Any]] = {
    "asyncio": {"iscoroutine": inspect.iscoroutine},
    "importlib.metadata": {},
}


class _Later(ModuleType):
    """A stand-in for a module that is imported when something in it is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def import_sqlalchemy() -> None:
    """Import SQLAlchemy and its dialect of SQLite. Only SQLAlchemy keeps the stand-ins; later imports of these modules
    get the real ones. Call it while there is only one thread: another would get the stand-ins, too."""
    later = [_Later(name) for name in _SELDOM_USED if name not in sys.modules]
    for module in later:
        vars(module).update(_SELDOM_USED[module.__name__])
        sys.modules[module.__name__] = module
    try:
        importlib.import_module("sqlalchemy.dialects.sqlite")
    finally:
        for module in later:
            if sys.modules.get(module.__name__) is module:
                del sys.modules[module.__name__]
