"""Commands: sales, deals and the stages of the pipeline."""

from crm.commands.subject import Menu, Module

PLACE = 3
MENUS = {
    "sales": Menu("Sales", 3, page=("sales list", "sales add", "sales edit", "sales undo")),
    "deals": Menu("Deals", 4, page=("deals board",)),
}
GROUPS = {
    "sales": "Record, list, edit and remove sales.",
    "deals": "Deals in the pipeline, won and lost.",
    "stages": "The stages of the pipeline.",
}
MODULES = {
    "sales": Module("sales", menu="sales"),
    "board": Module("deals", menu="deals"),
    "deals": Module("deals"),
    "outcomes": Module("deals"),
    "stages": Module("stages", menu="deals"),
}
