"""Commands: what is seen first: today and the dashboard."""

from crm.commands.subject import Menu, Module

PLACE = 4
MENUS = {
    "today": Menu("Today", 1, page=("today",)),
}
GROUPS = {
    "dashboard": "Your own dashboard.",
}
MODULES = {
    "today": Module("today", menu="today"),
    "dashboard": Module("dashboard"),
}
