"""The terminals in the browser: a menu in a process of its own for each sign-in, and the pages that show it."""

from crm.web.terminals.downloads import Download
from crm.web.terminals.registry import OpenMenu, Terminals

__all__ = ["Download", "OpenMenu", "Terminals"]
