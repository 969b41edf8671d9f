"""Commands: vehicles."""

from crm.commands.subject import Menu, Module

PLACE = 50
MENUS = {"vehicles": Menu("Vehicles", 50)}
GROUPS = {"vehicles": "Vehicles of clients."}
MODULES = {"vehicles": Module("vehicles", menu="vehicles")}
