"""The code in run.py: the loop around every menu is there to read, and it is what runs."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import run
from crm.browser_menu import serve
from crm.start import main
from crm.terminal.loop import EXIT, Menu


class Scripted:
    """A menu that notes what the loop asks of it, and whose person chooses one thing after the other."""

    def __init__(self, *choices: str) -> None:
        self.asked: list[str] = []
        self._choices = iter(choices)

    def show(self) -> None:
        self.asked.append("show")

    def choose(self) -> str:
        self.asked.append("choose")
        return next(self._choices)

    def dispatch(self, choice: Any) -> None:
        self.asked.append(f"dispatch {choice}")


def test_the_loop_shows_asks_and_dispatches_until_exit() -> None:
    menu = Scripted("clients", "sales", EXIT, "never")
    assert run.menu_loop(menu) == 0
    once = ["show", "choose"]
    assert menu.asked == [*once, "dispatch clients", *once, "dispatch sales", *once]


def test_the_menu_runs_in_the_loop_of_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_STORE", f"sqlite:///{tmp_path / 'store.sqlite3'}")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    # "3": the sample data, so that there is more to choose than a way to begin.
    monkeypatch.setattr("sys.stdin", io.StringIO("3\n"))
    monkeypatch.setattr("sys.stdout", out := io.StringIO())
    shown: list[str] = []

    def loop(menu: Menu) -> int:
        menu.show()
        shown.append(out.getvalue())
        return 7

    assert main([], loop) == 7
    assert "SAMPLE DATA" in shown[0]


def test_a_browser_is_served_in_the_loop_of_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr("crm.app.serve", lambda *all_of_it: given.extend(all_of_it) or 0)
    opening: Mapping[str, str] = {"session": "1"}
    serve(opening, None, io.StringIO(), io.StringIO())  # type: ignore[arg-type]
    assert given[0] == opening
    assert given[-1] is run.menu_loop


def test_a_missing_package_is_reported_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: Any) -> int:
        raise ModuleNotFoundError("No module named 'click'", name="click")

    monkeypatch.setattr("crm.start._run", missing)
    assert main(["clients", "list"], run.menu_loop) == 1
    text = "click is not installed in this Python. Run it with .venv/bin/python, or `make run` first.\n"
    assert capsys.readouterr().err == text
