"""Refusals: whether the words of a mail server say that there is no such mailbox, or something else."""

import re

# RFC 3463: the kind of an answer, what it is about, and the detail.
_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_ADDRESS = "1"
# 5.1.7 and 5.1.8 are about the sender's address, not the recipient's.
_OF_THE_RECIPIENT = frozenset(("0", "1", "2", "3", "4", "6", "10"))
_WORDS = re.compile(
    r"no such (?:user|mailbox|recipient|account|address)|(?:user|mailbox|recipient|account|address) (?:is )?unknown"
    r"|unknown (?:user|mailbox|recipient|account|address|local.part)|no mailbox here|invalid (?:recipient|mailbox)"
    r"|(?:user|mailbox|recipient|account|address)(?: \S+)? (?:does not|doesn't) exist|user not found"
    r"|(?:recipient|mailbox|account) not found|not a valid (?:user|mailbox|recipient)",
    re.I,
)


def is_unknown_mailbox(words: str) -> bool:
    """Return whether the words of a mail server say that the mailbox does not exist: what was refused for its content,
    its sender, a block list or a full mailbox says nothing against the address."""
    if match := _CODE.search(words):
        kind, subject, detail = match.groups()
        return kind == "5" and subject == _ADDRESS and detail in _OF_THE_RECIPIENT
    return _WORDS.search(words) is not None
