"""The terminals in the browser: a menu in a process of its own for each sign-in, and the pages that show it."""

from crm.web.terminals.downloads import Offer
from crm.web.terminals.registry import OpenMenu, Terminals

__all__ = ["Offer", "OpenMenu", "Terminals"]
