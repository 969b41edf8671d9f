"""Keys by which commands run unattended, from cron for example, where the store has accounts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.errors import confirmation
from crm.model import KEY_MAY, MachineKey
from crm.model.fields import Choice, Day, Line


@dataclass(frozen=True, slots=True)
class KeyShown:
    """A key without what its bearer shows. `by` is who made it; it is `stopped` while they are no active admin."""

    id: int
    name: str
    may: str
    made_on: date
    by: str
    stopped: bool
    expires_on: date | None
    expired: bool
    last_used_on: date | None


@dataclass(frozen=True, slots=True)
class KeyMade:
    """A new key, and the `secret` that its bearer shows. It is shown once."""

    key: int
    name: str
    may: str
    expires_on: date | None
    secret: str


@command(
    "keys list",
    title="Keys for unattended commands",
    menu="team",
    hint="For scheduled jobs and scripts",
    roles=ONLY_ADMIN,
    nothing="No keys yet.",
)
def list_all(crm: CRM) -> list[KeyShown]:
    """List the keys for unattended commands: what each can run, who created it, and when it was last used."""
    with crm.read() as snapshot:
        keys = snapshot.find_all(MachineKey)
    stopped = crm.accounts.stopped_keys()
    return [
        KeyShown(
            key.id, key.name, key.may, crm.clock.day_of(key.created_at), key.user, key.id in stopped,
            key.expires_on, _is_over(crm, key), key.last_used_on,
        )
        for key in keys
    ]  # fmt: skip


def _is_over(crm: CRM, key: MachineKey) -> bool:
    return key.expires_on is not None and crm.today > key.expires_on


def works(crm: CRM, key: MachineKey, stopped: Collection[int]) -> bool:
    """Return whether a key works now; `stopped` are those whose makers are no active admins."""
    return key.id not in stopped and not _is_over(crm, key)


@command("keys add", title="Create a key", roles=ONLY_ADMIN)
def add(
    crm: CRM,
    name: Annotated[str, Line(100), About("Name", "what it is for, such as nightly mail", positional=True)],
    may: Annotated[str, Choice(KEY_MAY), About("May", "mail, backup or mail+backup")] = "mail",
    expires: Annotated[
        date | None,
        Day(past=False, from_today=True),
        About("Expires", "the last day on which it works; never by default"),
    ] = None,
) -> KeyMade:
    """Create a key for unattended commands, for a store that has accounts. The key is shown once.

    Set CRM_KEY to the key, or CRM_KEY_FILE to the name of a file with the key that only its owner can read. The shell
    then runs `email outbox`, `email due`, `email fetch`, `sms fetch` and `reminders run` if the key may do mail,
    `backup` if it may back up, and nothing else. The history shows what it did under its name.
    """
    key, secret = crm.accounts.add_key(name, may, expires)
    return KeyMade(key.id, key.name, key.may, key.expires_on, secret)


@command("keys revoke", title="Revoke a key", roles=ONLY_ADMIN)
def revoke(
    crm: CRM,
    key: Annotated[MachineKey, About("Key", "its number or its name", positional=True)],
    yes: bool = False,
) -> None:
    """Revoke a key for good; commands that are running with it end at once."""
    if not yes:
        raise confirmation(
            f"Jobs that use the key {key.name} stop at once, and the key never works again.",
            "Revoke it",
            destructive=True,
        )
    crm.accounts.revoke_key(key)
