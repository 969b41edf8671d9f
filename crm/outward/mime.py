"""A mail as mail servers take it: headers that hold what was meant and nothing else, and MIME.

The standard library's own folding takes the quotes off long names (a comma in one then makes a second address) and
puts blanks into long words, so headers with free text are encoded here and kept as they are.
"""

from collections.abc import Sequence
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from crm.outward.markdown import html, plain
from crm.outward.outgoing import Mail, Party, is_message_id
from crm.outward.sanitizing import line, prose

# Whole in any mail server: seven bits, short lines.
_POLICY = SMTP.clone(cte_type="7bit", refold_source="none")
_WIDTH = 76
_LONGEST_NAME = 200
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~ ")
_FOLD = "\r\n "


def composed(mail: Mail, *, with_bcc: bool = False) -> EmailMessage:
    """A mail as a message. Bcc recipients are in it only for a transport that reads recipients from the headers, and
    removes them."""
    utf8 = needs_utf8(mail)
    message = EmailMessage(policy=_POLICY.clone(utf8=utf8))
    for name, value in _headers(mail, with_bcc=with_bcc).items():
        if value or name == "Subject":
            message.set_raw(name, value)
    message.set_content(plain(mail.text) if mail.is_markdown else prose(mail.text) + "\n")
    if mail.is_markdown:
        message.add_alternative(html(mail.text), subtype="html")
    for attachment in mail.attachments:
        maintype, subtype = attachment.media
        message.add_attachment(attachment.content, maintype=maintype, subtype=subtype, filename=attachment.file_name)
    return message


def needs_utf8(mail: Mail) -> bool:
    """Return whether a mailbox in it has letters beyond ASCII, which not every mail server takes (SMTPUTF8)."""
    parties = (mail.sender, *mail.recipients, *([mail.reply_to] if mail.reply_to else []))
    return not all(party.wire.isascii() for party in parties)


def _headers(mail: Mail, *, with_bcc: bool) -> dict[str, str]:
    answered = mail.in_reply_to if is_message_id(mail.in_reply_to) else ""
    one_click = any(link.startswith("https:") for link in mail.unsubscribe)
    return {
        "From": _party(mail.sender),
        "Reply-To": _party(mail.reply_to) if mail.reply_to else "",
        # Where the recipients are read in the headers, those who have it already are none.
        "To": _parties(mail.wanted(mail.to) if with_bcc else mail.to),
        "Cc": _parties(mail.wanted(mail.cc) if with_bcc else mail.cc),
        "Bcc": _parties(mail.wanted(mail.bcc)) if with_bcc else "",
        "Subject": _text(line(mail.subject), "Subject"),
        "Date": format_datetime(mail.at),
        "Message-ID": mail.message_id,
        "In-Reply-To": answered,
        "References": answered,
        # RFC 2369, and RFC 8058 for the button beside the sender.
        "List-Unsubscribe": f",{_FOLD}".join(f"<{link}>" for link in mail.unsubscribe),
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" if one_click else "",
        # No out-of-office reply to it.
        "Auto-Submitted": "auto-generated" if mail.by_machine else "",
    }


def _parties(parties: Sequence[Party]) -> str:
    return f",{_FOLD}".join(_party(party) for party in parties)


def _party(party: Party) -> str:
    name = line(party.name, _LONGEST_NAME)
    if not name:
        return party.wire
    if not _PLAIN.issuperset(name) or not _fits(name):
        name = _quoted(name) if name.isascii() and _fits(name) else _encoded(name, "Reply-To")
    return f"{name}{_FOLD if len(name) + len(party.wire) > _WIDTH - 16 else ' '}<{party.wire}>"


def _fits(text: str) -> bool:
    # What looks as if it were encoded would be read so.
    return len(text) <= _WIDTH - 16 and "=?" not in text


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _text(text: str, header: str) -> str:
    if not text.isascii() or "=?" in text or any(len(word) > _WIDTH // 2 for word in text.split(" ")):
        return _encoded(text, header)
    return Header(text, "us-ascii", _WIDTH, header).encode(linesep="\r\n")


def _encoded(text: str, header: str) -> str:
    return Header(text, "utf-8", _WIDTH, header).encode(linesep="\r\n")
