"""The settings of this computer for e-mail and SMS at the menu: looked at, set up, tried with one key, and removed."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from rich.text import Text

from crm.commands.mail.services import SERVICES, Service, ServiceStatus, advice_about, current, saved_values
from crm.commands.registry import named
from crm.errors import CRMError
from crm.model import Field, Record
from crm.model.fields import Choice as OneOf
from crm.model.fields import Line, Phone, Secret
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.mail.rendering import draw_service
from crm.terminal.toolkit.forms import RecordForm
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import in_steps


class ServiceForm(RecordForm):
    """The settings of a service on their way. What follows from an address is filled in; a secret is never shown."""

    def __init__(self, session: Session, service: Service) -> None:
        super().__init__(session, Record, saved_values(session.crm, service), {})
        self.service = service

    def fields(self) -> Sequence[Field]:
        *fields, keep = self.service.fields.values()
        return [*fields, self.service.secret, keep]

    def is_written(self) -> bool:
        return any(not isinstance(field.check, OneOf) and self.changes.get(field.name) for field in self.fields())

    def value(self, name: str) -> Any:
        if name == self.service.secret.name:
            return self.changes.get(name) or self.original.get("keep")
        return super().value(name)

    def ask(self, field: Field, *, required: bool = False) -> None:
        if isinstance(field.check, Secret):
            keeps = "; Enter keeps the saved one" if self.value(field.name) else ""
            help = f"of this account; hidden as you type{keeps}"
            typed = self.session.prompts.value(field.label, field.check, help=help, required=required, default="")
            self.changes |= {field.name: typed} if typed else {}
            return
        before = self.service.fill(self._values())
        super().ask(field, required=required)
        if field.name == self.service.address and self.value(field.name) != before.get(field.name):
            followed = self.service.fill({field.name: before.get(field.name, "")})
            kept = {name: value for name, value in self._values().items() if followed.get(name) != value}
            self.changes |= self.service.fill({**kept, field.name: self.value(field.name)})

    def _values(self) -> dict[str, Any]:
        """The values in the form, but for the secret."""
        known = {**self.original, **self.changes}
        return {name: value for name, value in known.items() if name in self.service.fields and value != ""}

    def page(self, *crumbs: str) -> None:
        """Start a page with what is special about the passwords of the provider."""
        self.session.page(*crumbs)
        if advice := advice_about(self.service, self._values()):
            self.session.screen.explain(advice, "warning")
            self.session.screen.print()


def service_page(session: Session, service: Service) -> None:
    """A service as it is set up, and all that can be done about it. Raises Back."""
    status = current(session.crm, service)

    def above() -> None:
        nonlocal status
        status = current(session.crm, service)
        draw_service(status, session.screen)
        session.screen.print()

    session.menu(["Settings", service.title], lambda: _entries(session, service, status), above=above)


def set_up_first(session: Session, name: str) -> None:
    """Offer to set a service up where that was not done yet. Raises Back where it is not set up then, or does not
    work."""
    service = SERVICES[name]
    status = current(session.crm, service)
    if status.is_set_up or status.problem or not session.offers(named(f"{name} setup")):
        # Whatever is wrong is said by what is to be done with it.
        return
    session.page("Settings", service.title)
    session.screen.print(Text(service.not_set_up))
    session.screen.print()
    session.confirm("", "Set up now")
    if not _set_up(session, service):
        raise Back


def _entries(session: Session, service: Service, status: ServiceStatus) -> list[Choice]:
    words = "Edit" if status.saved else "Set up on this computer"
    entries = [Choice(words, partial(_set_up, session, service))]
    if status.is_set_up:
        entries.append(Choice("Test the connection", partial(_try, session, service, "")))
        if service.name == "email":
            entries.append(Choice("Send a test e-mail", partial(_send_test, session, service)))
        elif service.name == "sms":
            entries.append(Choice("Send a test SMS", partial(_send_test, session, service)))
    if status.saved:
        entries.append(Choice("Remove from this computer", partial(_remove, session, service)))
    return entries


def _set_up(session: Session, service: Service) -> bool:
    """Ask for the settings and save them; whether they work. Raises Back."""
    form = ServiceForm(session, service)
    crumbs = "Settings", service.title

    def asks(field: Field) -> None:
        form.page(*crumbs)
        form.ask(field, required=True)

    def fill() -> Any:
        return form.fill(crumbs, partial(_save, session, form), saves="Save and test it")

    new = not form.original
    first = [partial(asks, field) for field in (service.fields[service.address], service.secret)] if new else []
    return bool(in_steps(session, [*first, fill], form.is_written if new else lambda: False))


def _save(session: Session, form: ServiceForm) -> bool:
    """Save what is in a form, and try it; whether it works."""
    service = form.service
    secret = form.changes.get(service.secret.name, "")
    values = {name: value for name, value in form.changes.items() if name != service.secret.name}
    # Something is always meant: who changes nothing tries what is there.
    values.setdefault(service.address, form.value(service.address) or "")
    status: ServiceStatus = session.call(f"{service.name} setup", values=values, secret=secret)
    sources = dict.fromkeys(line.source for line in status.lines if line.source not in ("", "this computer"))
    if sources:
        session.say(f"Saved, but {' and '.join(sources)} in the environment takes precedence.", "warning")
    else:
        session.done("Saved on this computer.")
    try:
        _try(session, service, "")
    except CRMError as error:
        session.fail(error)
        return False
    return True


def _try(session: Session, service: Service, to: str) -> None:
    session.screen.print(Text("Testing it…", "muted"))
    session.tell(session.call(f"{service.name} test", **({"to": to} if to else {})))


def _send_test(session: Session, service: Service) -> None:
    session.page("Settings", service.title)
    if service.name == "sms":
        to = session.prompts.value("To", Phone(), required=True)
    else:
        to = session.prompts.value("To", Line(300), typed=_own_address(session), required=True)
    _try(session, service, to)


def _own_address(session: Session) -> str:
    mailer = session.crm.outward.mailer()
    return mailer.sender.address if mailer else ""


def _remove(session: Session, service: Service) -> None:
    secret = service.secret.label.lower()
    session.confirm(f"The settings and the {secret} are removed from this computer.", "Remove them", destructive=True)
    session.tell(session.call(f"{service.name} forget"))


def _leads(service: Service) -> None:
    for words in ("setup", "status", "test", "forget"):

        @flow(f"{service.name} {words}")
        def page(session: Session, **_: Any) -> None:
            service_page(session, service)


for _service in SERVICES.values():
    _leads(_service)
