"""Signing in and out: the password, then the code of a second factor."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import quote, unquote

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crm.accounts import SecondFactorAsked, SignedIn
from crm.errors import CRMError, OutwardError, SignInRefusedError, TooManyAttemptsError
from crm.web import cookies
from crm.web.pages import page
from crm.web.site import Site

_NOTES = {
    "signed-out": "You are signed out.",
    "changed": "Your password was changed. Sign in with the new one.",
    "over": "Your session is over. Please sign in again.",
}
_SENT_AGAIN = "A new code is on its way."
# The part of the user agent that is stored: enough to recognize a device in a list.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("CrOS", "ChromeOS"), ("Mac OS", "macOS"), ("Linux", "Linux")),
)


class SignInPages:
    """The pages that let people in, and out again."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> Sequence[Route]:
        """The routes."""
        return (
            Route("/sign-in", self._ask, methods=["GET"]),
            Route("/sign-in", self._sign_in, methods=["POST"]),
            Route("/sign-in/code", self._ask_code, methods=["GET"]),
            Route("/sign-in/code", self._answer, methods=["POST"]),
            Route("/sign-in/code/again", self._send_again, methods=["POST"]),
            Route("/sign-out", self._ask_whether, methods=["GET"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
        )

    async def _ask(self, request: Request) -> Response:
        if await self._site.signed_in(request):
            return RedirectResponse("/", 303)
        return self._form(request, note=_NOTES.get(request.query_params.get("note", ""), ""))

    def _form(self, request: Request, *, email: str = "", note: str = "", error: CRMError | None = None) -> Response:
        return self._site.form(request, "sign_in", error, email=email, note=note)

    async def _sign_in(self, request: Request) -> Response:
        fields = await self._site.read(request)
        email, password = fields.get("email", "").strip(), fields.get("password", "")
        address, device = where(request)
        try:
            outcome = await self._site.accounts.ask(
                lambda accounts: accounts.authentication.sign_in(email, password, address=address, device=device)
            )
        except (SignInRefusedError, TooManyAttemptsError, OutwardError) as error:
            return self._form(request, email=email, error=error)
        if isinstance(outcome, SecondFactorAsked):
            answer = RedirectResponse("/sign-in/code", 303)
            token = f"{outcome.method}.{quote(outcome.hint, safe='')}.{outcome.token}"
            cookies.set_cookie(answer, request, cookies.SECOND_STEP, token, cookies.SECOND_STEP_SECONDS)
            return answer
        return await self._let_in(request, outcome)

    async def _ask_code(self, request: Request) -> Response:
        if not cookies.read_cookie(request, cookies.SECOND_STEP):
            return RedirectResponse("/sign-in", 303)
        return self._code_form(request)

    def _code_form(self, request: Request, *, error: CRMError | None = None, note: str = "") -> Response:
        method, hint, _ = self._second_step(request)
        return self._site.form(request, "code", error, by_sms=method == "sms", hint=hint, note=note)

    def _second_step(self, request: Request) -> tuple[str, str, str]:
        """The way that the code comes, where it was sent, and the token that it answers."""
        method, _, rest = cookies.read_cookie(request, cookies.SECOND_STEP).partition(".")
        hint, _, token = rest.partition(".")
        return method, unquote(hint)[:20], token

    async def _answer(self, request: Request) -> Response:
        fields = await self._site.read(request)
        token = self._second_step(request)[2]
        code = fields.get("code", "").strip()
        address, device = where(request)
        try:
            signed_in = await self._site.accounts.ask(
                lambda accounts: accounts.authentication.answer(token, code, address=address, device=device)
            )
        except (SignInRefusedError, TooManyAttemptsError) as error:
            return self._code_form(request, error=error)
        return await self._let_in(request, signed_in)

    async def _send_again(self, request: Request) -> Response:
        await self._site.read(request)
        token = self._second_step(request)[2]
        try:
            await self._site.accounts.ask(lambda accounts: accounts.authentication.send_again(token))
        except (SignInRefusedError, TooManyAttemptsError, OutwardError) as error:
            return self._code_form(request, error=error)
        return self._code_form(request, note=_SENT_AGAIN)

    async def _let_in(self, request: Request, who: SignedIn) -> Response:
        before = await self._site.signed_in(request)
        if before:
            await self._site.leave(before.session, "You have signed in again in this browser.")
        request.scope["crm.session"] = who.session
        return self._site.welcome(request, who, to="/password" if who.must_change else "/")

    async def _ask_whether(self, request: Request) -> Response:
        who = await self._site.signed_in(request)
        return self._site.form(request, "sign_out", email=who.email) if who else sign_in_first(request)

    async def _sign_out(self, request: Request) -> Response:
        await self._site.read(request)
        who = await self._site.signed_in(request)
        if who:
            await self._site.leave(who.session, "You are signed out.")
        answer = RedirectResponse("/sign-in?note=signed-out", 303)
        for name in (cookies.SESSION, cookies.SECOND_STEP, cookies.FORM):
            cookies.drop_cookie(answer, request, name)
        return answer


def where(request: HTTPConnection) -> tuple[str, str]:
    """The address and the device of a browser, as a list of sessions shows them."""
    return (request.client.host if request.client else ""), device_of(request.headers.get("user-agent", ""))


def device_of(agent: str) -> str:
    """A browser and its system, like 'Firefox on Linux'; '' where it does not say."""
    browser = _first(agent, _BROWSERS, lambda mark: rf"\b{mark}\w*/")
    system = _first(agent, _SYSTEMS, re.escape)
    return " on ".join(filter(None, (browser, system)))


def _first(agent: str, known: Sequence[tuple[str, str]], pattern: Callable[[str], str]) -> str:
    return next((name for mark, name in known if re.search(pattern(mark), agent)), "")


def sign_in_first(request: Request) -> Response:
    """Lead to the sign-in. After a link on another site the browser has not shown its cookie yet: it is sent round
    once more, by a page of ours."""
    if request.headers.get("sec-fetch-site") == "cross-site":
        return page("onward", {"to": "/sign-in"})
    over = "?note=over" if cookies.read_cookie(request, cookies.SESSION) else ""
    answer = RedirectResponse(f"/sign-in{over}", 303)
    if over:
        cookies.drop_cookie(answer, request, cookies.SESSION)
    return answer
