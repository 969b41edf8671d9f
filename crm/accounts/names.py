"""The names of the team, which stand in records: each is one person's, and a new one is carried over."""

from crm.accounts.book import called
from crm.errors import FieldError
from crm.model import Client, Dashboard, Deal, FollowUp, Record, User
from crm.repository import Query, Transaction

# Where people stand by their name, and among which of those records a new name takes the place of the old one: what
# is done stays under the name of those days.
_STANDS_IN: tuple[tuple[type[Record], str, dict[str, None]], ...] = (
    (Client, "owner", {}),
    (Deal, "owner", {}),
    (FollowUp, "user", {"done_on": None}),
    (Dashboard, "user", {}),
)
_AT_ONCE = 500


def refuse_taken(tx: Transaction, user: User) -> None:
    """Raises FieldError where another active user is called as this one: nobody could tell whose a record is. Clients
    may share a name with each other, not with the team."""
    if not user.active:
        return
    name = called(user).casefold()
    for each in tx.find_all(User, Query({"active": True})):
        if each.id != user.id and called(each).casefold() == name and not each.role == user.role == "client":
            raise FieldError(
                f"there is another {called(each)}; add something to tell them apart", field="name", label="Name"
            )


def carry_over(tx: Transaction, before: str, after: str) -> None:
    """Puts a new name in the place of the old one wherever it says who looks after something, or has to do it."""
    if before.casefold() != after.casefold():
        # Of somebody who was called so before: there is one for each name.
        for left in tx.find_all(Dashboard, Query({"user": after})):
            tx.delete(left)
    for kind, name, among in _STANDS_IN:
        ids = [each.id for each in tx.each(kind, Query({name: before, **among}))]
        for start in range(0, len(ids), _AT_ONCE):
            for each in tx.find_all(kind, Query({"id": ids[start : start + _AT_ONCE]})):
                tx.change(each, **{name: after})
