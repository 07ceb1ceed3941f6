"""``withMirrors``: the same lock with other URLs."""

from __future__ import annotations

import pytest

from tests.nix.conftest import Nix
from tests.support.mirrors import MIRRORED, NO_MIRRORS

WITH = 'nixgen.withMirrors said { other = 1; wheels = { a.path = "a.whl"; b = { inherit url; sha256 = ""; }; }; }'


def test_where_a_file_is_fetched(nix: Nix) -> None:
    """As the command line has it; nothing else of the lock changes."""
    cases = [{"said": said, "url": url} for said, url, _ in MIRRORED]
    found = nix.evaluate(f"map ({{ said, url }}: {WITH}) cases", cases=cases)
    assert found == [
        {"other": 1, "wheels": {"a": {"path": "a.whl"}, "b": {"url": expected, "sha256": ""}}}
        for _, _, expected in MIRRORED
    ]


@pytest.mark.parametrize("said", [*NO_MIRRORS, "https://me:secret@mirror.example.org"])
def test_what_is_refused(nix: Nix, said: str) -> None:
    """What is no mirror, and a login, which would be in the store."""
    refusal = nix.refusal(f"({WITH}).wheels.b.url", said=said, url="https://files.example.org/x.whl")
    assert ("no mirror" in refusal or "login" in refusal) and "secret" not in refusal
