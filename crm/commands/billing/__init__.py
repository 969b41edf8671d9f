"""Commands: services, and what is billed."""

from crm.commands.subject import Menu, Module

PLACE = 9
MENUS = {
    "billing": Menu("Billing", 7),
    "invoices": Menu("Invoices", 1, under="billing", page=("invoices list", "invoices add")),
    "billing settings": Menu("Numbers", 7, under="billing", page=("numbers show", "numbers set")),
    "services": Menu("Services", 5, under="billing", page=("services list", "services add")),
}
GROUPS = {
    "invoices": "Draft, issue, credit and list invoices.",
    "invoices lines": "The lines of a draft.",
    "invoices adjustments": "Discounts and charges on the whole of a draft.",
    "numbers": "The numbers of invoices.",
    "services": "What you sell, with its price and tax.",
}
MODULES = {
    "invoices": Module("invoices", menu="invoices"),
    "lines": Module("invoices"),
    "issuing": Module("invoices"),
    "numbers": Module("numbers", menu="billing settings"),
    "services": Module("services", menu="services"),
}
