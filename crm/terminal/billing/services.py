"""Services at the menu: the list of them, and one with what can be done with it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from rich.text import Text

from crm.commands.billing.announcing import recipients
from crm.commands.billing.services import usual_rate
from crm.commands.billing.tax import category_for
from crm.commands.client_selection import asked_for
from crm.commands.mail.outbox import refuse_unsendable
from crm.commands.mail.outbox.sending import unsendable
from crm.commands.mail.templates import of_channel
from crm.commands.registry import named
from crm.model import CHANNELS, TAXED_CATEGORIES, Field, Service
from crm.model.units import PIECE
from crm.terminal.billing.rendering import SERVICES
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.forms import RecordForm, form_order
from crm.terminal.toolkit.group_picking import members_of, pick_recipients
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import flow, record_flow
from crm.terminal.toolkit.record_actions import deletes, edits
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import in_steps


@list_page
class ServicesPage(ListPage):
    """The services by name."""

    title = "Services"
    purpose = "A service is what you sell, with its price and tax. A line of an invoice starts with these."
    lettered: Mapping[str, letters.Letter] = {"services edit": letters.EDIT}
    command = "services list"
    columns = SERVICES[1:]
    is_by_name = True
    sorts: Mapping[str, str] = {"Name": "name", "Price": "price"}
    filter_by: Mapping[str, str] = {"text": "Text", "all_": "Include retired services"}
    left_out = ("all_", "retired")

    def keys(self) -> Sequence[Choice]:
        add = letters.NEW(self.starts("services add"), "service")
        return [add, self.filter_key()]


class ServiceForm(RecordForm):
    """A service: what most have, and what is left as it is proposed."""

    asked_first: ClassVar[Sequence[str]] = ("name", "price", "unit")

    def fields(self) -> Sequence[Field]:
        known = {field.name: field for field in form_order(Service)}
        return [known[name] for name in dict.fromkeys((*self.asked_first, "tax_rate", "gross", *known))]

    def ask(self, field: Field, *, required: bool = False) -> None:
        super().ask(field, required=required or field.name in ("name", "price", "tax_rate"))


class _NewService(ServiceForm):
    """A service that is new: it has the team's usual tax, and a rate and its category go together."""

    def fields(self) -> Sequence[Field]:
        return [field for field in super().fields() if field.name != "active"]

    def ask(self, field: Field, *, required: bool = False) -> None:
        super().ask(field, required=required)
        rate, category = self.value("tax_rate"), self.value("tax_category")
        if field.name == "tax_rate" and bool(rate) != (category in TAXED_CATEGORIES):
            self.changes["tax_category"] = category_for("", rate)
        elif field.name == "tax_category" and category not in TAXED_CATEGORIES:
            self.changes["tax_rate"] = Decimal("0.00")
        elif field.name == "tax_category" and not rate:
            self.changes["tax_rate"] = usual_rate(self.session.crm, "S")


@flow("services add")
def add(session: Session, **_: Any) -> None:
    """The name, the price and the unit; then save or change what is proposed."""
    rate = usual_rate(session.crm)
    usual = {"unit": PIECE, "tax_rate": rate, "tax_category": category_for("", rate), "period": "once"}
    form = _NewService(session, Service, {}, usual)
    crumbs = ("Services", named("services add").title)

    def fill() -> Any:
        return form.fill([*crumbs, form.value("name")], lambda: session.call("services add", **form.changes))

    added: Service = in_steps(session, [*form.steps(form.asked_first, *crumbs), fill], form.is_written)
    session.done(f"Added {added.name}.")
    session.tell(added)


@record_page(Service)
class ServicePage(RecordPage[Service, Service]):
    """A service, and what can be done with it."""

    command = "services show"
    lettered: Mapping[str, letters.Letter] = {"services edit": letters.EDIT}

    def entries(self) -> Sequence[Choice]:
        may_delete = self.session.offers(named("services delete"))
        return [
            Choice("Edit", self.starts("services edit")),
            *([Choice("Announce it to clients", self.starts("services announce"))] if self.card.active else []),
            Choice("Retire: stop offering it", self.starts("services retire"))
            if self.card.active
            else Choice("Offer it again", lambda: _offer(self.session, self.card)),
            *([Choice("Delete", self.starts("services delete"))] if may_delete else []),
        ]


edits("services edit", ServiceForm, lambda service: service.name,
      lambda session, _, service: session.done(f"Saved {service.name}."))  # fmt: skip
deletes(ServicePage, "services delete")


@record_flow("services retire")
def retire(session: Session, service: Service) -> None:
    """A service that is offered no more."""
    session.call("services retire", service=service)
    session.done(f"{service.name} is no longer offered. Press u to undo.")


def _offer(session: Session, service: Service) -> None:
    session.call("services edit", service=service, changes={"active": True})
    session.done(f"{service.name} is offered again.")


@record_flow("services announce")
def announce(session: Session, service: Service) -> None:
    """The announcement of a service: channel, recipients and text; then a preview."""
    crumbs = ("Services", service.name, "Announce")
    able = [channel for channel in CHANNELS if not unsendable(session.crm, channel)]
    if not able:
        refuse_unsendable(session.crm)
    session.page(*crumbs)
    ways = [Choice(f"By {CHANNELS[channel]}", channel) for channel in able]
    channel = session.keyboard.choose("How?", ways) if len(ways) > 1 else able[0]
    group, counted = pick_recipients(
        session, crumbs, lambda some: recipients(session.crm, service, channel, asked_for(**members_of(some)))
    )
    session.page(*crumbs)
    session.screen.print(Text(counted, "muted"))
    session.screen.print()
    with session.crm.read() as snapshot:
        templates = of_channel(snapshot, channel)
    entries = [Choice("Its name, price and description", {}), Choice("Write a text", None)]
    entries += [Choice(f"Template {template.name}", {"template": template}) for template in templates]
    words = session.keyboard.choose("Which text?", entries)
    if words is None:
        asked = named("services announce").parameters
        words = {
            name: session.prompts.value(asked[name].label, asked[name].value_check, required=True)
            for name in (("subject", "text") if channel == "email" else ("text",))
        }
    session.page(*crumbs)
    session.tell(session.call("services announce", service=service, by=channel, **group, **words))
