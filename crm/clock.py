"""The one clock: what time it is, and which day that is for the team. Nothing else asks the machine for the time."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

# The zone where neither the team nor the machine names one.
NEUTRAL_ZONE = "Etc/UTC"
# Among the names of time zones, but each machine means another zone by them, or none.
NO_ZONES = frozenset(("localtime", "Factory"))


def machine_now() -> datetime:
    """The machine's time, in UTC, to the microsecond."""
    return datetime.now(UTC)


def machine_zone() -> str:
    """The IANA name of the machine's time zone: what `TZ` names, else what the system is set to, else 'Etc/UTC'."""
    if (named := _zone(os.environ.get("TZ", "").removeprefix(":"))) is not None:
        return named.key
    import tzlocal

    try:
        name = tzlocal.get_localzone_name()
        # A name without data of its own counts for nothing.
        return ZoneInfo(name).key or NEUTRAL_ZONE
    except (LookupError, ValueError, TypeError, OSError):
        return NEUTRAL_ZONE


def running_from(start: datetime) -> Callable[[], datetime]:
    """A time that is `start` (aware) at this moment and runs on from there, for trying things out."""
    ahead = start.astimezone(UTC) - machine_now()
    return lambda: machine_now() + ahead


class Clock:
    """The time in UTC, and the days in the team's time zone.

    `now` gives the time (aware), `zone` the IANA name of the zone; '' and unknown names stand for the machine's zone.
    The name is asked for when it is first needed, and kept until `forget_zone`.
    """

    def __init__(self, now: Callable[[], datetime] = machine_now, zone: Callable[[], str] = machine_zone) -> None:
        self._now = now
        self._name = zone
        self._zone: ZoneInfo | None = None
        self._stands = False
        self._day: date | None = None

    @property
    def now(self) -> datetime:
        """This moment, in UTC."""
        return self._now().astimezone(UTC)

    @property
    def zone(self) -> ZoneInfo:
        """The team's time zone."""
        zone = self._zone
        if zone is None:
            # Kept here too: another thread may forget it meanwhile.
            self._zone = zone = _zone(self._name()) or ZoneInfo(machine_zone())
        return zone

    @property
    def today(self) -> date:
        """The day that it is now for the team."""
        if self._day is not None:
            return self._day
        day = self.day_of(self._now())
        if self._stands:
            self._day = day
        return day

    def forget_zone(self) -> None:
        """Ask for the zone again when it is next needed."""
        self._zone = self._day = None

    def stopped(self) -> "Clock":
        """The same clock, standing still at this moment."""
        moment = self.now
        standing = Clock(lambda: moment, lambda: self.zone.key)
        standing._stands = True
        return standing

    def local(self, moment: datetime) -> datetime:
        """A moment (aware) in the team's time zone."""
        return moment.astimezone(self.zone)

    def day_of(self, moment: datetime) -> date:
        """The team's day in which a moment (aware) lies."""
        return self.local(moment).date()

    def time_of(self, moment: datetime) -> str:
        """The time of day of a moment (aware) for the team: 'HH:MM'."""
        return f"{self.local(moment):%H:%M}"

    def at(self, day: date, time_of_day: time = time()) -> datetime:
        """The moment, in UTC, of a time of day of the team; without a time the one at which the day begins."""
        try:
            return datetime.combine(day, time_of_day, self.zone).astimezone(UTC)
        except OverflowError:
            # The first and the last day that there are.
            return datetime.combine(day, time_of_day, UTC)


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name and name not in NO_ZONES else None
    except (LookupError, ValueError, OSError):
        return None


@lru_cache(maxsize=16)
def offsets(zone: ZoneInfo, since: date, until: date) -> tuple[tuple[datetime, int], ...]:
    """The offsets of a zone from UTC: pairs of the moment (UTC) from which one holds, and its seconds. The latest comes
    first; the last one holds for all earlier moments too. Only changes between the two days are known."""
    moment, end = datetime.combine(since, time(), UTC), datetime.combine(until, time(), UTC) + timedelta(days=2)
    changes = [(moment, _offset(zone, moment))]
    while moment < end:
        later = moment + timedelta(days=1)
        if (offset := _offset(zone, later)) != changes[-1][1]:
            changes.append((_changed(zone, moment, later), offset))
        moment = later
    return tuple(reversed(changes))


def _changed(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which the offset of a zone changed, between two moments."""
    old, seconds = _offset(zone, before), int((after - before).total_seconds())
    while seconds > 1:
        half = seconds // 2
        middle = before + timedelta(seconds=half)
        before, seconds = (middle, seconds - half) if _offset(zone, middle) == old else (before, half)
    return before + timedelta(seconds=seconds)


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
