"""A mailbox read over IMAP: messages since the last read; nothing in it changes unless asked."""

import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm.batching import batches
from crm.clock import machine_now
from crm.errors import OutwardError
from crm.outward.incoming import Received, UnreadableError, received
from crm.outward.providers import advice_for
from crm.outward.sanitizing import line
from crm.outward.servers import GREETING_TIME_OUT, Server, imap_server, tls_problem, unreached

if TYPE_CHECKING:
    from imapclient import IMAPClient  # type: ignore[import-untyped]

# No step of reading takes longer (seconds), and of no message more is read (bytes).
TIME_OUT = 30.0
LARGEST = 5_000_000
# Messages are looked for among so many numbers at a time, and their sizes asked for so many at a time.
_WINDOW = 20_000
_BATCH = 100
# What a server says beside a message is no longer (bytes).
_MORE = 5_000_000
# RFC 5530: the password may be right.
_NOT_NOW = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")


@dataclass(frozen=True, slots=True)
class Place:
    """The place up to which a mailbox has been read: the message `uid`, as long as the server numbers them as it did
    then (`validity`)."""

    validity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message found in a mailbox, and the place after it; what cannot be read has no `message` but a `problem`, in
    a sentence."""

    place: Place
    message: Received | None
    problem: str = ""


class _TooMuchError(Exception):
    """A server announced more than was asked for; the rest of that connection cannot be parsed."""


class _EndlessError(OutwardError):
    """A message before `place` of which more was announced than is read of any."""

    def __init__(self, place: Place) -> None:
        super().__init__("A message cannot be read: the mail server sends more of it than was asked for.")
        self.place = place


class Mailbox:
    """The mailbox on a server, or at a URL. Raises UsageError for what cannot be read, and for a password that would go
    over the network for all to see."""

    def __init__(
        self,
        server: str | Server,
        *,
        context: ssl.SSLContext | None = None,
        time_out: float = TIME_OUT,
        largest: int = LARGEST,
        now: Callable[[], datetime] = machine_now,
    ) -> None:
        self.server = imap_server(server) if isinstance(server, str) else server
        self._context = context
        self._time_out = time_out
        self._largest = largest
        self._now = now

    def end(self) -> Place:
        """The place after the last message, to read only what comes from now on; it says soon where nobody answers.
        Raises OutwardError."""
        greeting = min(self._time_out, GREETING_TIME_OUT)
        with self._opened(readonly=True, greeting=greeting) as (_, validity, following):
            return Place(validity, following - 1)

    def arrivals(self, after: Place | None = None, *, mark: bool = False) -> Iterator[Arrival]:
        """The messages behind a place, the oldest first: all of them where none is given, or where the server has
        renumbered them. One that cannot be read is reported and does not end it. With `mark`, each is marked as read
        once the next one is asked for.

        Raises OutwardError: 'refused' (settings), 'offline' or 'busy'; the places told until then stay good.
        """
        while True:
            try:
                yield from self._arrivals(after, mark)
                return
            except _EndlessError as endless:
                # Nothing more can be read on that connection; the next one goes on behind the message.
                after = endless.place
                yield Arrival(after, None, endless.sentence)

    def _arrivals(self, after: Place | None, mark: bool) -> Iterator[Arrival]:
        with self._opened(readonly=not mark) as (client, validity, following):
            first = after.uid + 1 if after is not None and after.validity == validity else 1
            for uid, size in _found(client, first, following):
                arrival = self._arrival(client, Place(validity, uid), size)
                if arrival is None:
                    continue
                yield arrival
                if mark:
                    client.add_flags([uid], [b"\\Seen"], silent=True)

    def again(self, validity: int, uids: Sequence[int]) -> Iterator[Arrival]:
        """Messages that were read before, by their numbers, as far as they are still there; none where the server has
        renumbered them. Raises OutwardError as `arrivals` does."""
        with self._opened(readonly=True) as (client, now, _):
            for some in batches(uids if now == validity else (), _BATCH):
                for uid, size in _sizes(client, some):
                    arrival = self._arrival(client, Place(validity, uid), size)
                    if arrival is not None:
                        yield arrival

    def _arrival(self, client: "IMAPClient", place: Place, size: int) -> Arrival | None:
        """A message; None where it has gone meanwhile."""
        from imapclient.exceptions import IMAPClientAbortError, IMAPClientError  # type: ignore[import-untyped]

        # To peek marks nothing; what is too large is read from its beginning, where the text stands.
        part = f"BODY.PEEK[]<0.{self._largest}>"
        try:
            parts = client.fetch([place.uid], [part, "INTERNALDATE"]).get(place.uid, {})
        except _TooMuchError as error:
            raise _EndlessError(place) from error
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            # That one message cannot be had keeps none of the others.
            return Arrival(
                place, None, f"A message cannot be read: the mail server does not give it ({_words(error)})."
            )
        raw = next((value for key, value in parts.items() if key.startswith(b"BODY[]")), None)
        if not isinstance(raw, bytes):
            client.noop()
            if not client.search(["UID", str(place.uid)]):
                return None
            return Arrival(place, None, "A message cannot be read: the mail server does not give it.")
        arrived_at = parts.get(b"INTERNALDATE")
        arrived_at = arrived_at if isinstance(arrived_at, datetime) and arrived_at.tzinfo else self._now()
        try:
            return Arrival(place, received(raw, arrived_at, is_cut=size > self._largest))
        except UnreadableError as error:
            return Arrival(place, None, f"The message of {arrived_at:%Y-%m-%d %H:%M} UTC cannot be read: {error}.")

    @contextmanager
    def _opened(self, *, readonly: bool, greeting: float | None = None) -> Iterator[tuple["IMAPClient", int, int]]:
        """A connection on which the folder is open, how its messages are numbered, and the next number."""
        from imapclient.exceptions import (
            CapabilityError,
            IMAPClientAbortError,
            IMAPClientError,
            LoginError,
        )

        client: Any = None
        try:
            client = self._connected(greeting or self._time_out)
            about = client.select_folder(self.server.folder, readonly=readonly)
            client.normalise_times = False
            following = about.get(b"UIDNEXT") or client.folder_status(self.server.folder, ["UIDNEXT"])[b"UIDNEXT"]
            if b"UIDVALIDITY" not in about:
                raise IMAPClientError("it does not number its messages (UIDVALIDITY)")
            yield client, int(about[b"UIDVALIDITY"]), int(following)
            with suppress(OSError, IMAPClientError):
                client.logout()
        except LoginError as error:
            if any(code in str(error) for code in _NOT_NOW):
                raise self._failed(f"accepts no sign-ins right now ({_words(error)})", "busy") from error
            why = f"does not accept the user and password of {self.server.named_in} ({_words(error)})"
            raise self._failed(why, advice=advice_for(self.server)) from error
        except ssl.SSLError as error:
            raise self._failed(tls_problem(error, self.server, "imap")) from error
        except CapabilityError as error:
            why = f"does not offer the encryption that is chosen in {self.server.named_in}"
            raise self._failed(why) from error
        except OSError as error:
            raise self._failed(unreached(error, self.server, "imap"), "offline") from error
        except (IMAPClientAbortError, EOFError, _TooMuchError) as error:
            raise self._failed("cannot be reached, or the connection was lost", "offline") from error
        except (IMAPClientError, KeyError) as error:
            raise self._failed(f"does not open or show the folder {self.server.folder} ({_words(error)})") from error
        finally:
            if client is not None:
                with suppress(OSError, IMAPClientError):
                    client.shutdown()

    def _connected(self, greeting: float) -> "IMAPClient":
        from imapclient import IMAPClient, SocketTimeout

        server, context = self.server, self._context or ssl.create_default_context()
        encrypted = server.encrypts == "always"
        client = IMAPClient(
            server.host,
            server.port,
            ssl=encrypted,
            ssl_context=context if encrypted else None,
            timeout=SocketTimeout(greeting, self._time_out),
        )
        try:
            _bound(client, self._largest + _MORE)
            if server.encrypts == "first":
                client.starttls(context)
                _bound(client, self._largest + _MORE)
            # The older way to sign in knows no letters beyond ASCII.
            password = server.password()
            login = client.login if (server.user + password).isascii() else client.plain_login
            login(server.user, password)
        except BaseException:
            with suppress(OSError):
                client.shutdown()
            raise
        return client

    def _failed(self, why: str, reason: str = "refused", advice: str = "") -> OutwardError:
        sentence = f"The mailbox was not read: the mail server {self.server.host} {why}."
        return OutwardError(f"{sentence} {advice}".strip(), reason=reason)


def mailbox_at(server: str | Server, now: Callable[[], datetime] = machine_now) -> Mailbox | None:
    """The mailbox on a server, or at a URL; None where none is named. Raises UsageError."""
    return Mailbox(server, now=now) if server else None


def _found(client: "IMAPClient", first: int, following: int) -> Iterator[tuple[int, int]]:
    """The numbers of the messages from `first` on that there are before `following`, and their sizes in bytes."""
    for at in range(first, following, _WINDOW):
        last = min(at + _WINDOW, following) - 1
        # A server answers a range without messages with its last one.
        uids = sorted(uid for uid in client.search(["UID", f"{at}:{last}"]) if at <= uid <= last)
        for batch in batches(uids, _BATCH):
            yield from _sizes(client, batch)


def _sizes(client: "IMAPClient", uids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The sizes in bytes of some messages, of those that are still there; 0 where the server does not say it."""
    from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

    try:
        sizes = client.fetch(list(uids), ["RFC822.SIZE"])
    except IMAPClientAbortError:
        raise
    except IMAPClientError:
        # One of them cannot be had: which one is found when they are read.
        yield from ((uid, 0) for uid in uids)
        return
    for uid in uids:
        if uid in sizes:
            yield uid, int(sizes[uid].get(b"RFC822.SIZE", 0))


def _bound(client: Any, most: int) -> None:
    """Have the connection break off where a server announces more than any message of which so much is read."""
    read = client._imap.read

    def bounded(size: int) -> bytes:
        if size > most:
            raise _TooMuchError
        answer: bytes = read(size)
        return answer

    client._imap.read = bounded


def _words(error: Exception) -> str:
    """The answer of a mail server, as it may be shown."""
    return line(re.sub(r"\bb(['\"])(.*?)\1", r"\2", str(error)), 200)
