"""Faults on purpose, and counts of requests."""

import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from .refusals import Refusal, refusal

KINDS = ("drop_reply", "drop_request", "cut", "delay", "status", "double")
PER_MINUTE = {"read": 60, "write": 60}


@dataclass
class Fault:
    """One rule: what happens to which requests."""

    kind: str
    times: int = 1
    after: int = 0
    every: int = 1
    only: str = "all"
    path: str = ""
    seconds: float = 0.0
    code: int = 503
    html: bool = False
    applied: bool = False
    bytes: int = 20
    second: bool = False
    seen: int = 0
    hits: int = 0

    def strikes(self, kind: str, path: str) -> bool:
        """True if the fault applies to this request."""
        if self.only not in ("all", kind, kind + "s") or self.path not in path or self.hits >= self.times:
            return False
        self.seen += 1
        if self.seen <= self.after or (self.seen - self.after) % self.every:
            return False
        self.hits += 1
        return True


@dataclass
class Counts:
    """Numbers and sizes of requests."""

    reads: int = 0
    writes: int = 0
    drive: int = 0
    tokens: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    largest_request: int = 0

    def add(self, kind: str, size: int) -> None:
        """Count a request."""
        name = {"read": "reads", "write": "writes", "drive": "drive", "token": "tokens"}[kind]
        setattr(self, name, getattr(self, name) + 1)
        self.bytes_in += size
        self.largest_request = max(self.largest_request, size)

    def as_json(self) -> dict[str, int]:
        """The numbers by their names."""
        return asdict(self)


@dataclass
class Traffic:
    """The state of traffic: counts, used quotas, and faults still to come."""

    quota: bool = True
    latency: float = 0.0
    counts: dict[str, Counts] = field(default_factory=dict)
    log: deque[list[Any]] = field(default_factory=lambda: deque(maxlen=20_000))
    faults: list[Fault] = field(default_factory=list)
    used: dict[str, tuple[float, int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def come_in(self, kind: str, path: str, document: str, size: int) -> Fault | None:
        """Count a request; the fault that is to happen to it, if one is."""
        with self.lock:
            for name in {"", document}:
                self.counts.setdefault(name, Counts()).add(kind, size)
            return next((fault for fault in self.faults if fault.strikes(kind, path)), None)

    def gone_out(self, document: str, size: int, line: list[Any]) -> None:
        """Count a reply."""
        with self.lock:
            for name in {"", document}:
                self.counts.setdefault(name, Counts()).bytes_out += size
            self.log.append(line)

    def refuse_more(self, kind: str, project: str) -> None:
        """Refuse what is over the quota of this minute."""
        if not self.quota or kind not in PER_MINUTE:
            return
        with self.lock:
            now = time.monotonic()
            start, count = self.used.get(kind, (now, 0))
            if now - start >= 60:
                start, count = now, 0
            self.used[kind] = (start, count + 1)
        if count >= PER_MINUTE[kind]:
            raise over_quota(kind, project)

    def use_up(self, kind: str) -> None:
        """Leave nothing of this minute's quota."""
        with self.lock:
            self.used[kind] = (time.monotonic(), PER_MINUTE[kind])


def over_quota(kind: str, project: str) -> Refusal:
    """The reply to too many requests in a minute."""
    name = kind.capitalize()
    consumer = f"project_number:{project}"
    message = (
        f"Quota exceeded for quota metric '{name} requests' and limit '{name} requests per minute per user' of service "
        f"'sheets.googleapis.com' for consumer '{consumer}'."
    )
    details = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "RATE_LIMIT_EXCEEDED",
        "domain": "googleapis.com",
        "metadata": {
            "consumer": f"projects/{project}",
            "quota_limit": f"{name}RequestsPerMinutePerUser",
            "quota_limit_value": str(PER_MINUTE[kind]),
            "quota_location": "global",
            "quota_metric": f"sheets.googleapis.com/{kind}_requests",
            "service": "sheets.googleapis.com",
        },
    }
    return refusal(429, message, [details])
