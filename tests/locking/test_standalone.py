"""Archives for targets, of the real list of pbs-installer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nixgen.errors import InputError
from nixgen.lock import Lock, TargetLock
from nixgen.locking.standalone import with_archives
from nixgen.model import PythonArchive
from nixgen.targets import Target
from nixgen.uv_settings import UvSettings

LINUX = Target.parse("3.12", "x86_64-linux")
HELD = PythonArchive(url="https://host.invalid/20200101/held.tar.gz", sha256="0" * 64)


def _lock(target: Target) -> Lock:
    return Lock(targets=(TargetLock(target=target, packages=(), archive=HELD),), wheels={})


def test_the_newest_patch_level_unless_one_is_asked_for() -> None:
    """A minor version gets its newest build, a full one that build; each system and thread model its own archive."""
    targets = [LINUX, Target.parse("3.13t", "aarch64-darwin"), Target.parse("3.11.9", "aarch64-linux")]
    found, archives = with_archives(targets, None, exact=["3.11"])
    patches = [int(target.full_version.split(".")[2]) for target in found]
    assert patches[0] >= 15 and patches[1] >= 17 and patches[2] == 9
    urls = [archives[target.key].url for target in targets]
    for url, words in zip(
        urls,
        [
            ("x86_64-unknown-linux-gnu",),
            ("aarch64-apple-darwin", "freethreaded"),
            ("aarch64-unknown-linux-gnu", "3.11.9"),
        ],
        strict=True,
    ):
        assert all(word in url for word in (*words, "install_only"))
    assert len({archive.sha256 for archive in archives.values()}) == 3


def test_what_is_locked_stays() -> None:
    """The lock's own archive is taken until an upgrade, or another patch level, is asked for."""
    previous = _lock(replace(LINUX, full_version="3.12.1"))
    for target, exact in ((LINUX, []), (replace(LINUX, full_version="3.12.1"), ["3.12"])):
        found, archives = with_archives([target], previous, exact=exact)
        assert found[0].full_version == "3.12.1" and archives == {target.key: HELD}
    found, archives = with_archives([LINUX], previous, upgrade=True)
    assert found[0].full_version != "3.12.1" and archives[LINUX.key] != HELD
    found, archives = with_archives([replace(LINUX, full_version="3.12.3")], previous, exact=["3.12"])
    assert found[0].full_version == "3.12.3" and "3.12.3" in archives[LINUX.key].url


@pytest.mark.parametrize(
    ("target", "exact"),
    [
        (Target.parse("3.12", "riscv64-linux"), False),
        (Target.parse("3.12", "x86_64-linux", musl="1.2"), False),
        (Target.parse("3.11.2", "x86_64-linux"), True),
        (Target.parse("3.99", "x86_64-linux"), False),
        (Target.parse("3.15.0a1", "x86_64-linux"), True),
    ],
)
def test_what_nobody_has_built(target: Target, exact: bool) -> None:
    """A system, a libc or a version without a build is refused with all the others of its kind."""
    with pytest.raises(InputError, match="no standalone build of") as caught:
        with_archives(
            [target, LINUX, Target.parse("3.98", "x86_64-linux")], None, exact=[target.python] if exact else []
        )
    assert target.system in caught.value.what and "Python 3.98" in caught.value.what
    assert "3.12 on x86_64-linux" not in caught.value.what.replace(f"Python {target.python} on {target.system}", "")
    assert "--no-standalone" in (caught.value.todo or "")


def test_a_mirror(tmp_path: Path) -> None:
    """It has releases below its root, as for uv; a login in its URL does not get into the lock."""
    (tmp_path / "pyproject.toml").write_text('[tool.uv]\npython-install-mirror = "https://a:b@mirror.invalid/x/"\n')
    mirror = UvSettings.read(tmp_path, environ={}).python_mirror
    plain = with_archives([LINUX], None)[1][LINUX.key]
    mirrored = with_archives([LINUX], None, mirror=mirror)[1][LINUX.key]
    assert mirrored.url == "https://mirror.invalid/x/" + "/".join(plain.url.split("/")[-2:])
    assert mirrored.sha256 == plain.sha256
    there = {"UV_PYTHON_INSTALL_MIRROR": "https://other.invalid"}
    assert UvSettings.read(tmp_path, environ=there).python_mirror == "https://other.invalid"
