"""The admin without whom the web terminal does not open."""

from crm import program
from crm.accounts.accounts import Accounts
from crm.errors import UsageError
from crm.model import User
from crm.repository import Query, Repository


def first_admin(repository: Repository, accounts: Accounts, email: str) -> str:
    """Make sure that there is an active admin. Where there is none, the one with this address is added, and the
    one-time password returned; else ''. Raises UsageError where there is none and no address, or only accounts of
    others."""
    with repository.read() as snapshot:
        if snapshot.count(User, Query(filters={"role": "admin", "active": True})):
            return ""
        known = snapshot.count(User, Query(filters={"email": email})) if email else 0
    if accounts.store.exist():
        # Nobody may add one any more.
        how = "On the computer that holds the data, the owner can run:"
        raise UsageError(f"No account is an active admin. {how} {program.command('users recover E-MAIL')}")
    how = f"Add one: {program.command('users add --role admin')}"
    if not email:
        raise UsageError(
            f"The web terminal does not open without an admin. {how}. Or set CRM_ADMIN_EMAIL to have one added."
        )
    if known:
        raise UsageError(f"CRM_ADMIN_EMAIL names a person who does not sign in. {how}.")
    _, password = accounts.administration.add(email=email, name=email.partition("@")[0], role="admin")
    return password
