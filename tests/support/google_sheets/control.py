"""The control interface: edits by hand, counts of requests, and faults on purpose."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

from .faults import KINDS, Counts, Fault
from .people import Hand
from .refusals import Invalid
from .shifts import Json


class Door(Hand):
    """Control of the stand-in by tests, besides the calls of a program."""

    def call(self, name: str, args: Sequence[Any], kwargs: Json) -> Any:
        """Call a method by its name."""
        if name not in METHODS:
            raise Invalid(f"The control door has no {name}")
        return getattr(self, name)(*args, **kwargs)

    def before_next_write(self, edits: Sequence[Sequence[Any]]) -> None:
        """Let people edit just before the next write is applied: each edit is [method, [arguments]]."""
        waiting = self._service.before_write
        waiting[:1] = [[*(waiting[0] if waiting else []), *self._edits(edits)]]

    def before_next_writes(self, edits: Sequence[Sequence[Sequence[Any]]]) -> None:
        """Let people edit just before each of the next writes is applied: a list of edits for each."""
        self._service.before_write += [self._edits(before_one) for before_one in edits]

    def in_next_merges(self, edits: Sequence[Sequence[Sequence[Any]]]) -> None:
        """Let people edit between the look and the writing of each of the next requests that are merged."""
        self._service.between += [self._edits(in_one) for in_one in edits]

    def _edits(self, edits: Sequence[Sequence[Any]]) -> list[tuple[Callable[..., Any], list[Any]]]:
        for name, _ in edits:
            if name not in METHODS:
                raise Invalid(f"The control door has no {name}")
        return [(getattr(self, name), list(arguments)) for name, arguments in edits]

    # What is counted

    def counts(self, id: str | None = None) -> dict[str, int]:
        """Numbers of requests, for one spreadsheet or all: reads, writes, drive, tokens, bytes."""
        traffic = self._service.traffic
        with traffic.lock:
            return traffic.counts.get(id or "", Counts()).as_json()

    def requests(self) -> list[list[Any]]:
        """Requests in order: [method, path, status, kind]; status 0 if the connection was closed."""
        with self._service.traffic.lock:
            return list(self._service.traffic.log)

    def reset_counts(self) -> None:
        """Forget what came in, and the quotas that it used up."""
        traffic = self._service.traffic
        with traffic.lock:
            traffic.counts.clear()
            traffic.log.clear()
            traffic.used.clear()

    # What goes wrong

    def fault(
        self,
        kind: str,
        times: int | None = None,
        after: int = 0,
        only: str = "all",
        path: str = "",
        every: int = 1,
        seconds: float = 0.0,
        code: int = 503,
        html: bool = False,
        applied: bool = False,
        bytes: int = 20,
        second: bool = False,
    ) -> None:
        """Let something go wrong with requests of a kind (reads, writes, drive, token, all) and on a path.

        drop_reply: apply, then close; drop_request: close; cut: apply and send some bytes of the reply;
        delay: wait some seconds; status: answer with an error, having applied the request or not; double: the request
        arrives twice, and the first or the second answer is the one that comes back.
        Once or `times`, after so many requests that went well; with `every`=10 to each tenth, without end.
        """
        if kind not in KINDS:
            raise Invalid(f"{kind} is not one of {', '.join(KINDS)}")
        hits = (1 if every == 1 else 1_000_000_000) if times is None else times
        rule = Fault(kind, hits, after, every, only, path, seconds, code, html, applied, bytes, second)
        with self._service.traffic.lock:
            self._service.traffic.faults.append(rule)

    def clear_faults(self) -> None:
        """Let nothing go wrong any more."""
        with self._service.traffic.lock:
            self._service.traffic.faults.clear()
        self._service.before_write.clear()
        self._service.between.clear()

    def quota(self, on: bool) -> None:
        """Count requests against the quotas of a minute, or not."""
        self._service.traffic.quota = on
        self._service.traffic.used.clear()

    def use_up(self, kind: str = "read") -> None:
        """Use up what is left of this minute's quota of reads or writes."""
        self._service.traffic.use_up(kind)

    def latency(self, milliseconds: float) -> None:
        """Set the round-trip time of a request."""
        self._service.traffic.latency = milliseconds / 1000

    def drive_lag(self, seconds: float) -> None:
        """Set the delay of Drive's version of a file."""
        self._service.drive_lag = seconds

    def marker_holds(self, holds: bool) -> None:
        """Set if requests for unknown or taken named ranges are refused, as the service is thought to do."""
        self._service.markers_hold = holds

    def merges(self, parts: Sequence[str], window: float = 0.0) -> None:
        """Set if requests of one moment are all checked on the state before it, and then merged: "marker" (a missing
        range is accepted), "append" (new rows go where they would have gone), "copy" (copies have the state before),
        "answer" (each reply shows its own change). `window` is the length of a moment."""
        self._service.merges, self._service.merge_window = frozenset(parts), window

    # The account

    def credentials(self) -> dict[str, str]:
        """The file that Google gives for the service account."""
        return self._service.account.credentials(self.url)

    def expire_tokens(self) -> None:
        """Let no token be good any more."""
        self._service.account.tokens.clear()

    def scopes(self) -> list[list[str]]:
        """The scopes that each token was asked for with."""
        return self._service.account.asked

    def enable_sheets(self, on: bool) -> None:
        """Switch the Sheets API on or off in the account's project."""
        self._service.sheets_enabled = on

    def enable_drive(self, on: bool) -> None:
        """Switch the Drive API on or off in the account's project."""
        self._service.drive_enabled = on

    def clock_right(self, right: bool) -> None:
        """Set if the clock of the client's computer is right."""
        self._service.account.clock_right = right

    def account_exists(self, exists: bool) -> None:
        """Set if the service account exists."""
        self._service.account.exists = exists

    def storage_full(self, full: bool) -> None:
        """Set if the account has no room for files of its own: a new one of today has none."""
        self._service.storage_full = full


METHODS = frozenset(name for name in dir(Door) if not name.startswith("_") and name != "call")


class Control(Door):
    """The same door from another process: each method is called over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, name: str, args: Sequence[Any], kwargs: Json) -> Any:
        """Call a method of the stand-in at the address."""
        body = json.dumps({"args": args, "kwargs": kwargs}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/control/{name}", body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.loads(reply.read())["result"]
        except urllib.error.HTTPError as error:
            with error:
                raise Invalid(json.loads(error.read())["error"]) from None


def _over_http(name: str) -> Callable[..., Any]:
    def method(self: Control, *args: Any, **kwargs: Any) -> Any:
        return self.call(name, args, kwargs)

    return method


for _name in METHODS:
    setattr(Control, _name, _over_http(_name))
