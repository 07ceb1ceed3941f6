"""How a request goes out: with which login, and by which connection."""

from __future__ import annotations

from collections.abc import Generator

import httpx

from nixgen.credentials import Credentials
from nixgen.wheels.trust import Proxies, Trust


class OriginAuth(httpx.Auth):
    """Log in by the origin of each single request, so that a redirect elsewhere takes nothing along."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the login of the request's own origin, or none."""
        header = self._credentials.authorization(str(request.url))
        if header is not None:
            request.headers["Authorization"] = header
        yield request


class Connections(httpx.AsyncBaseTransport):
    """Send each request by its own connection, made when it is needed first.

    Args:
        trust: whom to believe.
        proxies: whom to go through.
        limits: of connections, for each way.
    """

    def __init__(self, *, trust: Trust, proxies: Proxies, limits: httpx.Limits) -> None:
        self._trust, self._proxies, self._limits = trust, proxies, limits
        self._made: dict[tuple[str | None, bool], httpx.AsyncHTTPTransport] = {}
        self._transport(None, False)  # what is wrong with the certificates is said at once
        for proxy in set(proxies.by_scheme.values()):
            self._transport(proxy, False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        transport = self._transport(self._proxies.of(request.url), self._trust.is_insecure(request.url))
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in self._made.values():
            await transport.aclose()

    def _transport(self, proxy: str | None, insecure: bool) -> httpx.AsyncHTTPTransport:
        found = self._made.get((proxy, insecure))
        if found is None:
            found = self._made[proxy, insecure] = httpx.AsyncHTTPTransport(
                verify=self._trust.context(insecure=insecure),
                limits=self._limits,
                proxy=None
                if proxy is None
                else httpx.Proxy(proxy, ssl_context=self._trust.context() if proxy.startswith("https:") else None),
            )
        return found
