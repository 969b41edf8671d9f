"""An IMAP server on loopback with scripted faults that no real server can be told to make."""

import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

HEAD = b"From: Anna <anna@example.com>\r\nDate: Fri, 20 Nov 2026 10:12:13 +0000\r\nSubject: %d\r\n\r\nText %d\r\n"


@contextmanager
def scripted(refusals: Mapping[int, str], count: int = 3, select: str = "[UIDVALIDITY 7] ok") -> Iterator[int]:
    """A mailbox with so many messages, whose bodies are refused by their numbers as it is said; its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def serve() -> None:
        while True:
            connection, _ = listening.accept()
            with suppress(OSError), connection, connection.makefile("rwb") as lines:
                if is_over.is_set():
                    return
                _talk(lines, refusals, count, select)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        # The thread waits for the next connection, and closing the socket would not wake it.
        is_over.set()
        socket.create_connection(listening.getsockname()).close()
        # A client that keeps its connection open would keep the thread: the test says so instead of waiting for it.
        thread.join(10)
        listening.close()
        assert not thread.is_alive(), "a connection to the mailbox was left open"


def _talk(lines: Any, refusals: Mapping[int, str], count: int, select: str) -> None:
    def say(text: bytes) -> None:
        lines.write(text)
        lines.flush()

    say(b"* OK hello\r\n")
    while line := lines.readline():
        tag, _, rest = line.decode().strip().partition(" ")
        words = rest.upper()
        answer = "OK done"
        if words.startswith("CAPABILITY"):
            say(b"* CAPABILITY IMAP4rev1\r\n")
        elif words.startswith(("SELECT", "EXAMINE")):
            say(f"* {count} EXISTS\r\n* OK {select}\r\n* OK [UIDNEXT {count + 1}] next\r\n".encode())
        elif words.startswith("UID SEARCH"):
            say(f"* SEARCH {' '.join(str(uid) for uid in range(1, count + 1))}\r\n".encode())
        elif words.startswith("UID FETCH"):
            answer = _fetched(say, rest, refusals)
        elif words.startswith("LOGOUT"):
            say(f"* BYE\r\n{tag} OK bye\r\n".encode())
            return
        say(f"{tag} {answer}\r\n".encode())


def _fetched(say: Callable[[bytes], None], rest: str, refusals: Mapping[int, str]) -> str:
    numbers = [int(number) for number in re.split(r"[,:]", rest.split()[2])]
    if "BODY" not in rest.upper():
        for uid in numbers:
            say(f"* {uid} FETCH (UID {uid} RFC822.SIZE 100)\r\n".encode())
        return "OK done"
    (uid,) = numbers
    if uid in refusals and not refusals[uid].startswith("{"):
        return refusals[uid]
    content = HEAD % (uid, uid)
    size = refusals.get(uid, f"{{{len(content)}}}")
    date = '"20-Nov-2026 10:12:13 +0000"'
    output = f"* {uid} FETCH (UID {uid} INTERNALDATE {date} BODY[]<0> {size}\r\n".encode() + content + b")\r\n"
    say(output)
    return "OK done"
