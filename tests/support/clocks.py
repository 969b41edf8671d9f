"""Clocks for tests: each test runs on a fixed morning, whatever the real day and zone."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import time_machine

from crm.clock import Clock, machine_zone

# The day on which tests take place unless they say otherwise.
TODAY = date(2026, 11, 21)
# The zone of a new store is that of the machine.
ZONE = ZoneInfo(machine_zone())
_BEGAN = monotonic()


def morning(day: date = TODAY) -> datetime:
    """Nine o'clock on a day, where the tests run."""
    return datetime.combine(day, time(9), ZONE)


def running_on(day: date = TODAY) -> Callable[[], datetime]:
    """The time on a day, from its morning on: it runs, and is the same for all clocks of a day."""
    return lambda: morning(day) + timedelta(seconds=monotonic() - _BEGAN)


def standing_on(day: date = TODAY) -> Clock:
    """A clock that stands still in the morning of a day."""
    return Clock(lambda: morning(day), lambda: ZONE.key)


def now_on(day: date = TODAY) -> str:
    """The same time as `CRM_NOW` takes it."""
    return running_on(day)().isoformat()


def move_the_machines() -> None:
    """Set the clock of the machine, as far as this process sees it, to the moment that `TEST_NOW` names, in the zone
    of `TZ`: '2028-02-29T12:00:00', or '+400' for as many days on. It runs on from there."""
    written = os.environ.get("TEST_NOW", "")
    if written.startswith("+"):
        moment = datetime.now(UTC) + timedelta(days=int(written))
    elif written:
        moment = datetime.fromisoformat(written).replace(tzinfo=ZONE)
    else:
        return
    # As a number: by a datetime with a zone the machine would be moved into that zone too.
    time_machine.travel(moment.timestamp(), tick=True).start()
