"""The names of accounts, which are in records and in the history: by each of them people tell one another apart."""

from crm.accounts.account_store import called
from crm.accounts.machine_keys import KEYS_AUTHOR
from crm.errors import FieldError
from crm.model import User
from crm.model.rights import CLIENT
from crm.repository import PROGRAM, SPREADSHEET, Query, Transaction
from crm.repository.team import same


def refuse_taken(tx: Transaction, user: User, before: User | None = None) -> None:
    """Raise FieldError where another active account of the team is called like this one: nobody could tell whose a
    record is. Clients, who are in no record, learn nothing of the team. Of an account as it was `before`, a name that
    the team knew it by may look like another one."""
    from crm.accounts.look_alikes import look_alike

    name = called(user)
    if before and called(before) == name and (_in_team(before) or not _in_team(user)):
        return
    for reserved in (PROGRAM, SPREADSHEET):
        if look_alike(name, reserved):
            raise _taken(f"{reserved} is reserved for what the program itself does; choose another name")
    if same(name).endswith(same(KEYS_AUTHOR)):
        raise _taken("names with this ending are reserved for keys; choose another name")
    if not _in_team(user):
        return
    for other in tx.find_all(User, Query({"active": True})):
        if other.id == user.id or other.role == CLIENT:
            continue
        if same(called(other)) == same(name):
            raise _taken(f"there is another {called(other)}; add a middle initial or last name")
        if look_alike(called(other), name):
            looks = f"{name} looks like {called(other)}, who is someone else"
            raise _taken(f"{looks}; add a middle initial or last name")


def _in_team(user: User) -> bool:
    return user.active and user.role != CLIENT


def refuse_look_alike_address(tx: Transaction, user: User) -> None:
    """Raise FieldError where the address of an account only looks like that of another one. Readers can distinguish
    ASCII letters."""
    from crm.accounts.look_alikes import skeleton

    for other in tx.find_all(User) if user.email else ():
        alike = skeleton(other.email) == skeleton(user.email)
        if other.id != user.id and alike and not (user.email.isascii() and other.email.isascii()):
            raise FieldError(
                f"it looks like {other.email}, the address of another account", field="email", label="E-mail"
            )


def _taken(why: str) -> FieldError:
    return FieldError(why, field="name", label="Name")
