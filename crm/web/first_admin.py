"""The admin without whom the web terminal does not open."""

from crm.accounts.accounts import Accounts
from crm.errors import UsageError
from crm.model import User
from crm.repository import Query, Repository

_HOW = "Add one: python run.py users add --role admin"


def first_admin(repository: Repository, accounts: Accounts, email: str) -> str:
    """Makes sure that there is an active admin. Where there is none, the one with this address is added, and the
    one-time password returned; else ''. Raises UsageError where there is none and no address."""
    with repository.read() as snapshot:
        if snapshot.count(User, Query(filters={"role": "admin", "active": True})):
            return ""
        known = snapshot.count(User, Query(filters={"email": email})) if email else 0
    if not email:
        raise UsageError(
            f"The web terminal does not open without an admin. {_HOW}; or set CRM_ADMIN_EMAIL to have one added."
        )
    if known:
        raise UsageError(f"CRM_ADMIN_EMAIL names an account that is no active admin, and there is no other. {_HOW}.")
    _, password = accounts.add(email=email, name=email.partition("@")[0], role="admin")
    return password
