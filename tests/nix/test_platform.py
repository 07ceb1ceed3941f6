"""Which packages of npm are for a system, and which of them are left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.nix.conftest import Nix
from tests.nix.test_npm import ENV, PLACES, places
from tests.support.npm_locks import Json, make_tgz, write_npm_lock, write_package


def test_what_fits_a_system(nix: Nix, tmp_path: Path) -> None:
    """Optional packages for other systems are left out with what only they need, one or several; a needed one stops."""

    def one(name: str, **more: Any) -> Json:
        return write_package(tmp_path, make_tgz(name), f"node_modules/{name}", **more)

    lock = write_npm_lock(
        tmp_path,
        one("main", dependencies={name: f"node_modules/{name}" for name in ("linux", "mac", "musl", "wasm")}),
        one("linux", optional=True, os=["linux"], cpu=["x64", "arm64"], libc=["glibc"]),
        one("musl", optional=True, os=["linux"], libc=["musl"]),
        one("mac", optional=True, os=["!linux", "!win32"]),
        one(
            "wasm",
            optional=True,
            cpu=["wasm32"],
            drops=["node_modules/runtime"],
            dependencies={"runtime": "node_modules/runtime"},
        ),
        one("runtime", optional=True),
        one("core", optional=True, serves=["node_modules/mac", "node_modules/wasm"]),
        one("below", optional=True, serves=["node_modules/core", "node_modules/musl"]),
    )
    assert {at.partition("/")[2] for at in places(nix, lock)} == {"main", "linux"}
    assert {at.partition("/")[2] for at in places(nix, lock, "aarch64-darwin")} == {"main", "mac", "core", "below"}
    assert {at.partition("/")[2] for at in places(nix, lock, "i686-linux")} == {"main"}
    env = nix.build(ENV, file=str(lock), more={})
    assert {path.name for path in (env / "node_modules/main").resolve().parent.iterdir()} == {"main", "linux"}
    file = write_npm_lock(tmp_path, one("mac", os=["darwin"]))
    said = nix.refusal(PLACES, file=str(file), system="x86_64-linux", more={})
    assert "needs packages that do not run on x86_64-linux: mac" in said


def test_what_is_omitted(nix: Nix, tmp_path: Path) -> None:
    """`omit` leaves out what npm's --omit does."""

    def one(name: str, **more: Any) -> Json:
        return write_package(tmp_path, make_tgz(name), f"node_modules/{name}", **more)

    lock = write_npm_lock(
        tmp_path, one("a"), one("d", dev=True), one("o", optional=True), one("b", devOptional=True), one("p", peer=True)
    )

    def left(*omit: str) -> str:
        return "".join(sorted(at[-1] for at in places(nix, lock, omit=list(omit))))

    assert (left(), left("dev"), left("optional")) == ("abdop", "abop", "abdp")
    assert (left("dev", "optional"), left("peer")) == ("ap", "abdo")
