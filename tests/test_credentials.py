"""Credentials: which login goes where, and that none goes anywhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from nixgen.credentials import (
    Credentials,
    NamedIndex,
    has_unescaped_login,
    public_url,
    redacted,
    secrets_of,
    without_credentials,
)
from tests.support.server import WheelServer, basic
from tests.support.wheels import make_wheel


def environment(home: Path, **variables: str) -> dict[str, str]:
    return {"HOME": str(home), **variables}


def test_a_login_belongs_to_scheme_host_and_port(tmp_path: Path) -> None:
    """The login of an input's URL goes to the same origin only; the default port counts as named."""
    credentials = Credentials.from_environment(
        ["https://me:p%40ss@files.example.org/x.whl"], environ=environment(tmp_path)
    )
    assert credentials.login("https://files.example.org/other.whl") == ("me", "p@ss")
    assert credentials.login("https://FILES.example.org:443/other.whl") == ("me", "p@ss")
    assert credentials.login("http://files.example.org/x.whl") is None
    assert credentials.login("https://files.example.org:8443/x.whl") is None
    assert credentials.login("https://example.org/x.whl") is None


@pytest.mark.parametrize("variable", ["UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL"])
def test_indexes_of_the_environment_give_their_logins(tmp_path: Path, variable: str) -> None:
    """Every variable that uv reads indexes from gives logins, with names and in lists too."""
    value = "https://a.example.org/simple corp=https://me:secret@b.example.org/simple"
    credentials = Credentials.from_environment(environ=environment(tmp_path, **{variable: value}))
    assert credentials.login("https://b.example.org/x.whl") == ("me", "secret")
    assert credentials.login("https://a.example.org/x.whl") is None


def test_a_named_index_takes_its_login_from_variables(tmp_path: Path) -> None:
    """UV_INDEX_NAME_USERNAME and _PASSWORD log in at the index of that name."""
    credentials = Credentials.from_environment(
        indexes=[NamedIndex.parse("my-corp=https://b.example.org/simple")],
        environ=environment(tmp_path, UV_INDEX_MY_CORP_USERNAME="me", UV_INDEX_MY_CORP_PASSWORD="secret"),
    )
    assert credentials.login("https://b.example.org/files/x.whl") == ("me", "secret")


def test_netrc_is_asked_last(tmp_path: Path) -> None:
    """A host without a login of its own gets that of netrc, whether NETRC names it or it lies at home."""
    (tmp_path / ".netrc").write_text("machine a.example.org login n password p\n")
    (tmp_path / ".netrc").chmod(0o600)
    home = Credentials.from_environment(["https://me:s@b.example.org/"], environ=environment(tmp_path))
    assert home.login("https://a.example.org/x") == ("n", "p")
    assert home.login("https://b.example.org/x") == ("me", "s")
    assert home.login("https://c.example.org/x") is None
    other = tmp_path / "other"
    other.write_text("machine c.example.org login n password p\n")
    other.chmod(0o600)
    named = Credentials.from_environment(environ=environment(tmp_path, NETRC=str(other)))
    assert named.login("https://c.example.org/x") == ("n", "p")
    assert named.login("https://a.example.org/x") is None


def test_a_broken_netrc_is_none(tmp_path: Path) -> None:
    """A netrc that cannot be parsed is ignored, and without any login there is nothing to log in with."""
    (tmp_path / ".netrc").write_text("machine\n")
    assert Credentials.from_environment(environ=environment(tmp_path)).auth() is None


def test_a_secret_is_in_no_representation(tmp_path: Path) -> None:
    """Neither credentials nor indexes print what they hold."""
    url = "https://me:topsecret@example.org/simple"
    index = NamedIndex.parse(f"corp={url}")
    credentials = Credentials.from_environment([url], [index], environ=environment(tmp_path))
    assert "topsecret" not in repr(credentials) + repr(index)


def test_a_download_logs_in_and_a_redirect_elsewhere_does_not(
    serve: Callable[..., WheelServer], tmp_path: Path
) -> None:
    """The login reaches its own host; when that redirects to another host, the login stays behind."""
    wheel = make_wheel()
    other = serve(wheel)
    server = serve(wheel, user="me:secret")
    url = server.base.replace("http://", "http://me:secret@")
    credentials = Credentials.from_environment([url], environ=environment(tmp_path))
    with httpx.Client(auth=credentials.auth(), follow_redirects=True) as client:
        assert client.get(server.url(wheel[0])).status_code == 200
        assert server.wheel_requests[-1].headers["authorization"] == basic("me:secret")
        server.behaviour = type(server.behaviour)(redirect=other.base)
        assert client.get(server.url(wheel[0])).content == wheel[1]
    assert "authorization" not in other.wheel_requests[-1].headers


def test_messages_carry_no_login() -> None:
    """A URL loses its login, and so does every URL in a text."""
    assert without_credentials("https://me:s@example.org:8080/a?b#c") == "https://example.org:8080/a?b#c"
    assert without_credentials("https://example.org/a@b") == "https://example.org/a@b"
    text = "cannot get `https://me:s@cret@example.org/x` nor http://tok@h/ but mail@example.org"
    assert redacted(text) == "cannot get `https://****@example.org/x` nor http://****@h/ but mail@example.org"


@pytest.mark.parametrize("password", ["s/ecret", "s#ecret", "s?ecret", "s'ecret", "s@ecret", "sécret", "s[ecret"])
def test_a_password_with_any_sign_is_redacted(password: str) -> None:
    """Also one that should have been escaped, and was not."""
    said = redacted(f"cannot get `https://me:{password}@example.org/x`: no route")
    assert "ecret" not in said
    assert "example.org" in said and said.endswith(": no route")


@pytest.mark.parametrize(
    "url", ["https://me:1/x@example.org/y.whl", "https://me:22?x@example.org", "https://me@h:1/x@e.org:8/y"]
)
def test_a_password_that_begins_like_a_port_is_redacted(url: str) -> None:
    """Nobody can tell where it ends: nothing of it is shown."""
    said = redacted(f"a: {url}, b")
    assert "x@" not in said and ":1/" not in said and said.endswith(", b")
    assert has_unescaped_login(url)


def test_a_url_that_everybody_may_read() -> None:
    """Login, fragment and what may be a token go; what says which file is meant stays."""
    assert public_url("https://me:a@b@h.org:81/x.whl?job=build&sig=s&raw=true#sha256=1") == (
        "https://h.org:81/x.whl?job=build&raw=true"
    )
    assert public_url("https://h.org/x.whl?tokenonly") == "https://h.org/x.whl"
    for odd in ("https://me:a?b@h.org/x", "https://me:a/b@h.org/x", "https:///x", "https://[bad/x"):
        with pytest.raises(ValueError):
            public_url(odd)
    for usual in ("https://h.org:81/@scope/x.whl", "https://h.org/a@b/x.whl", "https://me:s@h.org:81/x.whl"):
        assert not has_unescaped_login(usual)


def test_queries_are_redacted_and_ports_are_not() -> None:
    """A token goes, what only looks like a login stays."""
    assert redacted("https://h/x?token=a&sig=b#sha256=c, then") == "https://h/x?****#sha256=c, then"
    assert redacted("get 'https://h/x?token=a'b' now") == "get 'https://h/x?****' now"
    assert redacted("git+https://h:8080/repo@main") == "git+https://h:8080/repo@main"


def test_odd_urls_are_no_fault(tmp_path: Path) -> None:
    """A login in a URL that urlsplit() refuses is found, and belongs to its host."""
    credentials = Credentials.from_environment(["https://me:p[w@h.example.org/x"], environ=environment(tmp_path))
    assert credentials.login("https://h.example.org/y") == ("me", "p[w")
    assert without_credentials("https://[bad/x") == "https://[bad/x"
    assert credentials.login("https://[bad/x") is None


def test_secrets_of_variables() -> None:
    """Passwords and queries of the indexes of the environment are known, as they are and decoded."""
    found = secrets_of({"UV_INDEX": "a=https://me:p%40ssword@h/x https://h/?token=t", "UV_FIND_LINKS": "https://h,/x"})
    assert found == {"me:p%40ssword", "p%40ssword", "p@ssword", "token=t"}
    assert "1/xyz" in secrets_of({"UV_INDEX": "https://me:1/xyz@h/x"})
    assert secrets_of({"UV_INDEX_A_PASSWORD": "secret", "UV_INDEX_A_USERNAME": "user"}) == {"secret"}
    assert redacted("wrong p@ssword", found) == "wrong ****"


def test_a_user_alone_takes_the_password_of_netrc(tmp_path: Path) -> None:
    """Where an index is said with a user alone, netrc gives the password of that user, and of no other."""
    (tmp_path / ".netrc").write_text("machine a.example.org login me password p\n")
    (tmp_path / ".netrc").chmod(0o600)
    said = ["https://me@a.example.org/simple"]
    assert Credentials.from_environment(said, environ=environment(tmp_path)).login("https://a.example.org/x") == (
        "me",
        "p",
    )
    said = ["https://you@a.example.org/simple"]
    assert Credentials.from_environment(said, environ=environment(tmp_path)).login("https://a.example.org/x") == (
        "you",
        "",
    )


def test_a_keyring_is_asked_for_the_index_and_then_for_its_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As uv asks it; once, and only where that is wanted and a user is known."""
    (tmp_path / "keyring").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ "$2" = h.example.org ] && echo p\n')
    (tmp_path / "keyring").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    said = ["https://me@h.example.org/simple"]
    silent = Credentials.from_environment(said, environ=environment(tmp_path))
    assert silent.login("https://h.example.org/x") == ("me", "")
    asking = Credentials.from_environment(said, environ=environment(tmp_path), keyring=True)
    assert [asking.login("https://h.example.org/x") for _ in "ab"] == [("me", "p")] * 2
    assert asking.login("https://other.example.org/x") is None
    assert (tmp_path / "asked").read_text().splitlines() == [
        "get https://h.example.org/simple me",
        "get h.example.org me",
    ]


def test_the_password_of_variables_is_a_secret() -> None:
    """So that nothing uv says shows it."""
    assert secrets_of({"UV_INDEX_CORP_PASSWORD": "secret", "UV_INDEX_CORP_USERNAME": "somebody"}) == {"secret"}
