"""Commands: services, and what is billed."""

from typing import Any

from crm.commands.subject import Menu, Module


def _figures(crm: Any) -> Any:
    from crm.commands.billing.figures import this_month

    return this_month(crm)


PLACE = 9
MENUS = {
    "billing": Menu("Billing", 7, hint="Invoices, payments, and who owes you money", figures=_figures),
    "invoices": Menu(
        "Invoices", 1, hint="Drafts, issued, overdue and paid", under="billing", page=("invoices list", "invoices add")
    ),
    "payments": Menu(
        "Payments", 2, hint="Payments and refunds", under="billing", page=("payments list", "payments add")
    ),
    "unpaid": Menu("Unpaid", 3, hint="Who owes what, and reminders", under="billing", page=("unpaid list",)),
    "billing settings": Menu(
        "Numbers", 7, hint="How invoices are numbered", under="billing", page=("numbers show", "numbers set")
    ),
    "reminder levels": Menu(
        "Reminder levels",
        8,
        hint="When to remind, and the fee",
        under="billing",
        page=("reminders levels list", "reminders levels set"),
    ),
    "services": Menu(
        "Services", 5, hint="What you sell, with prices", under="billing", page=("services list", "services add")
    ),
}
GROUPS = {
    "invoices": "Draft, issue, credit and list invoices.",
    "invoices lines": "The lines of a draft.",
    "invoices adjustments": "Discounts and charges on the whole of a draft.",
    "payments": "Record payments and refunds, and use credit.",
    "receipts": "Receipts for payments.",
    "unpaid": "Who owes what, and since when.",
    "statements": "The account of a client.",
    "reminders": "Remind clients of what is overdue.",
    "reminders levels": "When reminders are due, with which words, fee and interest.",
    "numbers": "The numbers of invoices.",
    "services": "What you sell, with its price and tax.",
}
MODULES = {
    "invoices": Module("invoices", menu="invoices", alone="invoices list"),
    "lines": Module("invoices"),
    "issuing": Module("invoices"),
    "files": Module("invoices", menu="invoices"),
    "payments": Module("payments", menu="payments"),
    "sending": Module("invoices receipts", menu="payments"),
    "unpaid": Module("unpaid statements", menu="unpaid"),
    "reminders": Module("reminders", menu="unpaid"),
    "reminder_levels": Module("reminders", menu="reminder levels"),
    "numbers": Module("numbers", menu="billing settings"),
    "announcing": Module("services", menu="services"),
    "services": Module("services", menu="services", alone="services list"),
}
