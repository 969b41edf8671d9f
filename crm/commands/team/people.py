"""The people of the team: who they are, and what waits for each of them."""

from dataclasses import dataclass
from typing import Annotated

from crm.commands.context import CRM
from crm.commands.ownership import called, team
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.model import User
from crm.model.fields import Email, Line, Phone
from crm.repository.queries import people


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the team by name, with what is under it: open follow-ups, how many of them are overdue, open deals,
    and clients. `role` and `email` are those of the account, '' where there is none that is active."""

    name: str
    role: str = ""
    email: str = ""
    follow_ups: int = 0
    overdue: int = 0
    deals: int = 0
    clients: int = 0


@command(
    "people list", title="Workload", menu="team", hint="Open follow-ups and deals of each", nothing="No colleagues yet."
)
def list_all(crm: CRM) -> list[Colleague]:
    """Show the workload of everyone on the team, with or without an account.

    It shows each person's open and overdue follow-ups, open deals, and clients.
    """
    with crm.read() as snapshot:
        accounts = {account.id: account for account in team(snapshot)}
        to_do = people.open_follow_ups(snapshot, crm.today)
        deals = people.open_deals(snapshot)
        clients = people.clients_owned(snapshot)
    names: dict[int | str, str] = {account.id: called(account) for account in accounts.values()}
    for counts in (to_do, deals, clients):
        names = {key: name for key, (name, _) in counts.items()} | names
    colleagues = []
    for key, name in names.items():
        account = accounts.get(key, User()) if isinstance(key, int) else User()
        (due, late), (open_deals, *_), (looked_after, *_) = (
            counts.get(key, ("", [0, 0]))[1] for counts in (to_do, deals, clients)
        )
        colleagues.append(Colleague(name, account.role, account.email, due, late, open_deals, looked_after))
    return sorted(colleagues, key=lambda person: (person.name.casefold(), not person.role))


@command("people add", title="Add a person without sign-in", roles=ONLY_ADMIN)
def add(
    crm: CRM,
    name: Annotated[str, Line(100), About("Name", positional=True)],
    email: Annotated[str, Email(), About("E-mail")] = "",
    phone: Annotated[str, Phone(), About("Phone")] = "",
) -> Colleague:
    """Add a person to the team who cannot sign in, but can own clients and get follow-ups.

    `users reset-password` lets them sign in later. As long as nobody on the team can sign in, nobody has to.
    """
    added = crm.accounts.add_named(name, email=email, phone=phone)
    return next(person for person in list_all(crm) if person.name == added.name and person.role)
