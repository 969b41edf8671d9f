"""Account recovery, in the shell alone, on the computer that holds the data: an admin gets access again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from crm.accounts.roster import Standing
from crm.commands.context import CRM
from crm.commands.registry import About, command
from crm.commands.team.users import OneTimePassword
from crm.errors import confirmation
from crm.model.fields import Email, Line

# What hashes passwords is loaded when one is asked for.
if TYPE_CHECKING:
    from crm.accounts.recovery import Recovered

_INTACT = "The accounts are intact, and all others stay as they are."
_WHAT_IT_DOES = {
    Standing.HOLDS: _INTACT,
    Standing.UNROSTERED: _INTACT,
    Standing.DAMAGED: (
        "The accounts were changed outside this program, or an older copy or other data was put in their place:"
        " everyone is signed out, and all other accounts are deactivated until an admin reactivates them."
    ),
    Standing.OTHER_SECRET: (
        "The accounts were made with another CRM_SECRET. If you can still find it, set it, and nothing is lost."
        " Otherwise everyone is signed out, and every account needs a new password from an admin."
    ),
}


@dataclass(frozen=True, slots=True)
class AccountsRecovered(OneTimePassword):
    """An admin who gets access again, and the state of the other accounts, as sentences."""

    done: str = ""


# No role may run it, so that no menu has it.
@command("users recover", title="Restore an admin's access", roles=(), outside=True)
def recover(
    crm: CRM,
    email: Annotated[str, Email(), About("E-mail", "of the account", positional=True)],
    name: Annotated[str, Line(100), About("Name", "adds a new account, or changes the name of this one")] = "",
    yes: bool = False,
) -> AccountsRecovered:
    """Restore an admin's access, on the computer that holds the data.

    It is for the owner, who has the file, or the credentials of the spreadsheet, and the secret; nobody has to be
    signed in. The account with this address gets the role admin and a one-time password; if there is none, --name adds
    one. If the accounts were changed outside this program, everyone is signed out, and all other accounts are
    deactivated until an admin reactivates them. The history shows it, and the other admins get an e-mail if e-mail is
    set up.
    """
    accounts = crm.accounts.open()
    standing, is_known = accounts.recovery.before_recovery(email, name)
    if not yes:
        becomes = f"{email} becomes an admin with a new one-time password."
        if not is_known:
            becomes = f"No account {email}: a new admin account is added, with a one-time password."
        raise confirmation(f"{_WHAT_IT_DOES[standing]} {becomes}", "Restore access")
    recovered = accounts.recovery.recover(email, name)
    accounts.close()
    user = recovered.user
    return AccountsRecovered(user.id, user.email, user.name, recovered.password, done=_done(recovered))


def _done(recovered: "Recovered") -> str:
    if recovered.held:
        return "All other accounts are as they were."
    sentences = ["Everyone was signed out."]
    if changed := recovered.unsealed:
        were, which = ("account was", "it") if changed == 1 else ("accounts were", "each one")
        sentences.append(
            f"{changed} {were} changed by hand, or made with another secret. Accept {which} with `users vouch`."
        )
    if off := recovered.deactivated:
        are, them = ("account is", "it") if off == 1 else ("accounts are", "them")
        sentences.append(f"{off} {are} deactivated. Reactivate {them} with `users activate`.")
    return " ".join(sentences)
