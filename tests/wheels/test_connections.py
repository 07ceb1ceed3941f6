"""By which connection a request goes."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import certifi
import httpx
import pytest

from nixgen.uv_settings import UvSettings
from nixgen.wheels.trust import Proxies, Trust


def proxies(settings: UvSettings | None = None, **variables: str) -> Proxies:
    """Return what an environment of these variables alone says."""
    return Proxies.from_environment(settings or UvSettings(), variables)


def test_which_proxy() -> None:
    """That of the scheme, else that for all; in capitals or not, with a scheme or without."""
    found = proxies(HTTPS_PROXY="https://tls:3", all_proxy="any:1")
    assert found.of(httpx.URL("https://a/x")) == "https://tls:3"
    assert found.of(httpx.URL("http://a/x")) == "http://any:1"
    assert proxies().of(httpx.URL("http://a/x")) is None
    assert (
        proxies(HTTP_PROXY="http://first:1", http_proxy="http://second:1").of(httpx.URL("http://a/x"))
        == "http://first:1"
    )
    settings = UvSettings(proxies={"http": "http://said:1", "no": "b"})
    assert proxies(settings).of(httpx.URL("http://a/x")) == "http://said:1"
    assert proxies(settings).of(httpx.URL("http://b/x")) is None
    assert "secret" not in repr(proxies(HTTP_PROXY="http://me:secret@a"))


@pytest.mark.parametrize(
    ("said", "url", "direct"),
    [
        ("example.org", "http://example.org/x", True),
        ("example.org", "http://a.example.org/x", True),
        (".example.org", "http://a.example.org/x", True),
        ("example.org", "http://anexample.org/x", False),
        ("EXAMPLE.org , b", "http://example.org/x", True),
        ("10.0.0.0/8", "http://10.1.2.3/x", True),
        ("10.0.0.0/8", "http://11.1.2.3/x", False),
        ("127.0.0.1", "http://127.0.0.1:8080/x", True),
        ("::1", "http://[::1]:8080/x", True),
        ("*", "http://anything/x", True),
        ("", "http://anything/x", False),
    ],
)
def test_hosts_without_a_proxy(said: str, url: str, direct: bool) -> None:
    """Domains with all below them, addresses and networks."""
    found = proxies(HTTP_PROXY="http://proxy:1", NO_PROXY=said)
    assert (found.of(httpx.URL(url)) is None) == direct


@pytest.mark.parametrize(
    ("said", "url", "insecure"),
    [
        ("a", "https://a:8443/x", True),
        ("a:8443", "https://a:8443/x", True),
        ("a:443", "https://a/x", True),
        ("a:8443", "https://a/x", False),
        ("https://a", "https://a/x", True),
        ("http://a", "https://a/x", False),
        ("b", "https://a.b/x", False),
        ("*", "https://a/x", True),
        ("a:port", "https://a/x", False),
    ],
)
def test_hosts_that_are_not_checked(said: str, url: str, insecure: bool) -> None:
    """A host, perhaps at a port or by a scheme; nothing below it."""
    assert Trust(insecure_hosts=(said,)).is_insecure(httpx.URL(url)) == insecure


def test_what_is_not_there_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As uv does, and says so; the bundled authorities are believed then."""
    environ = {name: str(tmp_path / name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT")}
    with caplog.at_level(logging.WARNING):
        trust = Trust.from_environment(UvSettings(), environ)
    assert trust == Trust()
    assert [name for name in environ if name in caplog.text] == list(environ)
    assert trust.context().get_ca_certs()
    (tmp_path / "SSL_CERT_FILE").write_text("no certificate\n")
    assert Trust.from_environment(UvSettings(), environ).context().get_ca_certs()


def test_a_client_certificate_that_is_none(tmp_path: Path) -> None:
    """A file that is no certificate with its key is an error."""
    (tmp_path / "client.pem").write_text("no certificate\n")
    with pytest.raises(ssl.SSLError):
        Trust(client=tmp_path / "client.pem").context()


def test_the_machines_own_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they are wanted they are believed, and not the bundled ones."""
    first = Path(certifi.where()).read_text().split("-----END CERTIFICATE-----")[0]
    (tmp_path / "machine.pem").write_text(f"{first}-----END CERTIFICATE-----\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "machine.pem"))  # where OpenSSL looks for them
    assert len(Trust(system=True).context().get_ca_certs()) == 1
    assert len(Trust().context().get_ca_certs()) > 10
