"""Mirrors: the same lock, fetched from another root."""

from __future__ import annotations

import pytest

from nixgen.errors import InputError
from nixgen.mirrors import Mirror, logins, mirrored, mirrors_of
from tests.support.mirrors import MIRRORED, NO_MIRRORS


@pytest.mark.parametrize(("said", "url", "expected"), MIRRORED)
def test_where_a_file_is_fetched(said: str, url: str, expected: str) -> None:
    """A mirror's root stands for scheme and host, or for a prefix of whole segments; the longest prefix wins."""
    assert mirrored(url, mirrors_of(said.split(), where="here")) == expected


@pytest.mark.parametrize("text", NO_MIRRORS)
def test_what_is_no_mirror(text: str) -> None:
    """What is no URL, or not one of another, is refused with who said so."""
    with pytest.raises(InputError, match="no mirror") as caught:
        mirrors_of([text], where="NIXGEN_MIRROR")
    assert caught.value.where == "NIXGEN_MIRROR"


def test_a_login_of_a_mirror_is_in_no_url() -> None:
    """It is for the client, and neither in what is fetched nor in what is shown."""
    mirror = Mirror.parse("https://me:secret@mirror.example.org/pypi", where="here")
    assert mirror.of("https://files.example.org/x.whl") == "https://mirror.example.org/pypi/x.whl"
    assert "secret" not in repr(mirror)
    assert logins([mirror]) == ["https://me:secret@mirror.example.org/pypi"]
