"""Whom connections trust, and through which proxies they go.

The rules are uv's, since what lets uv through has to let nixgen's own downloads through: its manual's "TLS
certificates" and, for proxies, what reqwest reads.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nixgen.uv_settings import UvSettings

if TYPE_CHECKING:
    import ssl

    import httpx

_log = logging.getLogger(__name__)

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Whose certificates are believed, and which one is shown.

    Attributes:
        files: certificates of authorities; where there are any, they are the only ones.
        system: whether the machine's own authorities are believed else, and not the bundled ones.
        client: a certificate with its key, shown to servers that ask for one.
        insecure_hosts: hosts whose certificate is not looked at, as ``UvSettings`` has them.
    """

    files: tuple[Path, ...] = ()
    system: bool = False
    client: Path | None = None
    insecure_hosts: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, settings: UvSettings, environ: Mapping[str, str] | None = None) -> Trust:
        """Read ``SSL_CERT_FILE``, ``SSL_CERT_DIR`` (several directories) and ``SSL_CLIENT_CERT``.

        As with uv, what such a variable names and is not there is passed over, with a warning.
        """
        environ = os.environ if environ is None else environ
        return cls(
            files=(
                *_existing("SSL_CERT_FILE", [environ.get("SSL_CERT_FILE", "")]),
                *(
                    file
                    for directory in _existing("SSL_CERT_DIR", environ.get("SSL_CERT_DIR", "").split(os.pathsep))
                    if directory.is_dir()
                    for file in sorted(directory.iterdir())
                    if file.is_file()
                ),
            ),
            system=settings.system_certificates,
            client=next(iter(_existing("SSL_CLIENT_CERT", [environ.get("SSL_CLIENT_CERT", "")])), None),
            insecure_hosts=settings.insecure_hosts,
        )

    def is_insecure(self, url: httpx.URL) -> bool:
        """Tell whether the certificate of a URL's server is not looked at."""
        port = url.port or _PORTS.get(url.scheme)
        for said in self.insecure_hosts:
            if said == "*":
                return True
            parts = urlsplit(said if "://" in said else f"//{said}")
            try:
                asked = parts.port
            except ValueError:  # a port that is no number
                continue
            if (
                parts.hostname == url.host
                and (not parts.scheme or parts.scheme == url.scheme)
                and asked in (None, port)
            ):
                return True
        return False

    @functools.cache  # noqa: B019 - a process has one or two, and the machine's certificates take long to read
    def context(self, *, insecure: bool = False) -> ssl.SSLContext:
        """Return the TLS context of connections, which all of them share.

        Args:
            insecure: whether to look at no certificate.

        Raises:
            OSError: the bundled certificates or the client's cannot be read (``ssl.SSLError`` is one).
        """
        import ssl  # most commands ask nobody

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif not _load(context, self.files):
            if self.system:
                context.load_default_certs()
            else:
                import certifi

                context.load_verify_locations(certifi.where())
        if self.client is not None:
            context.load_cert_chain(self.client)
        return context


@dataclass(frozen=True, kw_only=True)
class Proxies:
    """Which proxy a request goes through.

    Attributes:
        by_scheme: URLs of proxies, for ``http``, ``https`` or, where those say nothing, ``all``.
        none: hosts that are asked directly: a domain with all below it, an address, a network, or ``*``.
    """

    by_scheme: Mapping[str, str] = field(default_factory=dict, repr=False)
    none: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, settings: UvSettings, environ: Mapping[str, str] | None = None) -> Proxies:
        """Read ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``, in capitals or else in small letters.

        Where they say nothing, uv's settings do; of macOS its own settings.
        """
        environ = os.environ if environ is None else environ
        found: dict[str, str] = {}
        if sys.platform == "darwin":
            import urllib.request

            found |= urllib.request.getproxies()
        found |= settings.proxies
        for name in ("http", "https", "all", "no"):
            if value := environ.get(f"{name.upper()}_PROXY", environ.get(f"{name}_proxy")):
                found[name] = value
        none = (host.strip().lower() for host in found.pop("no", "").split(","))
        return cls(
            by_scheme={name: url if "://" in url else f"http://{url}" for name, url in found.items()},
            none=tuple(filter(None, none)),
        )

    def of(self, url: httpx.URL) -> str | None:
        """Return the proxy of a URL, None where its server is asked directly."""
        proxy = self.by_scheme.get(url.scheme) or self.by_scheme.get("all")
        return None if proxy is None or any(_covers(said, url.host) for said in self.none) else proxy


def _existing(variable: str, texts: Iterable[str]) -> Iterator[Path]:
    for text in filter(None, texts):
        path = Path(text)
        if path.exists():
            yield path
        else:
            _log.warning("%s names %s, which is not there: it is passed over", variable, text)


def _load(context: ssl.SSLContext, files: Iterable[Path]) -> bool:
    """Let a context believe the certificates of some files, and tell whether there were any."""
    loaded = False
    # Each is there under several names, as OpenSSL and Debian have it; reading one takes 0.3 ms.
    for file in {os.path.realpath(file): file for file in files}.values():
        with contextlib.suppress(OSError, ValueError):  # no certificates
            context.load_verify_locations(file)
            loaded = True
    return loaded


def _covers(said: str, host: str) -> bool:
    """Tell whether an entry of ``NO_PROXY`` is about a host."""
    if said == "*":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")) in ipaddress.ip_network(said, strict=False)
    except ValueError:
        domain = said.lstrip(".")
        return host == domain or host.endswith(f".{domain}")
