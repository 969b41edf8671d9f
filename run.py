#!/usr/bin/env python3
"""The CRM: the menu, or with arguments one command (python run.py --help)."""

import sys

from crm.start import main
from crm.terminal.loop import EXIT, Menu


def menu_loop(menu: Menu) -> int:
    """Show the numbered menu, ask for a choice and dispatch it to its command module, until exit."""
    while True:
        menu.show()
        choice = menu.choose()
        if choice == EXIT:
            return 0
        menu.dispatch(choice)


def run() -> int:
    """Start what the command line asks for: the menu, or one command. Returns the exit code."""
    return main(sys.argv[1:], menu_loop)


if __name__ == "__main__":
    sys.exit(run())
