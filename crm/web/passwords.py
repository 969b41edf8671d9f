"""Passwords: a new one for somebody who is signed in, and a way back in for who has forgotten it."""

from collections.abc import Sequence

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crm.errors import CRMError, FieldError, SignedOutError, SignInRefusedError, TooManyAttemptsError
from crm.web.access_log import log
from crm.web.origins import is_loopback, origin_of
from crm.web.pages import notice
from crm.web.sign_in import sign_in_first, where
from crm.web.site import Site

_DIFFER = "The new passwords do not match. Type the same one twice."


class PasswordPages:
    """The pages about passwords."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> Sequence[Route]:
        """The routes."""
        return (
            Route("/password", self._ask_new, methods=["GET"]),
            Route("/password", self._change, methods=["POST"]),
            Route("/forgotten", self._ask_address, methods=["GET"]),
            Route("/forgotten", self._send_link, methods=["POST"]),
            Route("/reset/{token:str}", self._ask_reset, methods=["GET"]),
            Route("/reset/{token:str}", self._reset, methods=["POST"]),
        )

    async def _ask_new(self, request: Request) -> Response:
        who = await self._site.signed_in(request)
        if not who:
            return sign_in_first(request)
        return self._site.form(request, "password", must_change=who.must_change, email=who.email)

    async def _change(self, request: Request) -> Response:
        fields = await self._site.read(request)
        who = await self._site.signed_in(request)
        if not who:
            return sign_in_first(request)
        current, new = fields.get("current", ""), fields.get("new", "")
        try:
            if new != fields.get("again", ""):
                raise FieldError(_DIFFER)
            await self._site.accounts.ask(
                lambda accounts: accounts.self_service.change_password(who.user, current, new, but=who.session)
            )
        except SignedOutError:
            self._site.sessions.forget(who.session)
            return sign_in_first(request)
        except (FieldError, SignInRefusedError, TooManyAttemptsError) as error:
            return self._site.form(request, "password", error, must_change=who.must_change, email=who.email)
        self._site.sessions.forget(who.session)
        return RedirectResponse("/", 303)

    async def _ask_address(self, request: Request) -> Response:
        if not await self._can_mail(request):
            return notice("Forgot password", "Please ask an admin of your team for a new one-time password.", 200)
        return self._site.form(request, "forgotten", sent=False)

    async def _can_mail(self, request: Request) -> bool:
        # A link leads to the address that the browser named, unless this program knows its own: somebody else could
        # have named another one.
        host = origin_of(request.scope).partition("://")[2]
        if not self._site.has_fixed_origin and not is_loopback(host):
            return False
        return await self._site.accounts.ask(lambda accounts: accounts.self_service.can_mail)

    async def _send_link(self, request: Request) -> Response:
        fields = await self._site.read(request)
        if not await self._can_mail(request):
            return RedirectResponse("/forgotten", 303)
        email = fields.get("email", "").strip()
        address, _ = where(request)
        origin = origin_of(request.scope)

        async def send() -> None:
            try:
                await self._site.accounts.ask(
                    lambda accounts: accounts.self_service.ask_reset(
                        email, address=address, link=lambda token: f"{origin}/reset/{token}"
                    )
                )
            except CRMError as error:
                log.warning("no link was sent", exc_info=error)

        answer = self._site.form(request, "forgotten", sent=True)
        # Once the answer is out, so that its time does not tell whether there is such an account.
        answer.background = BackgroundTask(send)
        return answer

    async def _ask_reset(self, request: Request) -> Response:
        return self._site.form(request, "reset")

    async def _reset(self, request: Request) -> Response:
        fields = await self._site.read(request)
        token, new = request.path_params["token"], fields.get("new", "")
        try:
            if new != fields.get("again", ""):
                raise FieldError(_DIFFER)
            await self._site.accounts.ask(lambda accounts: accounts.self_service.reset_password(token, new))
        except (FieldError, SignInRefusedError, TooManyAttemptsError) as error:
            return self._site.form(request, "reset", error)
        return RedirectResponse("/sign-in?note=changed", 303)
