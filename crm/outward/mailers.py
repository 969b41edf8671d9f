"""The mailer that a setting names."""

from collections.abc import Callable
from datetime import datetime

from crm.clock import machine_now
from crm.outward.servers import Server
from crm.outward.smtp import SmtpMailer


def mailer_at(server: str | Server, sender: str, now: Callable[[], datetime] = machine_now) -> SmtpMailer | None:
    """A Mailer over a server, or the one at a URL; None where none is named. Raises UsageError."""
    if not server:
        return None
    return SmtpMailer(server, sender, now=now)
