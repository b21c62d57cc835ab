"""What stands before every page: who may ask, for what, and what a browser may do with the answer."""

from __future__ import annotations

import hmac
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD")
HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?", re.ASCII)
"""Names of this machine that no other site can claim; any port, for tunnels."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "private, no-cache",
}
ASK = "open the whole address that `gen serve` printed\n"


class Guard:
    """Lets through what asks to read, by a name of this machine, under an address that begins with the token.

    The token is part of every address, not a cookie: cookies of one host go to the servers on all its ports.
    """

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # nothing else is served
        refusal, path = self._looked_at(scope)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if refusal is not None:
            await refusal(scope, receive, answer)
        else:
            await self._app({**scope, "path": path, "raw_path": b"", "root_path": ""}, receive, answer)

    def _looked_at(self, scope: Scope) -> tuple[PlainTextResponse | None, str]:
        """A refusal, or the path behind the token."""
        if scope["method"] not in METHODS:
            return PlainTextResponse("only reading\n", 405, {"allow": ", ".join(METHODS)}), ""
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
            return PlainTextResponse("this server has another name\n", 421), ""
        given, slash, rest = scope["path"].removeprefix("/").partition("/")
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._token):
            return PlainTextResponse(ASK, 403), ""
        if not slash:
            return PlainTextResponse(ASK, 404), ""
        return None, f"/{rest}"
