"""Mail servers as the settings name them: by a URL, which is never shown, since it holds a password, or by saved
settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from socket import gaierror
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from crm.errors import UsageError

if TYPE_CHECKING:
    import ssl

_SMTP = "smtp://user:password@mail.example.com:587?starttls, or smtps:// for a server that encrypts from the start"
_IMAP = "imaps://user:password@mail.example.com/INBOX, with %40 for an @ in the user's name"
_SIGNS = "In the password write # as %23, / as %2F, ? as %3F, @ as %40 and % as %25."
SMTP_PORTS = {"always": 465, "first": 587, "never": 25}
IMAP_PORTS = {"always": 993, "first": 143, "never": 143}
# As long a server may take to greet where somebody waits for a try of the settings; some let everybody wait 6 seconds.
GREETING_TIME_OUT = 7.0
# Where a server is named that no variable names.
SAVED = "the settings of this computer"


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server; `encrypts` is 'always' (TLS from the start), 'first' (STARTTLS before all else) or 'never'.

    `password` is asked for when somebody signs in, and raises OutwardError where it cannot be read. `folder` is read of
    a server that mail is read from. `named_in` is the variable that names the server, or SAVED.
    """

    host: str
    port: int
    encrypts: str
    user: str = ""
    password: Callable[[], str] = field(default=str, repr=False, compare=False)
    folder: str = ""
    named_in: str = SAVED

    def how(self, variable: str, saved: str) -> str:
        """The words for a remedy: in the variable that names this server, or in the settings of this computer."""
        return saved if self.named_in == SAVED else variable


def smtp_server(url: str) -> Server:
    """The server that CRM_SMTP_URL names. Raises UsageError."""
    unread = UsageError(f"CRM_SMTP_URL does not name a mail server. Write it like {_SMTP}. {_SIGNS}")
    parts = _split(url, "smtp", unread)
    if parts.path not in ("", "/"):
        raise unread
    return _server(parts, SMTP_PORTS, "CRM_SMTP_URL", "smtps")


def imap_server(url: str) -> Server:
    """The server and folder that CRM_IMAP_URL names. Raises UsageError."""
    unread = UsageError(f"CRM_IMAP_URL does not name a mailbox. Write it like {_IMAP}. {_SIGNS}")
    parts = _split(url, "imap", unread)
    folder = unquote(parts.path.strip("/")) or "INBOX"
    if not parts.username or not folder.isprintable():
        raise unread
    return _server(parts, IMAP_PORTS, "CRM_IMAP_URL", "imaps", folder)


_OTHER_NAME = "has a certificate for another name; use the server name that your provider gives"
# What is wrong with a certificate, by the code of OpenSSL.
_CERTIFICATES: Mapping[int, str] = {
    9: "has a certificate that is not valid yet; the clock of this computer may be wrong",
    10: "has a certificate that has expired; its owner has to renew it",
    18: "has a self-signed certificate, which cannot be trusted",
    19: "has a certificate from an authority that is not trusted on this computer",
    20: "has a certificate from an authority that is not known on this computer",
    62: _OTHER_NAME,
    64: _OTHER_NAME,
}


def tls_problem(error: "ssl.SSLError", server: Server, scheme: str) -> str:
    """The reason why a connection cannot be encrypted, for people, behind the name of the server."""
    # Only a certificate that was refused has a code.
    if (code := getattr(error, "verify_code", 0)) in _CERTIFICATES:
        return _CERTIFICATES[code]
    if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
        hint = server.how(f"write {scheme}:// and add ?starttls", "choose STARTTLS as its encryption")
        return f"does not encrypt from the start on this port; {hint}"
    return "could not prove who it is, or encrypts in a way that is not safe"


def unreached(error: OSError, server: Server, scheme: str) -> str:
    """The reason why a server cannot be reached, for people, behind its name."""
    match error:
        case TimeoutError():
            secure = server.how(f"write {scheme}s://", "choose TLS as its encryption")
            hint = f"; if it encrypts from the start, {secure}" if server.encrypts != "always" else ""
            return f"cannot be reached: it does not answer{hint}"
        case gaierror():
            return "cannot be reached: no server of that name is known; check the name, and the network"
        case ConnectionRefusedError():
            return f"cannot be reached: nothing answers on port {server.port}"
    return "cannot be reached, or the connection was lost"


def _split(url: str, scheme: str, unread: UsageError) -> SplitResult:
    """The parts of a URL of a scheme, or of the same with an s, that name a server."""
    try:
        parts = urlsplit(url.strip())
        good = parts.port != 0 and parts.scheme in (scheme, f"{scheme}s") and parts.hostname and not parts.fragment
    except ValueError as error:
        raise unread from error
    asked = parts.query in ("", "starttls", "starttls=1") and not (parts.query and parts.scheme != scheme)
    if not good or not asked or not unquote(f"{parts.username}{parts.password}").isprintable():
        raise unread
    return parts


def _server(parts: SplitResult, ports: Mapping[str, int], variable: str, safe: str, folder: str = "") -> Server:
    encrypts = "always" if parts.scheme == safe else "first" if parts.query else "never"
    host = parts.hostname or ""
    if encrypts == "never" and not is_loopback(host):
        raise UsageError(
            f"{variable} would send every e-mail and the password unencrypted. Add ?starttls to it, or write {safe}://."
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Server(host, parts.port or ports[encrypts], encrypts, user, lambda: password, folder, variable)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, to which nothing need be encrypted."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
