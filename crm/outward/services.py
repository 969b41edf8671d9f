"""The services that a computer may be set up for (sending and reading e-mail, SMS): what is to be filled in for each,
which environment variable overrides it, and what it is checked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crm.config import ENVIRONMENT, Config
from crm.errors import FieldError, UsageError
from crm.model import Conventions, Field
from crm.model.fields import Check, Choice, Line, Secret, Whole
from crm.model.paths import is_at_another_device
from crm.outward.servers import IMAP_PORTS, SMTP_PORTS, Server, imap_server, is_loopback, smtp_server

# The fields by name, with what was filled in.
Values = Mapping[str, Any]

KEYRING, FILE = "keyring", "file"
TLS, STARTTLS, NONE = "tls", "starttls", "none"
_ENCRYPTION = {TLS: "TLS from the start", STARTTLS: "STARTTLS", NONE: "none, only to this computer"}
# How a server says the same.
_ENCRYPTS = {TLS: "always", STARTTLS: "first", NONE: "never"}
_BY_PORT = {465: TLS, 993: TLS, 587: STARTTLS, 143: STARTTLS}
_KEEP = Choice({KEYRING: "the keyring of the system", FILE: "a file that only you can read"})


@dataclass(frozen=True)
class Host(Check):
    """The name of a server, or its IP address, and nothing more."""

    example = "smtp.example.com"

    def read(self, typed: str, by: Conventions) -> str:
        host = Line(253).read(typed, by).strip("[]").rstrip(".").lower()
        if any(sign in host for sign in "/@?# ") or (":" in host and host.count(":") < 2):
            raise FieldError(f"only the name of the server, like {self.example}; the port has a field of its own")
        return host


@dataclass(frozen=True, slots=True)
class Service:
    """A service: `name` is its word in the shell, `title` its line in the menu. `fields` are filled in, `secret` is the
    one that is kept apart and shown to nobody. `variables` are the names in Config that override fields, each with
    those fields; `of_variables` reads them, and raises UsageError. `missing` says what cannot be done without it.

    `fill` adds what follows from the `address` and what is usual. The secret belongs to the `identity`: it is needed
    where the last of these fields holds something, and asked for again where one changes. `check` raises FieldError for
    what cannot be.
    """

    name: str
    title: str
    fields: Mapping[str, Field]
    secret: Field
    variables: Mapping[str, tuple[str, ...]]
    of_variables: Callable[[Config], Values]
    missing: str
    address: str
    identity: tuple[str, ...]
    fill: Callable[[Values], Values]
    check: Callable[[Values, Config], None]

    def variable_of(self, field: str, config: Config) -> str:
        """The name in Config that overrides a field, if it is set; otherwise ''."""
        above = (name for name, fields in self.variables.items() if field in fields)
        return next((name for name in above if getattr(config, name)), "")

    @property
    def not_set_up(self) -> str:
        """The sentence where nothing is set up."""
        names = [option.variable for option in ENVIRONMENT if option.name in self.variables]
        listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        if is_at_another_device():
            return f"{self.missing} yet: the person who runs the server has to set {listed}."
        return (
            f"{self.missing} yet. Set it up in the menu under Data & settings, Settings, {self.title}, or with"
            f" `{self.name} setup`. On a server, set {listed}."
        )

    def needs_secret(self, values: Values) -> bool:
        """Return whether there is somebody to sign in as."""
        return bool(values.get(self.identity[-1]))


def _field(name: str, label: str, check: Check, help: str = "") -> Field:
    return Field(name, label, check, "person", help)


def _declared(secret: str, *fields: Field) -> Mapping[str, Field]:
    kept = _field(
        "keep", f"{secret} kept in", _KEEP, "keyring of the system, or file; the keyring by default, where one works"
    )
    return {field.name: field for field in (*fields, kept)}


def _server_fields(what: str, example: str) -> tuple[Field, ...]:
    return (
        _field("host", what, Host(), f"its name, like {example}"),
        _field("port", "Port", Whole(least=1, most=65535), "the usual one by default"),
        _field("encryption", "Encryption", Choice(_ENCRYPTION), "tls from the start, starttls, or none"),
        _field("user", "User name", Line(300), "usually the e-mail address"),
    )


def email_server(values: Values, password: Callable[[], str] = str) -> Server:
    """The server that mail is sent through. Raises FieldError."""
    return _server(values, SMTP_PORTS, password)


def mailbox_server(values: Values, password: Callable[[], str] = str) -> Server:
    """The server and the folder that mail is read from. Raises FieldError."""
    if not values.get("user"):
        raise FieldError("enter the user name of the mailbox", field="user", label="User name")
    return _server(values, IMAP_PORTS, password, values.get("folder") or "INBOX")


def _server(values: Values, ports: Mapping[str, int], password: Callable[[], str], folder: str = "") -> Server:
    host, encrypts = values.get("host", ""), _ENCRYPTS[values.get("encryption") or STARTTLS]
    if not host:
        raise FieldError("name the mail server; your provider says which", field="host", label="Mail server")
    if encrypts == "never" and not is_loopback(host):
        raise FieldError(
            "without encryption others could read the e-mails and the password; choose STARTTLS or TLS",
            field="encryption",
            label="Encryption",
        )
    return Server(host, values.get("port") or ports[encrypts], encrypts, values.get("user", ""), password, folder)


def _check_email(values: Values, _: Config) -> None:
    from crm.outward.outgoing import sender_of

    try:
        sender_of(values.get("sender", ""))
    except UsageError as error:
        raise FieldError(
            "an e-mail address, like crm@example.com or Example Ltd <crm@example.com>", field="sender", label="Sender"
        ) from error
    email_server(values)


def _check_mailbox(values: Values, _: Config) -> None:
    mailbox_server(values)


def _check_sms(values: Values, config: Config) -> None:
    from crm.outward.sms import is_account

    # A stand-in for Twilio gets no account at Twilio.
    if is_account(account := values.get("account", "")) is bool(config.twilio) or not account:
        raise FieldError("it begins with AC and has 34 characters", field="account", label="Account")
    if not values.get("sender"):
        raise FieldError("a number, a name, or a messaging service (MG…)", field="sender", label="Sender")


def _filled_server(values: Values, address: str, sends: bool) -> Values:
    """A mail server with what is known of the provider of an address, and what is usual."""
    from crm.outward.providers import provider_of

    address = address.rpartition("<")[2].strip("> ")
    known: dict[str, Any] = {"user": address}
    provider = provider_of(address) if "@" in address else None
    if provider is not None and values.get("host", "") in ("", *(server.host for server in provider.servers)):
        known |= _of_server(provider.smtp if sends else provider.imap) | {"user": address}
    filled = {**known, **values}
    filled.setdefault("encryption", _BY_PORT.get(filled.get("port", 0), STARTTLS if sends else TLS))
    filled.setdefault("port", (SMTP_PORTS if sends else IMAP_PORTS)[_ENCRYPTS[filled["encryption"]]])
    return filled


def _of_server(server: Server) -> dict[str, Any]:
    encryption = next(name for name, encrypts in _ENCRYPTS.items() if encrypts == server.encrypts)
    return {"host": server.host, "port": server.port, "encryption": encryption, "user": server.user}


def _named(server: Server) -> dict[str, Any]:
    """The server that a variable names; of the password no more than whether there is one."""
    return {**_of_server(server), "password": bool(server.password())}


def _email_of_variables(config: Config) -> Values:
    # Google's interface has neither a server nor a password.
    if config.smtp_url.strip() == "gmail:":
        return {"sender": config.mail_from, "host": "gmail:", "password": False}
    return {"sender": config.mail_from, **(_named(smtp_server(config.smtp_url)) if config.smtp_url else {})}


def _mailbox_of_variables(config: Config) -> Values:
    if not config.imap_url:
        return {}
    server = imap_server(config.imap_url)
    return {**_named(server), "folder": server.folder}


_SERVER = ("host", "port", "encryption", "user", "password")
EMAIL = Service(
    "email",
    "Sending e-mail",
    _declared(
        "Password",
        _field("sender", "Sender", Line(300), "your e-mail address, or Example Ltd <hello@example.com>"),
        *_server_fields("Mail server", "smtp.example.com"),
    ),
    _field("password", "Password", Secret()),
    {"mail_from": ("sender",), "smtp_url": _SERVER},
    _email_of_variables,
    "No e-mail can be sent",
    "sender",
    ("host", "user"),
    lambda values: _filled_server(values, values.get("sender", ""), sends=True),
    _check_email,
)
MAILBOX = Service(
    "mailbox",
    "Reading e-mail",
    _declared(
        "Password",
        _field("user", "User name", Line(300), "usually the e-mail address"),
        *_server_fields("Mail server", "imap.example.com")[:3],
        _field("folder", "Folder", Line(300), "INBOX by default"),
    ),
    _field("password", "Password", Secret()),
    {"imap_url": (*_SERVER, "folder")},
    _mailbox_of_variables,
    "No mailbox is set up",
    "user",
    ("host", "user"),
    lambda values: {"folder": "INBOX", **_filled_server(values, values.get("user", ""), sends=False)},
    _check_mailbox,
)
SMS = Service(
    "sms",
    "SMS (Twilio)",
    _declared(
        "Token",
        _field("account", "Account", Line(60), "the account SID at Twilio (AC…)"),
        _field("sender", "Sender", Line(60), "the number, name or messaging service (MG…) that texts come from"),
    ),
    _field("token", "Token", Secret()),
    {"twilio_account": ("account",), "twilio_from": ("sender",), "twilio_token": ("token",)},
    lambda config: {
        "account": config.twilio_account,
        "sender": config.twilio_from,
        "token": bool(config.twilio_token),
    },
    "No SMS can be sent",
    "account",
    ("account",),
    lambda values: values,
    _check_sms,
)
SERVICES: Mapping[str, Service] = {service.name: service for service in (EMAIL, MAILBOX, SMS)}
