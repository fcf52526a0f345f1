"""The door's process: ``python -m live.door.proxy FILE`` passes requests on as the file says.

Bodies stream both ways; nothing is buffered whole, and nothing is sent twice once an answer has begun.
"""

import ipaddress
import itertools
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

from live.door.configuration import Configuration, endpoints_key, read
from live.door.routes import Route

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding"}
)
"""RFC 9110, section 7.6.1; upgrades are not passed on."""
NOT_PASSED_ON = frozenset({"expect", "x-real-ip"})
IDLE_SECONDS = 3
"""Below uvicorn's five, so that a connection is not used while the server gives it up."""


class Door:
    """Finds a request's route and passes it on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._turns = itertools.count()
        self._session: ClientSession

    async def open(self, _: web.Application) -> None:
        """Open what the requests share."""
        connector = TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS)
        self._session = ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            timeout=ClientTimeout(total=None, sock_connect=10),
        )

    async def close(self, _: web.Application) -> None:
        """Close it."""
        await self._session.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        # Small, and read each time, so that no request goes to a pod that was taken out before.
        configuration = read(self._file)
        route = _route(configuration, request)
        if route is None:
            return web.Response(status=404, text="404 page not found\n")
        if not _allowed(route, request.remote or ""):
            return web.Response(status=403, text="Forbidden\n")
        endpoints = configuration["endpoints"].get(endpoints_key(route), [])
        if not endpoints:
            return web.Response(status=503, text="no available server\n")
        port = endpoints[next(self._turns) % len(endpoints)]
        return await self._pass_on(request, route, port, _request_headers(request, route, configuration["port"]))

    async def _pass_on(
        self, request: web.Request, route: Route, port: int, headers: CIMultiDict[str]
    ) -> web.StreamResponse:
        try:
            answer = await self._session.request(
                request.method,
                URL(f"http://127.0.0.1:{port}{request.raw_path}", encoded=True),
                headers=headers,
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
                data=request.content if request.body_exists else None,
                allow_redirects=False,
            )
        except ClientError:
            return web.Response(status=502, text="Bad Gateway\n")
        async with answer:
            return await _streamed(request, answer, route)


def _route(configuration: Configuration, request: web.Request) -> Route | None:
    host = (URL(f"//{request.host}").host or "").lower()
    for route in configuration["routes"]:
        below = request.path == route["prefix"] or request.path.startswith(route["prefix"].rstrip("/") + "/")
        if host == route["host"] and below:
            return route
    return None


async def _streamed(request: web.Request, answer: ClientResponse, route: Route) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=_kept(answer.headers))
    response.headers.update(route["response_headers"])
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    except (ClientError, ConnectionError):
        # Neither side can be told otherwise that the body ends too early.
        if request.transport:
            request.transport.abort()
    return response


def _allowed(route: Route, address: str) -> bool:
    networks = route["allowed"]
    return networks is None or any(ipaddress.ip_address(address) in ipaddress.ip_network(item) for item in networks)


def _kept(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


def _request_headers(request: web.Request, route: Route, port: int) -> CIMultiDict[str]:
    """What a client claims of the way behind it is believed as little as Traefik does."""
    headers = _kept(request.headers)
    for name in [name for name in headers if name.lower().startswith("x-forwarded-") or name.lower() in NOT_PASSED_ON]:
        headers.popall(name, None)
    address = request.remote or ""
    headers.update({"X-Forwarded-For": address, "X-Real-Ip": address, "X-Forwarded-Host": request.host})
    headers.update({"X-Forwarded-Port": str(port), "X-Forwarded-Proto": "https"})
    for name, value in route["request_headers"].items():
        headers.popall(name, None)
        if value:
            headers[name] = value
    return headers


def main() -> None:
    """Serve until SIGTERM."""
    file = Path(sys.argv[1])
    configuration = read(file)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(configuration["certificate"], configuration["key"])
    door = Door(file)
    application = web.Application(client_max_size=0)
    application.on_startup.append(door.open)
    application.on_cleanup.append(door.close)
    application.router.add_route("*", "/{path:.*}", door.handle)
    web.run_app(
        application,
        host="127.0.0.1",
        port=configuration["port"],
        ssl_context=context,
        access_log=None,
        print=None,
        shutdown_timeout=2,
    )


if __name__ == "__main__":
    main()
