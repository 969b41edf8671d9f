"""One clock: no other code asks the machine for the time, and every day is a day in the team's zone."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tzlocal
from hypothesis import given
from hypothesis import strategies as st

from crm.app import open_crm
from crm.clock import Clock, machine_zone, offsets
from crm.commands.registry import named
from crm.config import Config, from_environment
from crm.errors import UsageError
from tests.support.command_line import CommandLine

PROJECT = Path(__file__).resolve().parents[2]
# What asks the machine for the time, or for its zone. Measuring how long something takes is another matter.
ASKING = {
    "now", "today", "utcnow", "fromtimestamp", "utcfromtimestamp", "localtime", "gmtime", "ctime", "mktime", "time_ns",
    "strftime", "formatdate", "localize",
}  # fmt: skip
ZONES = (
    "Etc/UTC",
    "America/Los_Angeles",
    "Pacific/Kiritimati",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "America/Santiago",
)


def asked(source: str) -> Iterator[str]:
    """The calls in a source that ask the machine for the time, with their lines."""
    tree = ast.parse(source)
    aliases = dict(_aliases(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        first, _, rest = ast.unparse(node.func).partition(".")
        whose, _, name = (aliases.get(first, first) + (f".{rest}" if rest else "")).rpartition(".")
        is_naive = name == "astimezone" and not node.args and not node.keywords
        is_time = (whose, name) == ("time", "time")
        if (
            whose in ("datetime", "date", "time", "datetime.datetime", "datetime.date", "email.utils")
            and name in ASKING
        ):
            # A moment from a number of seconds, in a zone that is named, asks nobody.
            if not (name == "fromtimestamp" and len(node.args) + len(node.keywords) > 1):
                yield f"line {node.lineno}: {ast.unparse(node)}"
        elif is_naive or is_time:
            yield f"line {node.lineno}: {ast.unparse(node)}"


def _aliases(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that a source has for the modules of time and for what it takes from them, and what they are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.asname, alias.name) for alias in node.names if alias.asname)
        elif isinstance(node, ast.ImportFrom):
            # A class is known by its own name, `datetime` being that of its module too.
            of = "" if node.module == "datetime" else f"{node.module}."
            yield from ((alias.asname or alias.name, f"{of}{alias.name}") for alias in node.names)


def test_the_check_finds_calls_that_ask_for_the_time() -> None:
    asking = "datetime.now(UTC)", "date.today()", "time.time()", "moment.astimezone()", "datetime.fromtimestamp(3)"
    asking += "from datetime import datetime as dt; dt.now(UTC)", "from time import time; time()"
    asking += (
        "import datetime as d; d.date.today()",
        "import time as t; t.time()",
        "from time import localtime as l; l()",
    )
    assert all(list(asked(text)) for text in asking)
    assert not any(
        list(asked(text))
        for text in (
            "time.monotonic()",
            "from time import monotonic as time; time()",
            "moment.astimezone(UTC)",
            "clock.now",
            "clock.today",
        )
    )


def test_nobody_but_the_clock_asks_the_machine_for_the_time() -> None:
    files = [PROJECT / "run.py", *(PROJECT / "crm").rglob("*.py")]
    # Only files with one of the names in them are parsed.
    calls = "|".join(sorted({*ASKING, "astimezone", "time"}))
    likely = re.compile(rf"\.(?:{calls})\(|from (?:time|email\.utils) import")
    texts = {str(path): path.read_text("utf-8") for path in files if path != PROJECT / "crm" / "clock.py"}
    found = {name: list(asked(text)) for name, text in texts.items() if likely.search(text)}
    assert {name: calls for name, calls in found.items() if calls} == {}


@pytest.mark.dated
@pytest.mark.parametrize(
    ("moment", "zone", "day", "at"),
    [
        ("2026-11-21T23:59:59", "Etc/UTC", "2026-11-21", "23:59"),
        ("2026-11-22T07:59:59", "America/Los_Angeles", "2026-11-21", "23:59"),
        ("2026-11-22T08:00:00", "America/Los_Angeles", "2026-11-22", "00:00"),
        ("2028-02-29T10:00:00", "Pacific/Kiritimati", "2028-03-01", "00:00"),
        ("2026-12-31T18:14:00", "Asia/Kathmandu", "2026-12-31", "23:59"),
        ("2026-03-08T10:00:00", "America/Los_Angeles", "2026-03-08", "03:00"),
    ],
)
def test_a_day_is_in_the_zone_of_the_team(moment: str, zone: str, day: str, at: str) -> None:
    known = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    clock = Clock(lambda: known, lambda: zone)
    assert (clock.now, clock.today.isoformat(), clock.time_of(known)) == (known, day, at)


@pytest.mark.dated
@pytest.mark.parametrize(
    ("day", "zone", "begins"),
    [
        ("2026-11-21", "America/Los_Angeles", "2026-11-21T08:00"),
        ("2026-07-21", "America/Los_Angeles", "2026-07-21T07:00"),
        # On this day clocks went from midnight to one.
        ("2026-09-06", "America/Santiago", "2026-09-06T04:00"),
        ("0001-01-01", "Asia/Tokyo", "0001-01-01T00:00"),
        ("9999-12-31", "Pacific/Honolulu", "9999-12-31T10:00"),
    ],
)
def test_the_start_of_a_day_is_right_in_every_zone(day: str, zone: str, begins: str) -> None:
    clock = Clock(zone=lambda: zone)
    assert clock.at(date.fromisoformat(day)) == datetime.fromisoformat(begins).replace(tzinfo=UTC)


@pytest.mark.dated
@given(st.sampled_from(ZONES), st.datetimes(datetime(2020, 1, 2), datetime(2029, 12, 30)))
def test_historical_offsets_of_a_zone_are_right(zone: str, naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    known = offsets(ZoneInfo(zone), date(2020, 1, 1), date(2030, 1, 1))
    seconds = next((ahead for since, ahead in known if moment >= since), known[-1][1])
    assert moment.astimezone(ZoneInfo(zone)).utcoffset() == timedelta(seconds=seconds)


@pytest.mark.dated
def test_a_stopped_clock_does_not_move() -> None:
    moments = iter([datetime(2026, 11, 21, 9, tzinfo=UTC), datetime(2026, 11, 23, 9, tzinfo=UTC)])
    stopped = Clock(lambda: next(moments), lambda: "Etc/UTC").stopped()
    assert [stopped.today, stopped.today] == [date(2026, 11, 21)] * 2


@pytest.mark.dated
@pytest.mark.parametrize(
    ("written", "zone"), [("Asia/Kathmandu", "Asia/Kathmandu"), (":Etc/UTC", "Etc/UTC"), ("EST5EDT", "EST5EDT")]
)
def test_the_machine_has_the_zone_that_tz_names(written: str, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", written)
    monkeypatch.setattr(tzlocal.unix, "_cache_tz_name", None)
    assert machine_zone() == zone


@pytest.mark.dated
def test_an_unknown_zone_falls_back_to_that_of_the_machine() -> None:
    assert Clock(zone=lambda: "Mars/Olympus").zone.key == machine_zone()
    assert Clock(zone=lambda: "../../etc/passwd").zone.key == machine_zone()


@pytest.mark.slow
def test_the_day_is_the_same_on_every_machine(shell: CommandLine) -> None:
    # Five in the morning in London is nine in the evening of the day before in Los Angeles.
    late = {"CRM_NOW": "2026-11-22T05:00:00Z"}
    shell.did("settings", "set", "time_zone", "los angeles", **late)
    shell.did("clients", "add", "--last-name", "Berg", **late)
    shell.did("follow-ups", "add", "--client", "1", "--what", "Call", "--due", "today", **late)
    seen = []
    for zone in ("UTC", "America/Los_Angeles", "Asia/Tokyo"):
        answers = (shell.process(*words, "--json", environment={**late, "TZ": zone}) for words in WORDS)
        seen.append([answer.json for answer in answers])
    assert seen[0] == seen[1] == seen[2]
    today, due, events = seen[0]
    assert today["on"] == "2026-11-21"
    assert [follow_up["due_on"] for follow_up in due] == ["2026-11-21"]
    assert {entry["on"] for entry in events} == {"2026-11-21"}
    assert {entry["time"] for entry in events if entry["time"]} == {"21:00"}


WORDS = (["today"], ["follow-ups", "list"], ["timeline", "--client", "1"])


@pytest.mark.dated
def test_a_client_is_never_added_in_the_future(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 22, 5, tzinfo=UTC)
    crm = open_crm(Config(f"sqlite:///{tmp_path / 'crm.sqlite3'}", "anna", lambda: moment))
    try:
        named("settings set")(crm, "time_zone", "America/Los_Angeles")
        named("clients add")(crm, {"last_name": "Berg"})
        for days, found in (("= 0", 1), ("< 0", 0), ("> 0", 0)):
            assert len(named("clients list")(crm, {}, where=f"days_since_added {days}")) == found
        moment += timedelta(hours=4)
        assert len(named("clients list")(crm, {}, where="days_since_added = 1")) == 1
        with crm.read() as snapshot:
            client = snapshot.search("Berg")[0]
            assert snapshot.values(client, ["days_since_added"]) == {"days_since_added": 1}
    finally:
        crm.repository.close()


@pytest.mark.dated
def test_a_team_says_in_which_zone_it_is(shell: CommandLine) -> None:
    assert shell.did("settings", "set", "time_zone", "europe/vienna")["value"] == "Europe/Vienna"
    assert shell.did("settings", "set", "time_zone", "Kathmandu")["value"] == "Asia/Kathmandu"
    # 'localtime' and 'Factory' are among the names that Python knows; each machine means another zone by them.
    for name in ("Atlantis", "localtime", "Factory"):
        assert "the nearest big city, for example New York" in shell.refused("settings", "set", "time_zone", name)
    shell.did("history", "undo")
    assert {setting["key"]: setting["value"] for setting in shell.did("settings", "list")}[
        "time_zone"
    ] == "Europe/Vienna"


@pytest.mark.dated
def test_a_test_clock_is_set_by_a_day_or_a_moment() -> None:
    day = from_environment({"CRM_TODAY": "2031-02-28"})
    assert Clock(day.now).today == date(2031, 2, 28)
    moment = from_environment({"CRM_TODAY": "2031-02-28", "CRM_NOW": "2032-01-05T12:00:00Z"})
    assert moment.now().date() == date(2032, 1, 5)
    with pytest.raises(UsageError, match="CRM_TODAY"):
        from_environment({"CRM_TODAY": "tomorrow"})
