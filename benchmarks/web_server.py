"""The web server of the benchmark, and the menus that it opens."""

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from crm.app import open_menu, preload
from run import menu_loop

__all__ = ["bare", "menu", "preload"]


def menu(opening: Mapping[str, str], exchange: object, stdin: IO[str], stdout: IO[str]) -> int:  # noqa: ARG001
    """The menu on the store of the environment, for nobody in particular."""
    return open_menu(stdin, stdout, menu_loop, os.environ)


def bare(opening: Mapping[str, str], exchange: object, stdin: IO[str], stdout: IO[str]) -> int:  # noqa: ARG001
    """The floor: prints at once, and does nothing else."""
    stdout.write("Exit")
    stdout.flush()
    stdin.read()
    return 0


def main() -> None:
    """Serve until its input is closed; say on which port."""
    from crm.web.terminals import Terminals
    from tests.support.terminal_server import TerminalServer

    with tempfile.TemporaryDirectory(prefix="crm-benchmark-") as folder:
        terminals = Terminals(sys.argv[1], most=100, most_each=100)
        with TerminalServer(terminals, Path(folder)).running() as server:
            print(server.port, flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main()
