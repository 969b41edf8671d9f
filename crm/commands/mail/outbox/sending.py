"""The sender of the outbox: it leases messages in batches, sends them one by one, logs each step, and stores the
outcomes."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from crm.commands.context import CRM, Progress
from crm.commands.mail.outbox.attaching import elsewhere
from crm.commands.mail.outbox.delivery_status import NOT_SENT, UNKNOWN, DeliveryStatus, lacking, status_of
from crm.commands.mail.outbox.journal import SendingJournal
from crm.commands.mail.outbox.leases import Ended, Selection, Step, Taken, broken_off, count, ended, settle, take
from crm.commands.mail.outbox.signals import INTERRUPTED, interruptible
from crm.commands.mail.outbox.transports import HandOver, Transport, not_set_up, open_transports
from crm.commands.mail.unsubscribing import footer
from crm.errors import CRMError, OutwardError
from crm.model import CHANNELS, Client, Message
from crm.model.fields.recipients import recipient_key
from crm.outward.mail import Fate
from crm.repository import COPY_OF, Transaction
from crm.repository.queries.mail import postponed, still_queued

# For so long a program may hold the messages that it took; those that it has not begun by then it begins no more.
LEASE = timedelta(minutes=15)
# To hand one over may take so long, and is only begun where that much of the lease is left.
_LONGEST = timedelta(minutes=4)
# At the team's pace so many are taken at a time as go out in half a minute, but no fewer and no more than these.
_LEAST, _MOST = 5, 500
# So many of those that stay queued are named.
_LISTED = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """The result of sending: how many were `sent`, and `cancelled` because their client has opted out; which `failed`
    for good, which are `unsure` (they may have been sent) and which are `waiting` for another try, or for another
    computer. Of those sent, `partly` are those of whose recipients some were refused. `left` are queued and due still,
    without having been tried; `stopped` says in a sentence why, '' where nothing is. So many were put off before and
    are tried `later`, the first of them at `next_try` (UTC). `queued` are the first of those that are queued still and
    were not tried."""

    sent: int = 0
    cancelled: int = 0
    failed: Sequence[Message] = ()
    unsure: Sequence[Message] = ()
    waiting: Sequence[Message] = ()
    left: int = 0
    stopped: str = ""
    partly: Sequence[Message] = ()
    later: int = 0
    next_try: str = ""
    queued: Sequence[Message] = ()

    @property
    def exit_code(self) -> int:
        """The exit code: 1 where something was not sent for good, or not to everybody, may not have been, or could not
        be tried."""
        stopped = self.stopped.replace(INTERRUPTED, "").strip()
        return int(bool(self.failed or self.unsure or self.partly or stopped))


def unsendable(crm: CRM, channel: str) -> str:
    """The reason why nothing can be sent over a channel, in a sentence; '' where a way out is set up. Raises UsageError
    where the settings cannot be used."""
    is_set_up = crm.outward.texter() if channel == "sms" else crm.outward.mailer()
    return "" if is_set_up else not_set_up(channel)


def settle_broken_off(crm: CRM, journal: SendingJournal) -> list[Message]:
    """Store the outcomes of messages whose sending was interrupted by the end of another program; the messages as they
    are now."""
    with crm.read() as snapshot:
        sendings = broken_off(snapshot, journal)
    settled: list[Message] = []
    for start in range(0, len(sendings), _MOST):
        settled += _settled(crm, sendings[start : start + _MOST])
    return settled


def _settled(crm: CRM, some: Sequence[Ended]) -> list[Message]:
    def change(tx: Transaction) -> list[Message]:
        return [message for message, _ in settle(tx, some)]

    return crm.transact(change, "updated messages that were being sent")


COPIED = (
    "This spreadsheet is a copy of another one, which holds the same messages and may send them too. `email outbox`"
    " asks what to do with them."
)


class Sending:
    """One run over the outbox: `selection` of it is sent by `ways`, where `steadily` all at the team's pace, and else
    the messages of mailings and to occasions. `closed` says of the other channels why nothing goes out there."""

    def __init__(
        self,
        crm: CRM,
        journal: SendingJournal,
        ways: Mapping[str, Transport],
        closed: Mapping[str, str],
        selection: Selection,
        *,
        steadily: bool,
    ) -> None:
        self._crm = crm
        self._journal = journal
        self._ways = ways
        self._selection = selection
        self._steadily = steadily
        self._pace = int(crm.settings["mails_per_minute"])
        self._stop = threading.Event()
        self._ended: list[Ended] = []
        self._sent = self._cancelled = 0
        self._by_state: dict[str, list[Message]] = {"failed": [], "unsure": [], "queued": []}
        self._partly: list[Message] = []
        self._left: dict[int, Message] = {}
        # Why no more is sent over a channel.
        self._closed = dict(closed)
        self._done = self._all = 0

    def run(self, tell: Progress) -> Sent:
        """Send until nothing is left that can be sent, or Ctrl-C is pressed: the current message is ended first, and a
        second Ctrl-C leaves even that."""
        with self._crm.read() as snapshot:
            self._all = count(snapshot, self._selection, list(self._ways))
        with interruptible(self._stop):
            taken: Sequence[Taken] = self._step(goes_on=True)
            while taken:
                try:
                    self._hand_over(taken, tell)
                except BaseException:
                    self._put_back(taken)
                    self._step(goes_on=False)
                    raise
                self._put_back(taken)
                taken = self._step(goes_on=not self._stop.is_set())
        return self._result()

    def _result(self) -> Sent:
        with self._crm.read() as snapshot:
            counted = {channel: count(snapshot, self._selection, [channel]) for channel in CHANNELS}
            tried = [message.id for message in self._by_state["queued"]]
            which = self._selection.among(list(CHANNELS))
            later, next_try = postponed(snapshot, which, tried)
            queued = still_queued(snapshot, which, _LISTED, [*tried, *self._left])
        reasons = [INTERRUPTED] if self._stop.is_set() else []
        closed = [self._closed[channel] for channel in CHANNELS if channel in self._closed and counted[channel]]
        reasons += dict.fromkeys(closed)
        failed, unsure, waiting = (self._by_state[state] for state in ("failed", "unsure", "queued"))
        return Sent(
            self._sent,
            self._cancelled,
            tuple(failed),
            tuple(unsure),
            (*waiting, *self._left.values()),
            sum(counted.values()) - len(self._left),
            " ".join(reasons),
            tuple(self._partly),
            later,
            next_try,
            tuple(queued),
        )

    # In the store

    def _step(self, *, goes_on: bool) -> Sequence[Taken]:
        """Store the outcomes of the current messages and lease the next ones, in one transaction."""
        ways = [channel for channel in self._ways if channel not in self._closed]
        goes_on = goes_on and bool(ways)
        if not goes_on and not self._ended:
            return []
        lease = self._journal.lease(LEASE) if goes_on else ""

        def change(tx: Transaction) -> Step:
            settled = settle(tx, self._ended)
            step = (
                take(tx, lease, self._selection, ways, self._size, self._missing, self._rewritten)
                if goes_on
                else Step()
            )
            return replace(step, settled=settled)

        done = len(self._ended)
        summary = f"sent {done} message{'s' if done != 1 else ''}" if done else "started to send messages"
        step = self._crm.transact(change, summary)
        self._ended = []
        self._cancelled += step.cancelled
        self._left |= step.left
        for message, came in step.settled:
            if message.state == "sent":
                self._sent += 1
                if message.failure:
                    self._partly.append(message)
            elif came.state != "unsent":
                self._by_state[message.state].append(message)
        return step.taken

    @property
    def _size(self) -> int:
        return min(_MOST, max(_LEAST, self._pace // 2))

    def _missing(self, message: Message) -> str:
        return elsewhere(self._crm, self._journal, message)

    def _rewritten(self, message: Message, client: Client, before: str, now: str) -> str:
        """The text of a message to another address of its client, with the link that ends mailings to that one."""
        if not (message.mailing or message.occasion):
            return message.body
        end = footer(self._crm, client, before)
        return (
            message.body.removesuffix(end) + footer(self._crm, client, now)
            if message.body.endswith(end)
            else message.body
        )

    def _put_back(self, taken: Sequence[Taken]) -> None:
        """Put back what was taken and has not ended: if it was never begun, it is queued as it was."""
        have, now = {sending.message.id for sending in self._ended}, self._crm.clock.now
        for lease in taken:
            if lease.message.id not in have:
                self._ended.append(
                    ended(lease.message, self._journal.attempt(lease.message.identifier, lease.lease), now)
                )

    # To whom it goes

    def _hand_over(self, taken: Sequence[Taken], tell: Progress) -> None:
        for lease in taken:
            if self._stop.is_set():
                return
            if lease.message.channel in self._closed:
                continue
            if (came := self._known(lease) or self._sent_now(lease)) is None:
                continue
            self._ended.append(Ended(lease.message, came, self._crm.clock.now))
            self._done += 1
            tell(self._done, max(self._all, self._done))

    def _known(self, taken: Taken) -> DeliveryStatus | None:
        """The outcome that this machine knows and the store does not: it was restored to what it was."""
        before = self._journal.before(taken.message.identifier, taken.message.tries)
        if before is None:
            return None
        return DeliveryStatus(before.state, before.failure, before.reached) if before.state else UNKNOWN

    def _sent_now(self, taken: Taken) -> DeliveryStatus | None:
        """Hand a message over; None where that has to wait for another time."""
        message = taken.message
        known = self._journal.reached(message.identifier)
        addresses = [address for address in lacking(message) if recipient_key(address) not in known]
        if not addresses:
            return DeliveryStatus("sent", reached=tuple(known))
        try:
            hand_over = self._ways[message.channel].prepared(taken, addresses)
        except OutwardError as error:
            return DeliveryStatus(
                "failed", error.sentence if error.reason == "recipient" else NOT_SENT + error.sentence
            )
        except CRMError as error:
            self._closed[message.channel] = error.sentence
            return None
        is_bulk = bool(message.mailing or message.occasion)
        if (self._steadily or is_bulk) and self._stop.wait(self._journal.next_turn(self._pace)):
            return None
        if self._crm.clock.now + _LONGEST > taken.ends:
            # It was held up, or the computer asleep: others may take it now.
            return None
        return self._noted(taken, hand_over)

    def _noted(self, taken: Taken, hand_over: HandOver) -> DeliveryStatus | None:
        message, journal = taken.message, self._journal
        journal.begin(message.identifier, taken.lease, message.tries)
        try:
            outcomes = hand_over()
            came = status_of(message, outcomes)
        except OutwardError as error:
            self._closed[message.channel] = error.sentence
            journal.end(message.identifier, taken.lease, "unsent", "")
            return None
        try:
            is_whole = all(outcome.fate is Fate.SENT for outcome in outcomes)
            state = "partly" if came.state == "sent" and not is_whole else came.state
            journal.end(message.identifier, taken.lease, state, came.failure, map(recipient_key, came.reached))
        except CRMError:
            # The store at least is to know it.
            self._ended.append(Ended(message, came, self._crm.clock.now))
            raise
        return came


def send(crm: CRM, selection: Selection, *, steadily: bool) -> Sent:
    """Send the chosen messages of the outbox, once the outcomes of interrupted ones are known."""
    with SendingJournal(crm.outward.folder, crm.clock) as journal, open_transports(crm) as (ways, closed):
        with crm.read() as snapshot:
            if snapshot.fact(COPY_OF):
                ways, closed = {}, dict.fromkeys(CHANNELS, COPIED)
        journal.forget_old()
        settled = [message for message in settle_broken_off(crm, journal) if selection.means(message)]
        with crm.progress("Sending") as tell:
            sent = Sending(crm, journal, ways, closed, selection, steadily=steadily).run(tell)
    failed, unsure = ([message for message in settled if message.state == state] for state in ("failed", "unsure"))
    partly = [message for message in settled if message.state == "sent" and message.failure]
    return replace(
        sent,
        failed=(*failed, *sent.failed),
        unsure=(*unsure, *sent.unsure),
        partly=(*partly, *sent.partly),
    )
