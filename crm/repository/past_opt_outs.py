"""Opt-outs of stores of older versions, which kept none: the history says which links were followed."""

from collections.abc import Collection, Iterable
from datetime import datetime

from crm.model import OptOut
from crm.model.fields.recipients import recipient_key

# How the history begins that says that somebody has followed the link of a mailing; the address comes behind it.
OPTED_OUT = "opted out of mailings, asked for by "


def past_opt_outs(history: Iterable[tuple[datetime, str]], agreed: Collection[str]) -> list[OptOut]:
    """The opt-outs in a history (when, and what was done; the oldest first), but for addresses whose owners have
    `agreed` again since."""
    keys = {recipient_key(address) for address in agreed}
    opt_outs: dict[str, OptOut] = {}
    for at, what in history:
        key = recipient_key(what.removeprefix(OPTED_OUT)) if what.startswith(OPTED_OUT) else ""
        if key and key not in keys:
            opt_outs.setdefault(key, OptOut(address=key, on=at.date(), way="link", created_at=at, updated_at=at))
    return list(opt_outs.values())
