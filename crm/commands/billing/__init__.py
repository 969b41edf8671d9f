"""Commands: services, and what is billed."""

from crm.commands.subject import Menu, Module

PLACE = 9
MENUS = {
    "billing": Menu("Billing", 7),
    "services": Menu("Services", 5, under="billing", page=("services list", "services add")),
}
GROUPS = {
    "services": "What you sell, with its price and tax.",
}
MODULES = {
    "services": Module("services", menu="services"),
}
