"""The team's settings, kept with the data."""

from dataclasses import dataclass
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.config import TEAM, check_team_setting
from crm.errors import NotFoundError
from crm.model import Setting
from crm.model.fields import Choice, Line
from crm.repository import Query, Transaction


@dataclass(frozen=True, slots=True)
class SettingShown:
    """A setting, its value now, and what it is for."""

    key: str
    value: str
    label: str
    description: str


@command("settings list", title="Show settings", menu="settings")
def list_all(crm: CRM) -> list[SettingShown]:
    """Lists the team's settings."""
    known = crm.settings
    return [SettingShown(option.name, known[option.name], option.label, option.description) for option in TEAM]


@command("settings set", title="Change a setting", menu="settings", roles=ONLY_ADMIN)
def set_one(
    crm: CRM,
    key: Annotated[str, Choice({option.name: option.label for option in TEAM}), About("Setting", positional=True)],
    value: Annotated[str, Line(1000), About("Value", positional=True)],
) -> SettingShown:
    """Changes one of the team's settings, for everyone who uses this store."""
    option = next((option for option in TEAM if option.name == key), None)
    if option is None:
        raise NotFoundError(f"There is no setting {key}.")
    checked = check_team_setting(key, value, crm.conventions)

    def change(tx: Transaction) -> Setting:
        known = tx.find_all(Setting, Query({"key": key}))
        return tx.change(known[0], value=checked) if known else tx.add(Setting(key=key, value=checked))

    crm.transact(change, f"set {option.label.lower()} to {checked}")
    crm.forget_settings()
    return SettingShown(option.name, checked, option.label, option.description)
