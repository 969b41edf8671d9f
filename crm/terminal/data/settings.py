"""Looking after the store at the menu: the sample data, and the settings."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from crm.commands.client_selection import pluralize
from crm.commands.data.settings import SettingShown
from crm.commands.registry import named
from crm.config import TEAM, Iban, VatId
from crm.errors import FieldError, Question, StoreError
from crm.model import Conventions
from crm.model.local_labels import local_label
from crm.model.local_taxes import LOCAL_TAXES
from crm.repository import Backup
from crm.terminal.console.keyboard import Choice, reason
from crm.terminal.data.rendering import SETTINGS, setting_side
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import Pieces, flow
from crm.terminal.toolkit.session import Session


@flow("demo")
def demo(session: Session, **_: Any) -> None:
    """The sample data, on which the menu goes on."""
    from crm.terminal.data.welcome import try_sample

    if session.real is not None:
        session.say("You are already using the sample data.")
        return
    try_sample(session)


@flow("restore")
def restore(session: Session, **_: Any) -> None:
    """A backup from the list of those there are, or another file, put in the place of the data."""
    command = named("restore")
    session.page(command.title)
    by = session.conventions
    kept: Sequence[Backup] = ()
    if session.prompts.exchange is None:
        with suppress(StoreError):
            kept = session.crm.repository.known_backups()
    entries = [Choice(_backup_line(backup, by), backup.path) for backup in kept]
    file = None
    if entries:
        file = session.keyboard.choose("Which backup?", [*entries, Choice("Another file", None)])
    file = file or session.prompts.ask(command.parameters["file"])
    session.tell(session.prompts.run(command, {"file": file}))


def _backup_line(backup: Backup, by: Conventions) -> str:
    """A backup by its day and time, how large it is and what is in it."""
    stamp = "-".join(backup.path.stem.rsplit("-", 4)[1:])
    made = datetime.strptime(stamp, "%Y-%m-%d-%H%M%S")  # noqa: DTZ007 - the name has the team's own time
    size = f"{by.number(max(1, round(backup.size / 1000)))} kB"
    held = "cannot be read"
    if backup.clients is not None and backup.sales is not None:
        clients = pluralize(backup.clients, "client", "clients", by)
        held = f"{clients}, {pluralize(backup.sales, 'sale', 'sales', by)}"
    return f"{by.day(made.date())} {by.time_of_day(f'{made:%H:%M}')}  {size}  {held}"


class SettingsPage(ListPage):
    """The services of this computer, then the settings of the team; one opened to be changed."""

    title = "Settings"
    purpose = "Settings of the team, such as the currency and the time zone."
    columns = SETTINGS
    is_by_name = True
    command = "settings list"

    def listed(self) -> Sequence[Any]:
        return [*_services(self.session), *self.result]

    def card(self, row: SettingShown) -> Pieces:
        return setting_side(self.session.screen, row, self.session.crm.conventions)

    def open(self, row: Any) -> None:
        if row.key in (option.name for option in TEAM):
            _set(self.session, row)
        else:
            self.session.start(named(row.key))


@flow("settings list")
@flow("settings set")
def settings(session: Session, key: str = "", after: int = 0, *, needed: bool = False, **_: Any) -> None:
    """The settings by number, each with its value to change; the one with this `key`, where one is given, how many
    others are asked for after it, and whether it is `needed` for something."""
    if not key:
        SettingsPage(session).show()
        return
    setting = next(setting for setting in named("settings list")(session.crm) if setting.key == key)
    _set(session, setting, f"{after} more" if after else "", needed=needed)


def _services(session: Session) -> list[SettingShown]:
    """The services of this computer, each named by the command that sets it up, and how it is set up now."""
    from crm.commands.mail.services import SERVICES, current

    return [
        SettingShown(words, current(session.crm, service).summary or "not set up", service.title, "")
        for service in SERVICES.values()
        if session.offers(named(words := f"{service.name} setup"))
    ]


def _set(session: Session, setting: SettingShown, about: str = "", *, needed: bool = False) -> None:
    if not session.offers(named("settings set")):
        session.say("Only an admin can change the settings.")
        return
    option = next(option for option in TEAM if option.name == setting.key)
    label = local_label(setting.label, session.crm.conventions.country)
    typed, error = setting.value, ""
    help, by = setting.description, session.crm.conventions
    if isinstance(option.check, VatId):
        help = f"{'' if by.country in LOCAL_TAXES else 'with its country, '}like {option.check.hint(by)}"
    elif isinstance(option.check, Iban):
        help = f"like {option.check.hint(by)}"
    while True:
        session.page("Settings", label, about=about)
        value = session.prompts.value(
            label, option.check, help=help, typed=typed, default=option.check.empty, error=error, required=needed
        )
        try:
            session.tell(_saved(session, {"key": setting.key, "value": str(value)}))
            return
        except FieldError as refused:
            # It is asked for once more by its own name, with what was typed.
            typed, error = str(value), reason(refused, session.screen.width - 1)


def _saved(session: Session, arguments: dict[str, Any]) -> SettingShown:
    """The setting once it is changed, and what that asks was answered. Raises FieldError, Back."""
    command = named("settings set")
    while True:
        try:
            saved: SettingShown = session.insist(lambda: command(session.crm, **arguments))
            return saved
        except Question as question:
            arguments[question.parameter] = session.prompts.answer(question) == question.yes
