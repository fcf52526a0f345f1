"""HTTP to Traefik on a node by the public names that it routes, as public DNS would lead there."""

import ssl

import httpx


class PublicTransport(httpx.BaseTransport):
    """Connects to ``port`` of 127.0.0.1 whatever host a request names, which TLS and the Host header still do.

    ``retries`` is how often a connection that fails is tried again, before a request is sent.

    A transport for each host: connections are pooled by address, and Traefik chooses by the name in the TLS handshake.
    """

    def __init__(self, port: int, *, verify: ssl.SSLContext, retries: int = 0) -> None:
        self._port, self._verify, self._retries = port, verify, retries
        self._by_host: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        passed = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1", port=self._port),
            # With the Host header of the request, which httpx would derive from the changed address.
            headers=request.headers.raw,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        if host not in self._by_host:
            self._by_host[host] = httpx.HTTPTransport(verify=self._verify, retries=self._retries)
        return self._by_host[host].handle_request(passed)

    def close(self) -> None:
        for transport in self._by_host.values():
            transport.close()
