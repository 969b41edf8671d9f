"""The store as the web server asks it: in threads of their own, so that nobody else waits."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from threading import Lock
from typing import Generic, TypeVar

from crm.errors import StoreBusyError
from crm.repository import Wait

# Nobody waits longer than this for others who ask; who holds the store is waited for as long again.
_PATIENCE = 2.0
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def not_for_long(wait: Wait) -> None:
    """Refuse to wait for the store: a page answers at once. Raises StoreBusyError."""
    raise StoreBusyError(f"{wait.why}. Nothing was changed. Try again in a moment.")


class StoreThreads(Generic[Asked]):
    """Threads that ask what `opened` opens (the accounts), a few questions at a time: one may wait for Google or for
    Twilio. More than `most` at once are refused, because checking a password takes memory and time on purpose."""

    def __init__(self, opened: Callable[[], AbstractContextManager[Asked]], most: int = 40) -> None:
        self._opened = opened
        self._most = most
        self._waiting = 0
        self._threads = ThreadPoolExecutor(4, "accounts")
        self._aside = ThreadPoolExecutor(1, "accounts-aside")
        self._stack = ExitStack()
        self._opening = Lock()
        self._asked_of: Asked | None = None

    async def ask(self, question: Callable[[Asked], Answer]) -> Answer:
        """Run a question in a thread of the store. Raises what it raises, and StoreBusyError where too many are waiting
        already."""
        if self._waiting >= self._most:
            raise StoreBusyError("The server is busy right now. Try again in a minute.")
        self._waiting += 1
        asked = self._threads.submit(self._asked, question)
        try:
            answer = asyncio.wrap_future(asked)
            await asyncio.wait([answer], timeout=_PATIENCE)
            # Once begun it is done, and answered: only what nobody has looked at yet can be given up.
            if asked.cancel():
                raise StoreBusyError("The server is busy right now. Try again in a minute.")
            return await answer
        finally:
            self._waiting -= 1

    async def leave_to_do(self, task: Callable[[Asked], Answer]) -> Answer:
        """The same for what nobody waits for, one after the other: it delays no answer."""
        return await asyncio.get_running_loop().run_in_executor(self._aside, self._asked, task)

    def _asked(self, question: Callable[[Asked], Answer]) -> Answer:
        with self._opening:
            if self._asked_of is None:
                self._asked_of = self._stack.enter_context(self._opened())
        return question(self._asked_of)

    async def close(self) -> None:
        """Let go of what was opened, after what was asked already."""
        for threads in (self._threads, self._aside):
            await asyncio.to_thread(threads.shutdown)
        await asyncio.to_thread(self._stack.close)
