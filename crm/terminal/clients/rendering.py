"""A client's card, and what a sale did to it, as commands return them."""

from crm.commands.clients.clients import ClientCard
from crm.commands.sales.sales import SaleReport
from crm.model import Conventions
from crm.terminal.drawing import cards
from crm.terminal.drawing.render import drawn
from crm.terminal.drawing.screen import Screen


@drawn.register
def _(result: ClientCard, screen: Screen, by: Conventions) -> None:
    cards.draw_card(screen, result, by)


@drawn.register
def _(result: SaleReport, screen: Screen, by: Conventions) -> None:
    cards.draw_sale(screen, result, by)
