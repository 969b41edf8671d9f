"""Several menus run in one process, each with its own terminal, store, person and settings."""

import os
import re
import termios
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyte
import pytest
from pexpect.fdpexpect import fdspawn

from crm.app import open_crm, open_menu
from crm.config import from_environment
from crm.model import Client
from run import menu_loop
from tests.support.clocks import TODAY, now_on
from tests.support.program import PATIENCE
from tests.terminal.conftest import Session


class ThreadedMenu(Session):
    """The menu in a thread of this process, on a terminal of its own."""

    def __init__(self, folder: Path, user: str, columns: int, **settings: str) -> None:
        folder.mkdir()
        master, slave = os.openpty()
        self.screen = pyte.Screen(columns, 24)
        self.raw = b""
        self.plain = False
        self._stream = pyte.ByteStream(self.screen)
        self.child = fdspawn(master, timeout=PATIENCE)
        self.code: int | None = None
        environment = {
            "TERM": "xterm-256color",
            "CRM_NOW": now_on(TODAY),
            "CRM_STORE": f"sqlite:///{folder / 'crm.sqlite3'}",
            "CRM_USER": user,
            **settings,
        }

        def run() -> None:
            with (
                open(slave, encoding="utf-8", closefd=False) as source,
                open(slave, "w", encoding="utf-8", closefd=False) as out,
            ):
                self.code = open_menu(source, out, menu_loop, environment)
            os.close(slave)

        termios.tcsetwinsize(slave, (24, columns))
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def _sleeps(self) -> bool:
        return True

    def leave(self) -> int | None:
        """Wait for the end of the menu; its exit code."""
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return self.code


@pytest.fixture
def menus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for variable in ("XDG_DATA_HOME", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    started: list[ThreadedMenu] = []

    def start(user: str, columns: int = 80, **settings: str) -> ThreadedMenu:
        started.append(ThreadedMenu(tmp_path / user, user, columns, **settings))
        return started[-1]

    yield start
    for menu in started:
        menu.child.close()
        menu.thread.join(PATIENCE)


def test_two_menus_in_one_process_do_not_share_data(menus: Any) -> None:
    """Each shows its own store at its own width, in colour or not, while the other waits in the middle of a form."""
    anna, bob = menus("anna"), menus("bob", columns=50, NO_COLOR="1")
    for menu in (anna, bob):
        menu.sees("Welcome").choose("Add").sees("1) A person").press("1")
    anna.sees("First name").press("Greta", "enter")
    bob.sees("First name").press("Hugo", "enter")
    # Bob leaves his form; Anna's goes on.
    bob.press("c-c").sees("Discard what you typed?").press("c-c")
    anna.sees("Last name").press("Galanis", "enter").choose("Save").sees("Added Greta Galanis")
    anna.press("esc", "esc")
    bob.lacks("Hugo")
    assert "Galanis" not in bob.text
    assert re.search(rb"\x1b\[[0-9;]*38;5;\d+", anna.raw)
    assert not re.search(rb"\x1b\[[0-9;]*3[0-8][;0-9]*m", bob.raw)
    for menu in (anna, bob):
        menu.press("esc", "esc").choose("Exit")
        assert menu.leave() == 0


@pytest.mark.parametrize("variable", ["XDG_DATA_HOME", "HOME"])
def test_each_menu_uses_the_data_folder_of_its_own_environment(menus: Any, tmp_path: Path, variable: str) -> None:
    """Without a named store each has one of its own, and nothing is written to the folder of the process."""
    homes = {name: tmp_path / f"home of {name}" for name in ("Greta", "Hugo")}
    started = {name: menus(name.lower(), CRM_STORE="", **{variable: str(home)}) for name, home in homes.items()}
    for name, menu in started.items():
        menu.sees("Welcome").choose("Add").sees("1) A person").press("1")
        menu.sees("First name").press(name, "enter")
        menu.sees("Last name").press("Galanis", "enter").choose("Save").sees(f"Added {name} Galanis")
    if variable == "HOME":
        # ~ is the home folder of the menu in which it is typed.
        for menu in started.values():
            menu.press("esc", "esc", "esc").choose("Data & settings").choose("Export to a file")
            menu.sees("File (").press("~/clients.csv", "enter").choose("Clients").settled()
            for _ in range(5):
                if "client in" not in menu.text:
                    menu.press("enter").settled()
            menu.sees("1 client in")
        for name, home in homes.items():
            assert f",{name},Galanis," in (home / "clients.csv").read_text("utf-8-sig")
    for menu in started.values():
        menu.press("esc", "esc", "esc").choose("Exit")
        assert menu.leave() == 0
    for name, home in homes.items():
        crm = open_crm(from_environment({variable: str(home)}))
        with closing(crm.repository), crm.read() as snapshot:
            assert [client.first_name for client in snapshot.find_all(Client)] == [name]
    assert not (tmp_path / "crm").exists()
