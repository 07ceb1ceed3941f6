"""The choice of wheels beside pip's, for other systems: a short part of ``python -m corpus.choices``."""

from __future__ import annotations

import pytest

from corpus import choices

pytestmark = pytest.mark.registry

PACKAGES = ("numpy", "cryptography", "pyyaml", "rpds-py")


def test_pip_chooses_the_same_for_musl_and_free_threads() -> None:
    """For a free-threaded Python on musl nixgen and pip take the same wheel of each package, or both none."""
    ((_, _, ours, differences),) = choices.compare(PACKAGES, ["3.14t"], ["aarch64-linux-musl"])
    assert differences == []
    assert "cp314t" in str(ours["numpy"])
    assert "musllinux" in str(ours["pyyaml"])


def test_a_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pip is told of another platform than nixgen, every package with a wheel for each differs."""
    system, libc, _ = choices.PLATFORMS["x86_64-linux"]
    monkeypatch.setitem(choices.PLATFORMS, "x86_64-linux", (system, libc, ["macosx_14_0_arm64"]))
    ((_, _, ours, differences),) = choices.compare(["pyyaml"], ["3.12"], ["x86_64-linux"])
    assert [difference.package for difference in differences] == ["pyyaml"]
    assert differences[0].ours == ours["pyyaml"] != differences[0].theirs
