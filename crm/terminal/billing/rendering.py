"""Services on screen: in a list, and one whole."""

from collections.abc import Sequence

from rich.text import Text

from crm.model import PERIODS, TAX_CATEGORIES, Conventions, Service
from crm.model.fields import Rate, Unit
from crm.terminal.drawing import tables
from crm.terminal.drawing.render import renderer
from crm.terminal.drawing.screen import Screen, clean, data


def unit_of(code: str, by: Conventions) -> str:
    """A unit by its word."""
    return Unit().show(code, by)


def tax_of(category: str, rate: object, by: Conventions) -> str:
    """The tax of a line in words: 19 %, exempt."""
    return Rate().show(rate, by) if category == "S" else TAX_CATEGORIES.get(category, category)


def _price(service: Service, by: Conventions) -> str:
    return f"{by.money(service.price)}{' incl. tax' if service.gross else ''}"


def _name(service: Service) -> Text:
    return data(service.name, "bold").append("" if service.active else "  retired", "muted")


SERVICES: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.id, "muted"), 5, right=True),
    tables.Column("Service", lambda row, _: _name(row), 0, 12),
    tables.Column("Price", lambda row, by: data(_price(row, by)), 1, right=True),
    tables.Column("Unit", lambda row, by: data(unit_of(row.unit, by)), 2, 5),
    tables.Column("Tax", lambda row, by: data(tax_of(row.tax_category, row.tax_rate, by)), 3, 6, right=True),
    tables.Column("Period", lambda row, _: data("" if row.period == "once" else PERIODS.get(row.period, "")), 4, 6),
)
tables.COLUMNS |= {"crm.model.billing.Service": SERVICES}


@renderer(Service)
def draw_service(result: Service, screen: Screen, by: Conventions) -> None:
    """A service whole."""
    screen.print(_name(result).append(f"  no. {result.id}", "muted"))
    price = Text(_price(result, by), "bold").append(f" per {unit_of(result.unit, by)}", "default")
    if result.period not in ("", "once"):
        price.append(f", {PERIODS[result.period]}", "default")
    screen.print(price)
    screen.print(Text("Tax ", "muted").append(clean(tax_of(result.tax_category, result.tax_rate, by)), "default"))
    if result.description:
        screen.print(data(result.description, "note", lines=True))
