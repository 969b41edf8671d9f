"""Mail to the owners of accounts, sent aside so that nobody can tell from the time whether there was any."""

import logging
from collections.abc import Callable
from functools import cache
from threading import Thread
from typing import TYPE_CHECKING

from crm.errors import CRMError

if TYPE_CHECKING:
    from crm.outward.mail import Mailer

# To whom, about what, and the text; None where nothing is to be sent after all.
Letter = tuple[str, str, str] | None
_LOG = logging.getLogger(__name__)


class Notifications:
    """Mail to owners of accounts, through a mailer if there is one, which is opened at its first use. What fails is
    logged, without addresses: nobody waits for it."""

    def __init__(self, mailer: Callable[[], "Mailer | None"]) -> None:
        self._mailer = cache(mailer)
        self._threads: list[Thread] = []

    @property
    def can_be_sent(self) -> bool:
        """Return whether there is a mailer."""
        return self._mailer() is not None

    def post(self, write: Callable[[], Letter]) -> None:
        """Write and send a letter in a thread of its own; the program does not end before it has."""
        if mailer := self._mailer():
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            self._threads.append(Thread(target=self._send, args=(mailer, write), name="letter"))
            self._threads[-1].start()

    def finish(self) -> None:
        """Wait for what was posted: it reads the store until it is out."""
        for thread in self._threads:
            thread.join()

    def _send(self, mailer: "Mailer", write: Callable[[], Letter]) -> None:
        try:
            letter = write()
            if letter is not None:
                mailer.send(*letter)
        except CRMError as error:
            _LOG.warning("a letter about an account was not sent: %s", error.kind)
        except Exception:
            _LOG.exception("a letter about an account was not sent")
