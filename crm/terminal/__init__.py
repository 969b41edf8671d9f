"""The terminal: the only place that prints or reads. Menus, forms made from signatures, and renderers."""

from crm import commands

# Commands stand in the menus in the order of their registration; modules here import some of them singly.
commands.load()
