"""The start of the program: the menu or the command line, with no more loaded than it needs."""

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crm.terminal.loop import Loop, Menu

if TYPE_CHECKING:
    from crm.commands.context import CRM
    from crm.config import Config

# One is set by bash, zsh or fish when it asks what may come next on the command line.
_COMPLETING = {"_RUN_PY_COMPLETE", "_CRM_COMPLETE"}
# Most of what is made stays: looking for garbage is soon enough after so many new objects.
_COLLECTED_AFTER = 50_000


def main(arguments: Sequence[str], loop: Loop) -> int:
    """Run the program: with arguments one command, else the menu in its loop. Returns the exit code."""
    try:
        return _run(arguments, loop)
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package in ("", "crm"):
            raise
        where = "Run it with .venv/bin/python, or `make run` first."
        print(f"{package} is not installed in this Python. {where}", file=sys.stderr)
        return 1
    finally:
        # The end of the process frees everything; to look through it for garbage first takes as long as a command.
        gc.freeze()


def _run(arguments: Sequence[str], loop: Loop) -> int:
    # Importing makes many objects and no garbage: the collector would only walk over them, again and again.
    gc.disable()
    if arguments or not _COMPLETING.isdisjoint(os.environ):
        from crm.shell import run

        return run(list(arguments), os.environ, _open_crm, _serve_web, loop)
    from crm.repository.quick_import import import_sqlalchemy

    import_sqlalchemy()
    from crm import app

    def shown(menu: Menu) -> int:
        # By now the first page was loaded too.
        _collect()
        return loop(menu)

    return app.open_menu(sys.stdin, sys.stdout, shown, os.environ)


def _open_crm(config: "Config", **doors: Any) -> "CRM":
    from crm import app

    # By now the command was loaded too.
    _collect()
    return app.open_crm(config, **doors)


def _serve_web(config: "Config", host: str, port: int) -> int:
    from crm import app

    _collect()
    return app.serve_web(config, host, port)


def _collect() -> None:
    """Look for garbage from here on."""
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER)
    gc.enable()
