"""Authentication of senders: whether our mail server doubts that a message is from whom it says (RFC 8601)."""

import re
from email.message import Message

from crm.outward.sanitizing import line

_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"\b(dmarc|dkim|spf|compauth)\s*=\s*([a-z]+)")
_LONGEST = 4000


def forgery(message: "Message[str, str]") -> str:
    """The failed checks of a message's sender, as the mail server says it that received it last ('dmarc=fail'); ''
    where nothing does, or nothing was checked. What is below was written by others."""
    headers = [line(str(value), _LONGEST).lower() for name, value in message.raw_items() if _is(name)]
    results: dict[str, set[str]] = {}
    for header in headers:
        if header.partition(";")[0].split() == headers[0].partition(";")[0].split():
            for method, result in _RESULT.findall(_COMMENT.sub(" ", header)):
                results.setdefault(method, set()).add(result)
    if not results and (words := str(message.get("Received-SPF", "")).split()):
        results = {"spf": {words[0].lower()}}
    for method in ("dmarc", "compauth"):
        if results.get(method, set()) & {"fail", "reject", "quarantine"}:
            return f"{method}=fail"
    if "pass" in results.get("dmarc", set()) | results.get("dkim", set()):
        return ""
    return next((f"spf={result}" for result in ("fail", "softfail") if result in results.get("spf", ())), "")


def is_checked(message: "Message[str, str]") -> bool:
    """Return whether a mail server has said at all what it found out about the sender of a message."""
    return any(_is(name) or name.lower() == "received-spf" for name, _ in message.raw_items())


def _is(name: str) -> bool:
    return name.lower() == "authentication-results"
