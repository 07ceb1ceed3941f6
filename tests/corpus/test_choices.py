"""The choice of wheels beside that of pip and uv, for other systems: a short part of ``python -m corpus.choices``."""

from __future__ import annotations

import dataclasses

import pytest

from corpus import choices
from corpus.peers import Index

pytestmark = pytest.mark.registry

PACKAGES = ("numpy", "cryptography", "pyyaml", "rpds-py")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """An index of empty wheels, with the newest pip."""
    return Index(tmp_path_factory.mktemp("index"))


def test_all_choose_the_same_for_musl_and_free_threads(index: Index) -> None:
    """nixgen, pip and uv take the same wheel of each package, or none; uv is not asked for a free-threaded Python."""
    pairs = [("3.14t", "aarch64-linux-musl"), ("3.14", "aarch64-linux-musl")]
    threads, plain = choices.compare(PACKAGES, pairs, index)
    assert threads.differences == plain.differences == []
    assert "cp314t" in str(threads.nixgen["numpy"])
    assert "cp311-abi3" in str(plain.nixgen["cryptography"])
    assert "musllinux" in str(plain.nixgen["pyyaml"])
    assert threads.uv is None and plain.uv == plain.nixgen


def test_a_difference_is_found(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pip, or uv, is told of another platform than nixgen, every package with a wheel for each differs."""
    linux, mac = (choices.PLATFORMS[name] for name in ("x86_64-linux", "aarch64-darwin"))
    for told in ({"pip": mac.pip}, {"uv": mac.uv}):
        monkeypatch.setitem(choices.PLATFORMS, "x86_64-linux", dataclasses.replace(linux, **told))  # type: ignore[arg-type]
        (one,) = choices.compare(["pyyaml"], [("3.12", "x86_64-linux")], index)
        (line,) = one.differences
        assert line.startswith("pyyaml: nixgen ") and "manylinux" in line and "macosx_11_0_arm64" in line


def test_no_wheel_is_no_difference_where_none_fits(index: Index) -> None:
    """A package without a wheel for the target has none by all, and does not hide the choice of the others."""
    (one,) = choices.compare(["pyyaml", "pyside6-essentials"], [("3.12", "aarch64-linux-musl")], index)
    assert one.differences == [] and one.nixgen["pyyaml"] is not None and one.nixgen["pyside6-essentials"] is None


def test_the_page() -> None:
    """The page counts what is chosen and lists what differs."""
    same = {"a": "a-1-py3-none-any.whl", "b": None}
    one = choices.Compared(
        python="3.13t",
        platform="x86_64-linux",
        several=frozenset("a"),
        nixgen=same,
        pip={**same, "b": "b.whl"},
        uv=None,
    )
    text = choices.page([one], {"pip": "1", "uv": "2"}, 2)
    assert "| 3.13t | x86_64-linux (pip only) | 2 | 1 | 1 | 0 | 1 |" in text
    assert "* 3.13t, x86_64-linux: b: nixgen None, pip b.whl" in text
