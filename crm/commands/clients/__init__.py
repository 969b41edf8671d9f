"""Commands: clients, their contacts, saved views and status rules."""

from crm.commands.subject import Menu, Module

PLACE = 1
MENUS = {
    "clients": Menu(
        "Clients",
        2,
        page=(
            "clients list",
            "clients add",
            "clients search",
            "clients tag",
            "clients edit-many",
            "clients delete-many",
            "interactions add",
            "views list",
            "views save",
        ),
    ),
    "rules": Menu(
        "Status rules", 2, hint="What makes a client VIP or at risk", under="data", page=("rules list", "rules add")
    ),
}
GROUPS = {
    "clients": "Add, find, show, edit, tag, merge, pin and delete clients.",
    "views": "Saved lists of clients.",
    "contacts": "The people at a client.",
    "rules": "Change, preview, apply and explain status rules.",
}
MODULES = {
    "clients": Module("clients", menu="clients"),
    "bulk": Module("clients", menu="clients"),
    "saved_views": Module("views", menu="clients"),
    "contacts": Module("contacts", menu="clients"),
    "rules": Module("rules", menu="rules"),
}
