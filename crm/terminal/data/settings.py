"""Looking after the store at the menu: the sample data, and the settings."""

from typing import Any

from crm.commands.data.settings import SettingShown
from crm.commands.registry import named
from crm.config import TEAM
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session


@flow("demo")
def demo(session: Session, **_: Any) -> None:
    """The sample data, on which the menu goes on."""
    from crm.terminal.data.welcome import try_sample

    if session.real is not None:
        session.say("This is the sample data already.")
        return
    try_sample(session)


@flow("settings list")
@flow("settings set")
def settings(session: Session, **_: Any) -> None:
    """The settings by number, each with its value to change."""
    while True:
        session.page("Settings")
        shown: list[SettingShown] = named("settings list")(session.crm)
        wide = max(len(setting.label) for setting in shown)
        entries = [Choice(f"{setting.label:<{wide}}  {setting.value or '-'}", setting) for setting in shown]
        chosen = session.keyboard.choose("", entries)
        session.attempt(lambda: _set(session, chosen))  # noqa: B023


def _set(session: Session, setting: SettingShown) -> None:
    if not session.offers(named("settings set")):
        session.say("Only an admin changes the settings.")
        return
    option = next(option for option in TEAM if option.name == setting.key)
    session.page("Settings", setting.label)
    value = session.prompts.value(
        setting.label, option.check, help=setting.description, typed=setting.value, default=option.check.empty
    )
    session.tell(session.call("settings set", key=setting.key, value=str(value)))
