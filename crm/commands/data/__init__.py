"""Commands: the store and its data: import, export, history, backups, spreadsheets, settings."""

from crm.commands.subject import Menu, Module

PLACE = 7
MENUS = {
    "data": Menu("Data & settings", 9, hint="Import and export, settings, backups, and the people who use the program"),
    "history": Menu(
        "History",
        1,
        hint="Who changed what, and when; undo",
        under="data",
        page=("history list", "history undo", "history export"),
    ),
    "settings": Menu(
        "Settings", 3, hint="Company, money, dates, e-mail", under="data", page=("settings list", "settings set")
    ),
    "backups": Menu("Backups and copies", 4, hint="Back up, restore, check, copy", under="data"),
    "sheets": Menu("Google spreadsheet", 5, hint="Keep your data in a spreadsheet", under="data"),
}
GROUPS = {
    "history": "Show what was changed, and undo it.",
    "sheets": "Set up, connect or leave a Google spreadsheet.",
    "settings": "The team's settings.",
}
MODULES = {
    "importing": Module("import", menu="data"),
    "exporting": Module("export", menu="data"),
    "history": Module("history", menu="history"),
    "store": Module("check backup restore", menu="backups"),
    "copying": Module("copy", menu="backups"),
    "spreadsheets": Module("sheets", menu="sheets"),
    "sheet_repair": Module("sheets", menu="backups"),
    "demo": Module("demo", menu="backups"),
    "settings": Module("settings", menu="settings"),
}
