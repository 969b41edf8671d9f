"""Services: what is sold, at which price and tax."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from crm.commands.billing.tax import category_for
from crm.commands.context import CRM
from crm.commands.deletions import delete_record, deleted
from crm.commands.list_parameters import Limit, Offset, Sort, most
from crm.commands.registry import ONLY_ADMIN, About, FieldsOf, Takes, command
from crm.errors import FieldError, RefusedError
from crm.model import PERIODS, TAX_CATEGORIES, Service
from crm.model.fields import Choice, Line, Price, Prose, Rate, Unit
from crm.model.folding import fold
from crm.model.units import PIECE
from crm.repository import Query, Transaction

TheService = Annotated[Service, About("Service", "its name or number", positional=True)]
ServiceChanges = Annotated[Mapping[str, Any], FieldsOf(Service, Takes.CHANGES)]


@command("services add", title="Add a service", menu="services")
def add(
    crm: CRM,
    name: Annotated[str, Line(200), About("Name", positional=True)],
    price: Annotated[Decimal, Price(), About("Price", "of one unit, with up to four decimals")],
    unit: Annotated[str, Unit(), About("Unit", "hour, piece, month, or a code such as HUR; piece by default")] = PIECE,
    tax_rate: Annotated[
        Decimal | None, Rate(), About("Tax rate", "in percent; the rate in the settings by default")
    ] = None,
    tax_category: Annotated[str, Choice(TAX_CATEGORIES), About("Tax category", "follows the rate by default")] = "",
    gross: Annotated[bool, About("Price includes tax")] = False,
    period: Annotated[str, Choice(PERIODS), About("Period", "how often it is billed")] = "once",
    description: Annotated[str, Prose(2000), About("Description", "printed below the name on an invoice")] = "",
) -> Service:
    """Add a service: what you sell, its unit, its price and its tax rate."""
    rate = usual_rate(crm, tax_category) if tax_rate is None else tax_rate
    service = Service(
        name=name, description=description, unit=unit or PIECE, price=price, gross=gross,
        tax_category=category_for(tax_category, rate), tax_rate=rate, period=period or "once", active=True,
    )  # fmt: skip

    def change(tx: Transaction) -> Service:
        _refuse_name(tx, name)
        return tx.add(service)

    return crm.transact(change, f"added the service {name}")


def _refuse_name(tx: Transaction, name: str, but: int = 0) -> None:
    """Raise RefusedError where another service is called so."""
    others = (service for service in tx.find_all(Service, Query({"name": name})) if service.id != but)
    if other := next(others, None):
        retired = "" if other.active else f" It is retired. `services edit {other.id} --active` offers it again."
        raise RefusedError(f"There is already a service called {other.name}. Nothing was changed.{retired}")


def usual_rate(crm: CRM, category: str = "") -> Decimal:
    """The rate of the settings; nothing for a category that has none."""
    return Decimal(crm.settings["tax_rate"]) if category in ("", "S") else Decimal("0.00")


@command("services list", title="Services", menu="services", nothing="No services found.")
def list_all(
    crm: CRM,
    text: Annotated[str, Line(200), About("Text", "part of the name or the description")] = "",
    all_: Annotated[bool, About("All", "include retired services")] = False,
    sort: Sort = "",
    limit: Limit = 0,
    offset: Offset = 0,
) -> list[Service]:
    """List the services you offer, by name."""
    conditions = {} if all_ else {"active": True}
    with crm.read() as snapshot:
        if not text:
            return list(snapshot.find_all(Service, Query(conditions, sort=sort, limit=most(limit), offset=offset)))
        services = snapshot.find_all(Service, Query(conditions, sort=sort))
    fitting = [service for service in services if fold(text) in fold(f"{service.name} {service.description}")]
    return fitting[offset : offset + limit if limit else None]


@command("services show", title="Show a service")
def show(crm: CRM, service: TheService) -> Service:
    """Show a service."""
    return crm.get(Service, service.id)


@command("services edit", title="Edit a service")
def edit(crm: CRM, service: TheService, changes: ServiceChanges) -> Service:
    """Change a service; its other fields and the invoices that use it stay as they are.

    `--active` brings back a retired service.
    """
    if not changes:
        raise FieldError("name at least one field to change")

    def change(tx: Transaction) -> Service:
        current = tx.get(Service, service.id)
        values = dict(changes)
        _refuse_name(tx, values.get("name", current.name), current.id)
        for name, usual in (("unit", PIECE), ("period", "once")):
            if name in values:
                values[name] = values[name] or usual
        if "tax_rate" in values or "tax_category" in values:
            rate = values.get("tax_rate", current.tax_rate)
            if values.get("tax_category") not in (None, "", "S"):
                rate = values.setdefault("tax_rate", Decimal("0.00"))
            known = current.tax_category if bool(rate) == bool(current.tax_rate) else ""
            values["tax_category"] = category_for(values.get("tax_category", known), rate)
        return tx.change(service, **values)

    return crm.transact(change, f"edited the service {service.name}")


@command("services retire", title="Retire a service")
def retire(crm: CRM, service: TheService) -> Service:
    """Retire a service: it is no longer offered, and stays on the invoices that have it."""
    return crm.transact(
        lambda tx: tx.change(tx.get(Service, service.id), active=False), f"retired the service {service.name}"
    )


@command("services delete", title="Delete a service", roles=ONLY_ADMIN, as_text=deleted)
def delete(crm: CRM, service: TheService, yes: bool = False) -> Service:
    """Delete a service that is on no invoice. One that is on an invoice can be retired.

    `services retire` retires it.
    """
    return delete_record(crm, service, f"the service {service.name}", yes=yes)
