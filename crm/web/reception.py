"""The accounts as the web server asks them: in threads of their own, so that nobody else waits."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from threading import Lock
from typing import TypeVar

from crm.accounts.accounts import Accounts
from crm.errors import StoreBusyError

Answer = TypeVar("Answer")


class Reception:
    """Asks the accounts that `opened` opens, a few questions at a time: one may wait for Google or for Twilio. More
    than `most` at once are refused, because checking a password takes memory and time on purpose."""

    def __init__(self, opened: Callable[[], AbstractContextManager[Accounts]], most: int = 40) -> None:
        self._opened = opened
        self._most = most
        self._waiting = 0
        self._threads = ThreadPoolExecutor(4, "accounts")
        self._aside = ThreadPoolExecutor(1, "accounts-aside")
        self._stack = ExitStack()
        self._opening = Lock()
        self._accounts: Accounts | None = None

    async def ask(self, question: Callable[[Accounts], Answer]) -> Answer:
        """What the question returns or raises; raises StoreBusyError where too many are waiting already."""
        if self._waiting >= self._most:
            raise StoreBusyError("Too many people are signing in at this moment. Try again in a minute.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._asked, question)
        finally:
            self._waiting -= 1

    async def leave_to_do(self, task: Callable[[Accounts], Answer]) -> Answer:
        """The same for what nobody waits for, one after the other: it delays no answer."""
        return await asyncio.get_running_loop().run_in_executor(self._aside, self._asked, task)

    def _asked(self, question: Callable[[Accounts], Answer]) -> Answer:
        with self._opening:
            if self._accounts is None:
                self._accounts = self._stack.enter_context(self._opened())
        return question(self._accounts)

    async def close(self) -> None:
        """Lets go of the accounts, after what was asked already."""
        for threads in (self._threads, self._aside):
            await asyncio.to_thread(threads.shutdown)
        await asyncio.to_thread(self._stack.close)
