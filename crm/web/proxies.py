"""Trusted proxies: whom a request comes from, and over what, where one is in between."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from crm.errors import UsageError

Network = IPv4Network | IPv6Network
ANY = "*"


class TrustedProxies:
    """The middleware that takes `X-Forwarded-For` and `X-Forwarded-Proto` from proxies that are trusted, and from
    nobody else.

    `trusted` are their addresses or networks, separated by commas; '*' trusts every client, which is right where nobody
    but the proxy can (Heroku's router). Each proxy adds to the end of the list, so the last entry that is not itself a
    trusted proxy's is the client; what is before it was written by the client. Raises UsageError.
    """

    def __init__(self, app: ASGIApp, trusted: str) -> None:
        self._app = app
        written = [part.strip() for part in trusted.split(",") if part.strip()]
        self._everybody = ANY in written
        self._networks = [_network(text) for text in written if text != ANY]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            # The header may stand several times; the last word is that of the nearest proxy.
            scheme = ",".join(headers.getlist("x-forwarded-proto")).rpartition(",")[2].strip().lower()
            # A claim that nothing was encrypted is believed: that opens no door.
            scope["crm.unencrypted"] = scheme in ("http", "ws")
            peer = (scope.get("client") or ("", 0))[0]
            if self._everybody or self._is_trusted(peer):
                self._look_behind(scope, headers, peer, scheme)
        await self._app(scope, receive, send)

    def _look_behind(self, scope: Scope, headers: Headers, peer: str, scheme: str) -> None:
        # The header may stand several times; together they are one list.
        hops = [hop.strip() for line in headers.getlist("x-forwarded-for") for hop in line.split(",") if hop.strip()]
        client = next((hop for hop in reversed(hops) if not self._is_trusted(hop)), hops[0] if hops else peer)
        # An entry that is no address was not written by a proxy.
        scope["client"] = (client if _is_address(client) else peer, 0)
        if scheme in ("http", "https", "ws", "wss"):
            secure, web = scheme in ("https", "wss"), scope["type"] == "websocket"
            scope["scheme"] = ("wss" if web else "https") if secure else ("ws" if web else "http")

    def _is_trusted(self, address: str) -> bool:
        if not self._networks or not _is_address(address):
            return False
        ip = ip_address(address)
        return any(ip in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _network(text: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise UsageError(
            f"FORWARDED_ALLOW_IPS cannot be used: {text} is not an address or a network."
            " Write addresses like 10.0.0.0/8, separated by commas, or * where only the proxy can reach this program."
        ) from error
