"""Opting out of mailings by the link that goes with them, without signing in."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crm.web.pages import notice, page
from crm.web.store_threads import StoreThreads

# Says whether a link is whole, by what is in it; told to, it also does what the link is for. Raises StoreError.
Follow = Callable[[str, bool], bool]


class UnsubscribePages:
    """The page that a link in a mailing opens. Opening it changes nothing, since programs that look for harmful mail
    open every link; its button does, and so does the one that mail programs show beside the sender (RFC 8058). It
    tells nobody whom it is about."""

    def __init__(self, links: StoreThreads[Follow]) -> None:
        self._links = links

    def routes(self) -> Sequence[Route]:
        """The routes."""
        return (
            Route("/opt-out/{token:str}", self._ask, methods=["GET"]),
            Route("/opt-out/{token:str}", self._do, methods=["POST"]),
        )

    async def _ask(self, request: Request) -> Response:
        return await self._answer(request, act=False)

    async def _do(self, request: Request) -> Response:
        # What is in the body says nothing more: a post to the link is meant.
        return await self._answer(request, act=True)

    async def _answer(self, request: Request, *, act: bool) -> Response:
        token = str(request.path_params["token"])
        if not await self._links.ask(lambda follow: follow(token, act)):
            message = "This link is incomplete. Copy all of it from the e-mail, or reply to the e-mail instead."
            return notice("Unsubscribe", message, 404)
        return page("opt_out", {"done": act})
