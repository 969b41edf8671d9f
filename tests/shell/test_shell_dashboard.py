"""The dashboard for scripts, and options that exist only where they have an effect."""

import re

from tests.support.command_line import CommandLine


def test_today_shows_the_tiles_of_the_dashboard(shell: CommandLine) -> None:
    shell.did("clients", "add", "--first-name", "Anna", "--owner", "Bo")
    shell.did("sales", "add", "1", "--amount", "40")
    kept = {"on", "tiles", "clients", "statuses", "months", "newest", "moved", "birthdays", "agenda"}
    assert shell.did("today").keys() == kept
    report = shell.did("dashboard", "set", "sales by owner, pipeline,newest")
    assert [(tile["name"], tile["place"]) for tile in report] == [("sales by owner", 1), ("pipeline", 2), ("newest", 3)]
    today = shell.did("today")
    assert today.keys() == {"on", "tiles", "sales_by_owner", "pipeline", "newest"}
    assert today["sales_by_owner"]["rows"][0]["amount"] == "40.00"
    answer = shell("today")
    assert (answer.code, answer.err) == (0, "")
    places = [answer.out.index(words) for words in ("Sales by owner", "Newest clients")]
    assert places == sorted(places)
    assert "Sales this month" not in answer.out
    assert "Use agenda, follow-ups" in shell.refused("dashboard", "set", "weather")
    assert "agenda" in shell("dashboard", "tiles").out
    shell.did("dashboard", "reset")
    assert shell.did("today").keys() == kept


def test_options_that_a_command_refuses_are_not_offered(shell: CommandLine) -> None:
    offered = set(re.findall(r"--[a-z-]+", shell("deals", "edit", "--help").out))
    assert {"--title", "--value", "--owner", "--expected-close-on"} <= offered
    assert "--stage" not in offered
    assert "--stage" in shell.refused("deals", "edit", "1", "--stage", "2", code=2)
    # A deal is still added in a stage.
    assert "--stage" in shell("deals", "add", "--help").out
