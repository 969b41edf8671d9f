"""A transport without a network: requests of this process are answered at once, by the stand-in's own code."""

import io
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from .calls import Reply
from .server import Handler, Server, written


class Direct(HTTPAdapter):
    """A transport that answers requests to the stand-in behind `server`. All others go over the network, and so does
    everything while a fault is set."""

    def __init__(self, server: Server, **given: Any) -> None:
        super().__init__(**given)
        self._server = server

    def send(self, request: requests.PreparedRequest, *given: Any, **named: Any) -> requests.Response:
        traffic = self._server.service.traffic
        on_its_way = traffic.faults or traffic.latency
        if on_its_way or not (request.url or "").startswith(f"{self._server.url}/"):
            return super().send(request, *given, **named)
        return _Exchange(self._server, request).response()


class _Exchange(Handler):
    """One request and its reply."""

    def __init__(self, server: Server, request: requests.PreparedRequest) -> None:
        # There is no connection for the base class to serve.
        self.server = server
        self._request = request
        self.command = request.method or "GET"
        self.path = request.path_url
        self.headers = request.headers  # type: ignore[assignment]
        self._reply: tuple[Reply, bytes] | None = None

    def response(self) -> requests.Response:
        """The reply."""
        self._answer()
        assert self._reply is not None
        reply, content = self._reply
        response = requests.Response()
        response.status_code = reply.code
        response.headers = CaseInsensitiveDict({"Content-Type": reply.content_type})
        response.url = self._request.url or ""
        response.request = self._request
        response.raw = io.BytesIO(content)
        return response

    def _body(self) -> bytes:
        body = self._request.body or b""
        if isinstance(body, str):
            return body.encode()
        return body if isinstance(body, bytes) else b"".join(body)

    def _send(self, reply: Reply, cut: int | None = None) -> int:
        self._reply = reply, written(reply)
        return len(self._reply[1])
