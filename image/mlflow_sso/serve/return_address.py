"""Leads a browser back to where it wanted to go before it had to log in, and nowhere else.

MLflow's pages are told apart by what follows ``#``, which no browser sends. So who has to log in gets a page whose
script hands the whole address to ``/login?next=``; without scripts the server's part of it is handed over.
"""

import html
import re
from base64 import b64encode
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote, urlencode

from mlflow_sso.asgi import Application, Receive, Scope, Send

LOGIN, NEXT = "/login", "next"
ELSEWHERE = ("/login", "/logout", "/callback")
"""Where no login may lead: the first would begin anew, the second end it."""
MAX_CHARACTERS = 2000
PLAIN = re.compile(r"/(?![/\\])[^\s\\]*")

SCRIPT = """
const link = document.getElementById("login");
const remember = () => {
  link.search = "?next=" + encodeURIComponent(location.pathname + location.search + location.hash);
};
remember();
window.addEventListener("hashchange", remember);
if (document.body.dataset.automatic) { location.replace(link.href); }
"""
STYLE = "body { font: 1rem sans-serif; margin: 20vh auto; text-align: center }"
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Log in to MLflow</title>
<style>{style}</style>{refresh}</head>
<body{automatic}>
<h1>MLflow</h1>
<p>Log in with</p>
<p><a id="login" href="{address}">{provider}</a></p>
<script>{script}</script>
</body>
</html>
"""


def is_safe(address: str) -> bool:
    """Whether a login may lead to ``address``: a path of this server, however a browser or a proxy reads it."""
    path = re.split("[?#]", address, maxsplit=1)[0]
    decoded = unquote(unquote(path))
    return (
        len(address) <= MAX_CHARACTERS
        and address.isprintable()
        and PLAIN.fullmatch(address) is not None
        and PLAIN.fullmatch(decoded) is not None
        and "//" not in decoded
        and not decoded.startswith(ELSEWHERE)
    )


def login_address(target: str) -> str:
    """``/login`` that leads to ``target``, or to the usual page if that is not safe."""
    return f"{LOGIN}?{NEXT}={quote(target, safe='')}" if is_safe(target) else LOGIN


def login_page(target: str, *, automatic: bool, provider: str) -> bytes:
    """The page for a browser that asked for ``target``, path and query; ``automatic`` leaves it at once."""
    address = html.escape(login_address(target))
    return PAGE.format(
        style=STYLE,
        script=SCRIPT,
        address=address,
        provider=html.escape(provider),
        automatic=' data-automatic="true"' if automatic else "",
        refresh=f'<noscript><meta http-equiv="refresh" content="0;url={address}"></noscript>' if automatic else "",
    ).encode()


def _source(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": f"default-src 'none'; script-src {_source(SCRIPT)}; style-src {_source(STYLE)}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
"""Headers of the page: nothing but its own script runs in it, and no other page frames it."""


class SafeReturns:
    """ASGI middleware: ``/login`` is asked with one safe ``next``, or with none."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(LOGIN):
            scope = {**scope, "query_string": only_safe_return(scope["query_string"])}
        await self._application(scope, receive, send)


def only_safe_return(query: bytes) -> bytes:
    """What is left of the query of ``/login``; ``/`` is left to the plugin, which may know a better page."""
    try:
        found = [value for name, value in parse_qsl(query.decode("ascii"), errors="strict") if name == NEXT]
    except ValueError:
        return b""
    if len(found) != 1 or found[0] == "/" or not is_safe(found[0]):
        return b""
    return urlencode({NEXT: found[0]}).encode()
