"""Sessions of the web server: who is signed in."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from time import monotonic

from crm.accounts import SignedIn
from crm.accounts.accounts import Accounts
from crm.web.store_threads import StoreThreads

# No session outlives its end by more than this.
FRESH = 10.0
_MOST = 1000


class Sessions:
    """The lookup of sessions by what the browser holds. One that was found holds for `FRESH` seconds without asking
    again; nothing else is remembered."""

    def __init__(self, accounts: StoreThreads[Accounts]) -> None:
        self._accounts = accounts
        self._signed_in: OrderedDict[bytes, tuple[float, SignedIn]] = OrderedDict()
        self._forgotten = 0

    async def of(self, token: str) -> SignedIn | None:
        """The session that a browser's token belongs to, None where there is none. Raises StoreError."""
        if not token or len(token) > 200:
            return None
        key = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        since, signed_in = self._signed_in.get(key, (0.0, None))
        if signed_in and monotonic() - since < FRESH:
            return signed_in
        asked, forgotten = monotonic(), self._forgotten
        signed_in = await self._accounts.ask(lambda accounts: accounts.sessions.find(token))
        self._signed_in.pop(key, None)
        # What was found before a session ended may be that session.
        if signed_in and forgotten == self._forgotten:
            self._signed_in[key] = (asked, signed_in)
            if len(self._signed_in) > _MOST:
                self._signed_in.popitem(last=False)
        return signed_in

    async def over(self, sessions: Iterable[int]) -> list[int]:
        """The sessions, of those given, that are over. Raises StoreError."""
        asked = sorted(sessions)

        def look(accounts: Accounts) -> list[int]:
            return [token for token in asked if accounts.sessions.still_holds(token) is None]

        ended = await self._accounts.ask(look) if asked else []
        for session in ended:
            self.forget(session)
        return ended

    def forget(self, session: int) -> None:
        """Forget a session, so that it is looked up again."""
        self._forgotten += 1
        for key in [key for key, (_, entry) in self._signed_in.items() if entry.session == session]:
            del self._signed_in[key]

    async def check_readable(self) -> None:
        """Return where the store can be read. Raises StoreError."""
        await self._accounts.ask(lambda accounts: accounts.store.exist())

    async def close(self) -> None:
        """Let go of the accounts that were asked."""
        await self._accounts.close()
