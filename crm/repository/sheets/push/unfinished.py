"""Changes that are being saved, each in a small file beside the mirror until its outcome is known: what is left there
by a program that was ended (its window closed, SIGTERM, no power) is told by the next one."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from crm.repository.known import new_id
from crm.repository.sqlite.files import beside

# A request that was sent can still arrive for so long (seconds).
LATE_FOR = 180.0
_ENDING = "-saving-"
# This run of the program.
_RUN = new_id()


@dataclass(frozen=True)
class Unfinished:
    """A change that a program was saving when it ended: the `names` of its tries, `account` the id of who made it (0
    without accounts), `at` in seconds since 1970, `process` the number of the program and what tells it from a later
    one with that number."""

    file: Path
    names: Sequence[str]
    what: str
    account: int
    at: float
    process: tuple[int, str]


@dataclass
class UnfinishedChanges:
    """The changes that programs on this machine are saving to a spreadsheet with the mirror at `mirror`."""

    mirror: Path
    _file: Path | None = field(default=None, init=False)

    def note(self, names: Sequence[str], what: str, account: int, at: float) -> None:
        """Write down that a change is about to be sent. Where that cannot be written it is not told."""
        place = beside(self.mirror, f"{_ENDING}{names[0]}")
        if place != self._file:
            # The try before was refused.
            self._forget()
        self._file = place
        written = {"names": list(names), "what": what, "account": account, "at": at, "process": [os.getpid(), _RUN]}
        with suppress(OSError), open(place, "w", encoding="utf-8", opener=_private) as file:
            json.dump(written, file)

    @contextmanager
    def until_reported(self) -> Iterator[None]:
        """Forget what was noted as soon as whoever made the change hears of its outcome."""
        try:
            yield
        except (Exception, KeyboardInterrupt):
            self._forget()
            raise
        self._forget()

    def _forget(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink()
            self._file = None

    def left(self, account: int) -> list[Unfinished]:
        """The changes of an account that programs left behind, the oldest first."""
        changes = []
        for file in self.mirror.parent.glob(f"{self.mirror.name}{_ENDING}*"):
            with suppress(OSError, ValueError, TypeError):
                change = Unfinished(file, **json.loads(file.read_text("utf-8")))
                if change.account == account and not _runs(*change.process):
                    changes.append(change)
        return sorted(changes, key=lambda change: change.at)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _runs(process: int, run: str) -> bool:
    """Return whether a program still runs. Only on POSIX can another one be asked without ending it."""
    if process == os.getpid():
        # In a container each one has the number of the one before.
        return run == _RUN
    if os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
