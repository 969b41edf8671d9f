"""Settings at the menu, in a real terminal."""

from collections.abc import Callable
from typing import Any

from crm.commands.context import CRM
from crm.commands.registry import named

Start = Callable[..., Any]


def test_settings_that_another_program_changed_are_seen_when_they_are_opened_anew(start: Start, crm: CRM) -> None:
    named("settings set")(crm, "company_name", "First Name Ltd")
    session = start().choose("Data").choose("Settings").sees("First Name Ltd").press("esc").sees("Export to a file")
    named("settings set")(crm, "company_name", "Second Name Ltd")
    session.choose("Settings").sees("Second Name Ltd").lacks("First Name Ltd")
