"""The mail servers of well-known providers, found by the domain of an address.

As the providers themselves say, in the autumn of 2026:

- Gmail: https://support.google.com/mail/answer/7126229, https://support.google.com/accounts/answer/185833
- Outlook.com: https://support.microsoft.com/office/d088b986-291d-42b8-9564-9c414e2aa040; it has taken no passwords from
  programs since September 2024
- iCloud: https://support.apple.com/102525, https://support.apple.com/102654
- Fastmail: https://www.fastmail.help/hc/en-us/articles/1500000278342
- GMX: https://hilfe.gmx.net/pop-imap/imap/imap-serverdaten.html, https://support.gmx.com/pop-imap/imap/server.html
- WEB.DE: https://hilfe.web.de/pop-imap/imap/imap-serverdaten.html
- Yahoo, AOL: https://help.yahoo.com/kb/SLN4075.html, https://help.aol.com/articles/how-do-i-use-other-email-applications
- mailbox.org: https://kb.mailbox.org/en/private/e-mail/
- Posteo: https://posteo.de/en/help/how-do-i-set-up-posteo-in-an-email-client-pop3-imap-and-smtp
- Zoho: https://www.zoho.com/mail/help/imap-access.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crm.outward.servers import Server


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: the domains of its addresses, its servers that mail is sent through and read from, and what is
    special about its passwords."""

    name: str
    domains: Sequence[str]
    smtp: Server
    imap: Server
    advice: str = ""

    @property
    def servers(self) -> tuple[Server, Server]:
        """Both servers."""
        return self.smtp, self.imap


def _provider(name: str, domains: str, smtp: str, imap: str, advice: str = "", *, port: int = 465) -> Provider:
    sends = Server(smtp, port, "always" if port == 465 else "first")
    return Provider(name, domains.split(), sends, Server(imap, 993, "always"), advice)


def _app_password(name: str, where: str) -> str:
    return f"{name} does not accept your usual password here, only an app password: {where}"


PROVIDERS: Sequence[Provider] = (
    _provider(
        "Gmail", "gmail.com googlemail.com", "smtp.gmail.com", "imap.gmail.com",
        _app_password("Gmail", "https://myaccount.google.com/apppasswords (with two-step verification on)"), port=587,
    ),
    _provider(
        "Outlook.com", "outlook.com hotmail.com hotmail.co.uk hotmail.de hotmail.fr live.com msn.com outlook.at"
        " outlook.de outlook.fr", "smtp-mail.outlook.com", "outlook.office365.com",
        "Outlook.com no longer lets programs sign in with a password, so it will probably refuse this. Use another"
        " mail provider.", port=587,
    ),
    _provider(
        "Microsoft 365", "", "smtp.office365.com", "outlook.office365.com",
        "Microsoft 365 takes passwords from programs only where an administrator allows it.", port=587,
    ),
    _provider(
        "iCloud", "icloud.com me.com mac.com", "smtp.mail.me.com", "imap.mail.me.com",
        _app_password("iCloud", "https://account.apple.com, Sign-In and Security, App-Specific Passwords"), port=587,
    ),
    _provider(
        "Fastmail", "fastmail.com fastmail.fm", "smtp.fastmail.com", "imap.fastmail.com",
        _app_password("Fastmail", "Settings, Privacy & Security, Manage app passwords"),
    ),
    _provider(
        "GMX", "gmx.net gmx.at gmx.ch gmx.de", "mail.gmx.net", "imap.gmx.net",
        "At GMX first allow other programs: E-mail, Settings, POP3/IMAP.", port=587,
    ),
    _provider(
        "GMX", "gmx.com gmx.us gmx.co.uk gmx.fr", "mail.gmx.com", "imap.gmx.com",
        "At GMX first allow other programs: E-mail, Settings, POP3/IMAP.", port=587,
    ),
    _provider(
        "WEB.DE", "web.de", "smtp.web.de", "imap.web.de",
        "At WEB.DE first allow other programs: E-Mail, Einstellungen, POP3/IMAP.", port=587,
    ),
    _provider(
        "Yahoo", "yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.es yahoo.it ymail.com", "smtp.mail.yahoo.com",
        "imap.mail.yahoo.com", _app_password("Yahoo", "https://login.yahoo.com/account/security"),
    ),
    _provider(
        "AOL", "aol.com aol.de", "smtp.aol.com", "imap.aol.com",
        _app_password("AOL", "https://login.aol.com/account/security"),
    ),
    _provider("mailbox.org", "mailbox.org", "smtp.mailbox.org", "imap.mailbox.org"),
    _provider("Posteo", "posteo.de posteo.net posteo.org posteo.at", "posteo.de", "posteo.de"),
    _provider(
        "Zoho", "zoho.com zohomail.com", "smtp.zoho.com", "imap.zoho.com",
        "Where two-factor sign-in is on, Zoho takes only an app password: https://accounts.zoho.com, Security.",
    ),
)  # fmt: skip


def provider_of(address: str) -> Provider | None:
    """The provider of an e-mail address, None where it is not known."""
    domain = address.rpartition("@")[2].strip().casefold()
    return next((provider for provider in PROVIDERS if domain in provider.domains), None)


def advice_for(server: Server) -> str:
    """The advice about the passwords of a server, as a sentence; '' where nothing is known."""
    host = server.host.casefold()
    known = (entry.advice for entry in PROVIDERS if host in (server.host for server in entry.servers))
    return next(known, "")
