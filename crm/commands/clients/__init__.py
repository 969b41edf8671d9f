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
    "rules": Menu("Status rules", 2, under="data", page=("rules list", "rules add")),
}
GROUPS = {
    "clients": "Clients: added, found, shown, edited, tagged, merged, pinned and deleted.",
    "views": "Saved lists of clients.",
    "contacts": "Contacts: the people at a client.",
    "rules": "Status rules: changed, previewed, applied and explained.",
}
MODULES = {
    "clients": Module("clients", menu="clients"),
    "bulk": Module("clients", menu="clients"),
    "saved_views": Module("views", menu="clients"),
    "contacts": Module("contacts", menu="clients"),
    "rules": Module("rules", menu="rules"),
}
