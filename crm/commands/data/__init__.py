"""Commands: the store and its data: import, export, history, backups, spreadsheets, settings."""

from crm.commands.subject import Menu, Module

PLACE = 7
MENUS = {
    "data": Menu("Data", 10),
    "settings": Menu("Settings", 11),
}
GROUPS = {
    "history": "What was done, and taking it back.",
    "sheets": "The store in a Google spreadsheet: connected, set up, and left again.",
    "settings": "The team's settings.",
}
MODULES = {
    "importing": Module("import", menu="data"),
    "exporting": Module("export", menu="data"),
    "history": Module("history", menu="data"),
    "store": Module("check backup restore", menu="data"),
    "copying": Module("copy", menu="data"),
    "spreadsheets": Module("sheets", menu="data"),
    "demo": Module("demo", menu="data"),
    "settings": Module("settings", menu="settings"),
}
