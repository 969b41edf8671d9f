"""The team's settings, kept with the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from crm.commands.client_selection import pluralize
from crm.commands.context import CRM
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.config import TEAM, check_team_setting
from crm.errors import NotFoundError, Question
from crm.model import Conventions, Deal, Sale, Service, Setting
from crm.model.data import CURRENCY, SPEND_COUNTS
from crm.model.fields import Choice, Line
from crm.model.local_labels import local_label
from crm.model.paths import path_of
from crm.repository import Query, StatusMove, Transaction
from crm.wording import first_few


@dataclass(frozen=True, slots=True)
class SettingShown:
    """A setting, its value now, and what it is for."""

    key: str
    value: str
    label: str
    description: str


class SettingName(Choice):
    """A setting, by its key or by its label, also as people say it in the team's country."""

    def read(self, typed: str, by: Conventions) -> str:
        if typed.strip().lower() in (label.lower() for label in self.options.values()):
            return super().read(typed, by)
        return Choice({key: local_label(label, by.country) for key, label in self.options.items()}).read(typed, by)


@command("settings list", title="Show settings", menu="settings", nothing="No settings found.")
def list_all(crm: CRM) -> list[SettingShown]:
    """List the team's settings."""
    # Another program may have changed them.
    crm.forget_settings()
    known = crm.settings
    return [SettingShown(option.name, known[option.name], option.label, option.description) for option in TEAM]


@command("settings set", title="Change a setting", menu="settings", roles=ONLY_ADMIN)
def set_one(
    crm: CRM,
    key: Annotated[str, SettingName({option.name: option.label for option in TEAM}), About("Setting", positional=True)],
    value: Annotated[str, Line(1000), About("Value", positional=True)],
    recount_ok: Annotated[
        bool, About("Recount", "change it even if amounts get another currency or clients another status")
    ] = False,
) -> SettingShown:
    """Change one of the team's settings, for everyone who uses this store.

    If you change the currency, or what counts as total spend, the figures of all clients are counted again. You see
    first which amounts get another currency, and how many clients would get another status. `history undo` undoes all
    of it.
    """
    option = next((option for option in TEAM if option.name == key), None)
    if option is None:
        raise NotFoundError(f"No setting {key}. `settings list` shows all.")
    checked = check_team_setting(key, value, crm.conventions)
    if key == "invoice_template" and checked:
        checked = _template(crm, checked)

    def change(tx: Transaction) -> Setting:
        (setting,) = write_settings(tx, {key: checked})
        if key in (CURRENCY, SPEND_COUNTS):
            turned = _turned_amounts(tx, crm.conventions, checked) if key == CURRENCY else ""
            moves = tx.settle()
            moved = f"With “{option.label}” set to {checked}, {_clients(moves, crm.conventions)}." if moves else ""
            if (turned or moved) and not recount_ok:
                raise Question(
                    "\n".join(filter(None, (turned, moved))),
                    parameter="recount_ok",
                    choices={"yes": "Change it"},
                    yes="yes",
                    # The amounts of a team are read as others by everyone at once.
                    destructive=bool(turned),
                )
        return setting

    label = local_label(option.label, crm.conventions.country)
    crm.transact(change, f"set {label if label[1:2].isupper() else label[:1].lower() + label[1:]} to {checked}")
    crm.forget_settings()
    return SettingShown(option.name, checked, option.label, option.description)


def _turned_amounts(tx: Transaction, by: Conventions, currency: str) -> str:
    """A sentence about the amounts that another currency turns into others, with the latest of them as an example; ''
    where nothing has one."""
    sales = tx.find_all(Sale, Query(sort="-id", limit=1))
    deals = [deal.value for deal in tx.find_all(Deal) if deal.value]
    prices = [service.price for service in tx.find_all(Service) if service.price]
    amounts = [*(sale.amount for sale in sales), *deals, *prices]
    if currency == by.currency or not amounts:
        return ""
    counts = [
        pluralize(count, one, many, by)
        for count, one, many in (
            (tx.count(Sale), "sale", "sales"),
            (len(deals), "deal", "deals"),
            (len(prices), "service", "services"),
        )
        if count
    ]
    listed = " and ".join(filter(None, (", ".join(counts[:-1]), counts[-1])))
    becomes = f"{by.money(amounts[0])} becomes {replace(by, currency=currency).money(amounts[0])}"
    return f"The amounts of {listed} are in {by.currency} and will be in {currency}. They are not converted: {becomes}."


def write_settings(tx: Transaction, values: Mapping[str, str]) -> Sequence[Setting]:
    """Write checked values of settings, by their keys, each into its record or a new one."""
    known = {setting.key: setting for setting in tx.find_all(Setting, Query({"key": list(values)}))}
    return [
        tx.change(known[key], value=value) if key in known else tx.add(Setting(key=key, value=value))
        for key, value in values.items()
    ]


def _template(crm: CRM, value: str) -> str:
    """The file of a template as it is kept, wherever the program is started from. Raises FieldError, naming the line,
    where no invoice can be made from it."""
    from crm.outward.invoice_pdf.trying import check_template

    crm.demand_session()
    file = path_of(value).absolute()
    check_template(file)
    return str(file)


def _clients(moves: Sequence[StatusMove], by: Conventions) -> str:
    """The number of clients that would get another status, and some of them."""
    named = [f"{move.name}: {move.before or 'none'} to {move.after or 'none'}" for move in moves]
    count = pluralize(len(moves), "client gets", "clients get", by)
    return f"{count} another status ({first_few(named, number=by.number)})"
