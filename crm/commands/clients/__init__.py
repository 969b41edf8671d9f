"""Commands: clients, their contacts, saved views and status rules."""

from crm.commands.subject import Menu, Module

PLACE = 1
MENUS = {
    "clients": Menu("Clients", 1),
    "rules": Menu("Status rules", 7),
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
