"""What the shell alone has, at the machine itself: an admin is let in again, whatever has become of the accounts."""

from dataclasses import dataclass
from typing import Annotated

from crm.accounts.roster import Standing
from crm.commands.context import CRM
from crm.commands.registry import About, Command
from crm.commands.users import OneTimePassword
from crm.errors import confirmation
from crm.model.fields import Email, Line

_WHAT_IT_DOES = {
    Standing.HOLDS: "The accounts of this store hold, and all others stay as they are.",
    Standing.UNROSTERED: "The accounts of this store hold, and all others stay as they are.",
    Standing.DAMAGED: (
        "The accounts of this store are not as this program left them: everybody is signed out, and all other accounts"
        " are shut until an admin lets them in again."
    ),
    Standing.OTHER_SECRET: (
        "The accounts of this store were made with another CRM_SECRET. If you can still find it, set it, and nothing is"
        " lost. Else everybody is signed out, and every account needs a new password from an admin."
    ),
}


@dataclass(frozen=True, slots=True)
class AccountsRecovered(OneTimePassword):
    """An admin who gets in again, and what has become of the other accounts, as sentences."""

    done: str


def recover(
    crm: CRM,
    email: Annotated[str, Email(), About("E-mail", "of an account, or of a new one", positional=True)],
    name: Annotated[str, Line(100), About("Name", "of a new account")] = "",
    yes: bool = False,
) -> AccountsRecovered:
    """Lets an admin in again, on the machine of the store itself.

    It is for whoever holds the file, or the credentials of the spreadsheet, and the secret; nobody has to be signed in.
    The account with this address, or a new one, gets the role admin and a one-time password. Where the accounts are not
    as this program left them, all others are shut until an admin lets them in again, and everybody is signed out. It
    stands in the history, and the other admins are told by mail where that is set up.
    """
    accounts = crm.accounts.open()
    if not yes and (what := _WHAT_IT_DOES.get(accounts.standing())):
        raise confirmation(f"{what} {email} becomes an admin with a new one-time password.", "Let them in")
    recovered = accounts.recover(email, name)
    accounts.close()
    done = "All other accounts are as they were."
    if not recovered.held:
        done = (
            f"Everybody was signed out. Accounts to activate again, once you know that they are right:"
            f" {recovered.deactivated}. Accounts to vouch for, as they are not sealed as they stand:"
            f" {recovered.unsealed}. `users list` shows them; then `users activate` and `users vouch`."
        )
    user = recovered.user
    return AccountsRecovered(user.id, user.email, user.name, recovered.password, done)


# No role may run it, so that no menu has it.
RECOVER = Command("users", "recover", "Let an admin in again", "", recover, roles=())
