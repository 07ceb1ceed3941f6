"""The Python that a lock names, as far as evaluation goes."""

from __future__ import annotations

import pytest

from tests.nix.conftest import Nix
from tests.support.locks import target_json
from tests.support.nix import LIBRARY, attributes, derivation

TARGET = target_json("3.12", system="x86_64-linux") | {
    "interpreter": {"url": "https://host.invalid/20260101/cpython-3.12.0%2B20260101-x.tar.gz", "sha256": "0" * 64}
}

#: On a machine of that system with these paths.
FIND = f"""
let
  names = import {LIBRARY}/names.nix;
  parts = import {LIBRARY}/standalone.nix {{
    inherit names;
    fetch = import {LIBRARY}/fetch.nix;
    run = import {LIBRARY}/run.nix {{ inherit names; }};
    exists = path: builtins.elem path paths;
  }};
in
parts.standalone (target // {{ system = if here then builtins.currentSystem else target.system; }})
"""

LOADERS = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-linux.so.2"]


@pytest.mark.parametrize(
    "paths",
    [["/bin/sh"], ["/bin/sh", "/etc/NIXOS", *LOADERS]],
    ids=["none", "that of NixOS"],
)
def test_a_machine_without_a_c_library_in_its_place(nix: Nix, paths: list[str]) -> None:
    """Where the loader is missing, or is NixOS's that only says so, what to do is said before anything is fetched."""
    said = nix.refusal(f"({FIND}).interpreter", target=TARGET, paths=paths, here=True)
    assert "no C library where the lock's standalone Python looks for it" in said
    assert all(way in said for way in ("ld-linux", "--no-standalone", "`nixgen init`", "--python PATH", "nix-ld"))


@pytest.mark.parametrize(
    ("paths", "here"),
    [
        ([], True),  # evaluation that is pure or restricted
        (["/bin/sh", *LOADERS], True),
        (["/bin/sh", "/etc/NIXOS", *LOADERS, "/run/current-system/sw/share/nix-ld/lib/ld.so"], True),
        (["/bin/sh"], False),
    ],
)
def test_a_machine_that_has_it_or_is_not_seen(nix: Nix, paths: list[str], here: bool) -> None:
    """Else it is a path of the store, which names the machine's C library as what it loads."""
    target = TARGET if here else TARGET | {"system": "s390x-linux"}
    found = nix.evaluate(
        f"let python = {FIND}; in nixgen.interpreter {{ inherit python; version = target.python; }}",
        target=target,
        paths=paths,
        here=here,
    )
    assert found["path"].startswith(str(nix.path)) and found["path"].endswith("-python-3.12.0/bin/python3.12")
    assert (found["machine"], found["usesMachine"]) == (False, True)


def test_a_login_of_a_mirror_stays_out_of_the_store(nix: Nix, monkeypatch: pytest.MonkeyPatch) -> None:
    """A derivation can be read by all, and so a mirror whose URL has a login is refused."""
    nix.env = {**nix.env, "UV_PYTHON_INSTALL_MIRROR": "https://me:secret@mirror.invalid"}
    said = nix.refusal(f"({FIND}).interpreter", target=TARGET, paths=[], here=True)
    assert "has a login" in said and "secret" not in said


def test_a_flake_needs_no_nixpkgs(nix: Nix) -> None:
    """The lock's own Python is taken without anything of nixpkgs; another target still wants it.

    As with the machine's own Python, no library has to be given.
    """
    lock = {
        "nixgen": 2,
        "extras": [],
        "groups": [],
        "defaultGroups": [],
        "packages": [],
        "directory": "/",
        "wheels": {},
    }
    made = "(nixgen.packagesFor { lock = lock // { targets = [ target ]; }; }).x86_64-linux.default"
    told = attributes(derivation(nix.instantiate(made, lock=lock, target=TARGET), nix.env))
    assert told["python"].endswith("-python-3.12.0/bin/python3.12")
    assert told["libraries"] == {"given": [], "ignore": [], "required": False}
    other = {key: value for key, value in TARGET.items() if key != "interpreter"}
    assert "`nixgen lock --standalone`" in nix.refusal(made, lock=lock, target=other)
