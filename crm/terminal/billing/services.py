"""Services at the menu: the list of them, and one with what can be done with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.registry import named
from crm.model import Field, Service
from crm.terminal.billing.rendering import SERVICES, draw_service
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit import letters, record_actions
from crm.terminal.toolkit.forms import RecordForm, fill_changes, form_order
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import flow, page, says_done
from crm.terminal.toolkit.session import Session

says_done("services add", lambda service: f"Added {service.name}.")


@list_page
class ServicesPage(ListPage):
    """The services by name."""

    title = "Services"
    command = "services list"
    columns = SERVICES[1:]
    sorts: Mapping[str, str] = {"Name": "name", "Price": "price"}
    filter_by: Mapping[str, str] = {"text": "Words", "all_": "Retired ones too"}

    def keys(self) -> Sequence[Choice]:
        add = letters.NEW(lambda: self.session.start(named("services add")), "service")
        return [add, self.filter_key()]

    def open(self, row: Any) -> None:
        service_page(self.session, row)


class ServiceForm(RecordForm):
    """A service that is changed."""

    def fields(self) -> Sequence[Field]:
        return form_order(Service)

    def ask(self, field: Field, *, required: bool = False) -> None:
        super().ask(field, required=required or field.name in ("name", "price", "tax_rate"))


@page(Service, "services show")
def service_page(session: Session, service: Service) -> None:
    """A service whole, and what can be done with it, until the person goes back."""
    seen: dict[str, Service] = {}

    def crumbs() -> list[str]:
        seen["record"] = named("services show")(session.crm, service)
        return ["Services", seen["record"].name]

    def above() -> None:
        draw_service(seen["record"], session.screen, session.crm.conventions)
        session.screen.print()

    def entries() -> list[Choice]:
        record = seen["record"]
        other = (
            Choice("Retire: offer it no more", lambda: retire(session, record))
            if record.active
            else Choice("Offer it again", lambda: _offer(session, record))
        )
        erase = [Choice("Delete", lambda: delete(session, record))] if session.offers(named("services delete")) else []
        return [Choice("Edit", lambda: edit(session, record)), other, *erase]

    session.menu(crumbs, entries, above=above, keys=[letters.EDIT(lambda: edit(session, seen["record"]))])


@flow("services edit")
def edit(session: Session, service: Service | None = None, **_: Any) -> None:
    """The fields by number with the old values to change; a clash with somebody else's change is settled."""
    service = record_actions.chosen(session, "services edit", service)
    saving = record_actions.saving(session, "services edit")
    if saved := fill_changes(session, ServiceForm, service, lambda record: record.name, saving):
        session.done(f"Saved {saved[1].name}.")


@flow("services retire")
def retire(session: Session, service: Service | None = None, **_: Any) -> None:
    """A service that is offered no more."""
    service = record_actions.chosen(session, "services retire", service)
    session.call("services retire", service=service)
    session.done(f"{service.name} is offered no more. Press u to take it back.")


def _offer(session: Session, service: Service) -> None:
    session.call("services edit", service=service, changes={"active": True})
    session.done(f"{service.name} is offered again.")


@flow("services delete")
def delete(session: Session, service: Service | None = None, **_: Any) -> None:
    """A service from the list, deleted."""
    record_actions.delete(session, "services delete", service)
