"""The settings of this computer for e-mail and SMS: what holds now and why, set up, tried, and removed.

What is the same for each service is declared once: the commands of `email`, `mailbox` and `sms` are made from SERVICES.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from crm.commands.context import CRM
from crm.commands.registry import ONLY_ADMIN, About, Fields, command
from crm.config import ENVIRONMENT
from crm.errors import CRMError, FieldError, ForbiddenError, OutwardError, UsageError
from crm.model import Conventions
from crm.model.fields import Line, Phone, Secret
from crm.model.paths import is_at_another_device
from crm.model.rights import ALL, STORE, UPDATE, level
from crm.outward.providers import advice_for
from crm.outward.servers import Server
from crm.outward.services import SERVICES, Service, Values

__all__ = ["SERVICES", "Service"]

_TOGETHER = (("port", "encryption"), ("encryption", "port"))
# What a test message says.
_TEST = "This is a test: {} set up."
_VARIABLES = {option.name: option.variable for option in ENVIRONMENT}


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting of a service, as it holds now: its value for people, of a secret no more than that there is one, and
    where it comes from: the name of a variable, 'this computer', or '' where there is none."""

    name: str
    label: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """A service: whether it can be used, line by line what holds, `problem` what is wrong with it in a sentence, and
    `advice` about the passwords of its provider. `saved` says whether anything is saved on this computer."""

    service: str
    title: str
    is_set_up: bool
    saved: bool
    lines: Sequence[SettingLine]
    problem: str = ""
    advice: str = ""

    @property
    def summary(self) -> str:
        """All of it in one line."""
        if self.problem:
            return "does not work: open it to see why"
        if not self.is_set_up:
            return ""
        values = {line.name: line.value for line in self.lines if line.value}
        whose = values.get("sender") or values.get("user", "")
        host = values.get("host", "")
        sources = {line.source for line in self.lines if line.source not in ("", "this computer")}
        from_variables = f" (from {', '.join(sorted(sources))})" if sources else ""
        return f"{', '.join(filter(None, (whose, host)))}{from_variables}"


@dataclass(frozen=True, slots=True)
class ServiceTried:
    """A service that works: the user it signed in as, and the recipient of a test, '' for none."""

    service: str
    title: str
    server: str
    user: str
    sent_to: str = ""


@dataclass(frozen=True, slots=True)
class ServiceRemoved:
    """The settings of a service that were removed from this computer, where there were any."""

    service: str
    title: str
    was_saved: bool
    variables: Sequence[str]


def current(crm: CRM, service: Service) -> ServiceStatus:
    """A service as it is set up now."""
    config, by = crm.config, Conventions()
    saved: Values = {}
    above: Values = {}
    problem = ""
    try:
        saved = crm.outward.saved().values(service)
        above = service.of_variables(config)
        is_set_up = _transport(crm, service) is not None
    except CRMError as error:
        problem, is_set_up = error.sentence, False
    lines = []
    for field in (*service.fields.values(), service.secret):
        variable = service.variable_of(field.name, config)
        if field.name == service.secret.name:
            has_one = above.get(field.name, False) if variable else bool(saved.get("keep"))
            text = "(set)" if has_one else ""
        elif field.name == "keep" and service.variable_of(service.secret.name, config):
            # Where the secret comes from a variable, the one that is kept on this computer is not used.
            text = ""
        else:
            value = (above if variable else saved).get(field.name)
            text = field.check.show(value, by) if value else ""
        source = _VARIABLES[variable] if variable else "this computer" if text else ""
        lines.append(SettingLine(field.name, field.label, text, source))
    host = {**saved, **{name: value for name, value in above.items() if value}}.get("host", "")
    advice = advice_for(Server(host, 0, "")) if host else ""
    return ServiceStatus(service.name, service.title, is_set_up, bool(saved) or bool(problem), lines, problem, advice)


def advice_about(service: Service, values: Values) -> str:
    """The advice about the passwords of the provider that values lead to, as a sentence; '' where nothing is."""
    host = service.fill(values).get("host", "")
    return advice_for(Server(host, 0, "")) if host else ""


def saved_values(crm: CRM, service: Service) -> Values:
    """The settings of a service that are saved on this computer, but for the secret. Raises FileError."""
    refuse_others(crm)
    return crm.outward.saved().values(service)


def refuse_others(crm: CRM) -> None:
    """Raise ForbiddenError for a user who may not change the settings of this computer, or is at another device."""
    if is_at_another_device():
        raise ForbiddenError(
            "These settings belong to the computer that the program runs on, and can only be changed there."
            " Nothing was changed."
        )
    if level(crm.reader.role, STORE, UPDATE) is not ALL:
        raise ForbiddenError("Only an admin can use the settings of this computer. Nothing was changed.")
    # Somebody who is still signed in.
    with crm.read():
        pass


def save(crm: CRM, service: Service, values: Values, secret: str) -> ServiceStatus:
    """Save the settings of a service: `values` are those that change. Raises FieldError, for the secret too where one
    is needed."""
    refuse_others(crm)
    store = crm.outward.saved()
    saved = store.values(service)
    saved_in = saved.get("keep", "")
    # What followed from another address follows it no more.
    if (address := values.get(service.address)) and address != saved.get(service.address):
        followed = service.fill({service.address: saved.get(service.address, "")})
        saved = {name: value for name, value in saved.items() if followed.get(name) != value}
    # A port goes with an encryption.
    without = {other for one, other in _TOGETHER if one in values and other not in values}
    saved = {name: value for name, value in saved.items() if name not in without}
    whole = service.fill({**saved, **values})
    service.check(whole, crm.config)
    keep = values.get("keep", "")
    if not secret and service.needs_secret(whole):
        secret = _kept(crm, service, whole) if values else ""
        if not secret:
            raise FieldError("is needed", field="secret", label=service.secret.label)
        keep = keep or saved_in
    store.save(service, whole, secret, keep)
    return current(crm, service)


def _kept(crm: CRM, service: Service, values: Values) -> str:
    """The secret that is kept, if it is for these values too: it goes to nobody but whom it was typed for."""
    store = crm.outward.saved()
    before = store.values(service)
    if not before or any(before.get(name) != values.get(name) for name in service.identity):
        return ""
    # Where the keyring does not give it, it is asked for again.
    with suppress(OutwardError):
        return store.secret(service)
    return ""


def _transport(crm: CRM, service: Service) -> Any:
    """The way of a service, None where it is not set up."""
    outward = crm.outward
    ways: Mapping[str, Callable[[], Any]] = {
        "email": outward.mailer, "mailbox": outward.mailbox, "sms": outward.texter,
    }  # fmt: skip
    return ways[service.name]()


def tried(crm: CRM, service: Service, to: str = "") -> ServiceTried:
    """Connect to a service and sign in, and send a test `to` somebody if asked; 'me' is the sender. Raises
    OutwardError and UsageError."""
    refuse_others(crm)
    transport = _transport(crm, service)
    if transport is None:
        raise UsageError(service.not_set_up)
    if to and service.name == "sms":
        to = Phone().read(to, crm.conventions)
        transport.send(to, _TEST.format("text messages are"))
    elif to:
        # It says sooner than sending does where a server does not answer.
        transport.check()
        to = transport.sender.address if to == "me" else to
        transport.send(to, "Test", _TEST.format("e-mail is"))
    else:
        _check(crm, service, transport)
    values = {line.name: line.value for line in current(crm, service).lines}
    user = values.get("user") or values.get("account", "")
    return ServiceTried(service.name, service.title, values.get("host") or "Twilio", user, to)


def _check(crm: CRM, service: Service, transport: Any) -> None:
    """Connect and sign in. Raises OutwardError."""
    match service.name:
        case "email":
            transport.check()
        case "mailbox":
            transport.end()
        case _:
            transport.answers(crm.today)


def removed(crm: CRM, service: Service) -> ServiceRemoved:
    """Remove what is saved of a service."""
    refuse_others(crm)
    was_saved = crm.outward.saved().forget(service)
    names = [_VARIABLES[name] for name in service.variables if getattr(crm.config, name)]
    return ServiceRemoved(service.name, service.title, was_saved, names)


def _declare(service: Service) -> None:
    """Register the commands of a service."""
    title, secret = service.title, service.secret.label.lower()
    # SMS stays in capitals.
    called = title if title[:2].isupper() else title.lower()

    def registered(name: str, words: str, documentation: str, function: Callable[..., Any]) -> None:
        function.__doc__ = documentation
        command(f"{service.name} {name}", title=f"{title}: {words}", roles=ONLY_ADMIN, here=True)(function)

    def setup(
        crm: CRM,
        values: Annotated[Mapping[str, Any], Fields(service.fields)],
        secret: Annotated[str, Secret(), About(service.secret.label)] = "",
    ) -> ServiceStatus:
        return save(crm, service, values, secret)

    def status(crm: CRM) -> ServiceStatus:
        refuse_others(crm)
        return current(crm, service)

    def test(
        crm: CRM,
        to: Annotated[
            str, Line(300), About("To", "where to send a test message, `me` for the sender; none by default")
        ] = "",
    ) -> ServiceTried:
        return tried(crm, service, to)

    def test_reading(crm: CRM) -> ServiceTried:
        return tried(crm, service)

    def forget(crm: CRM) -> ServiceRemoved:
        return removed(crm, service)

    registered(
        "setup", "set up",
        f"Save the settings for {called} on this computer. Options you leave out keep their values.\n\n"
        f"The {secret} is asked for, or read as a line of the input, and is never an option. It is kept in the system's"
        " keyring if one works, else in a file that only you can read. Environment variables override it.",
        setup,
    )  # fmt: skip
    registered("status", "settings", f"Show the settings for {called}, and where each comes from.", status)
    registered(
        "test", "test it",
        f"Test the settings for {called}: connect and sign in.",
        test_reading if service.name == "mailbox" else test,
    )  # fmt: skip
    registered("forget", "remove", f"Remove the settings for {called} from this computer.", forget)


for _service in SERVICES.values():
    _declare(_service)
