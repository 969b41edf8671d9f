"""The mailer that a setting names."""

from collections.abc import Callable
from datetime import datetime

from crm.clock import machine_now
from crm.outward.smtp import SmtpMailer


def mailer_at(url: str, sender: str, now: Callable[[], datetime] = machine_now) -> SmtpMailer | None:
    """A Mailer over the server at a URL, None where none is named. Raises UsageError."""
    if not url:
        return None
    return SmtpMailer(url, sender, now=now)
