"""``nixgen.store``: what Nix is asked, and how its refusals reach a user."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
from pathlib import Path

import pytest

from nixgen.errors import NixError
from nixgen.leaf import leaf_path
from nixgen.roots import counts
from nixgen.store import Store
from nixgen.store.programs import run
from tests.support.nix import NixInstallation
from tests.support.wheels import nix_sha256

pytestmark = pytest.mark.nix


def test_directory(store: Store, nix_store: NixInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store's directory is the one that Nix uses, whether a variable says it or Nix has to be asked."""
    assert store.directory == str(nix_store.path)
    other = f"{nix_store.path.parent}/other"
    settings = os.environ["NIX_CONFIG"]
    monkeypatch.setenv("NIX_CONFIG", f"{settings}\nstore = local?store={other}&state={other}-state&log={other}-log\n")
    assert Store().directory == other


def test_an_ordinary_build_starts_one_program(
    store: Store, nix_store: NixInstallation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A build with a link runs nix-build alone: no other program for settings that nobody has set, or for its root."""
    monkeypatch.setenv("NIX_CONF_DIR", str(tmp_path))
    (tmp_path / "nix.conf").write_text("")
    monkeypatch.setattr(Store, "outlives", None)
    asked: list[str] = []
    run = Store._run
    monkeypatch.setattr(Store, "_run", lambda *words, **more: asked.append(words[1]) or run(*words, **more))
    text = 'builder = "/bin/sh"; args = [ "-c" "echo > $out" ];'
    text = f'derivation {{ name = "x"; system = builtins.currentSystem; {text} }}'
    built = store.build(text, [], tmp_path / "link")
    assert asked == ["nix-build"]
    assert str((tmp_path / "link").readlink()) == built


def test_a_root_counts_where_no_collection_is_under_way(
    store: Store, nix_store: NixInstallation, tmp_path: Path
) -> None:
    """Nix's lock of collections tells whether one may have read the roots before; it has to be Nix's root, too."""
    link = tmp_path / "link"
    with store.connect() as daemon:
        daemon.add("file", b"kept", leaf := leaf_path("file", nix_sha256(b"kept"), store.directory))
    store.realise(leaf, link)
    lock = Path(os.environ["NIX_STATE_DIR"], "gc.lock")
    assert counts(link, leaf)
    with lock.open() as collecting:
        fcntl.flock(collecting, fcntl.LOCK_EX)
        assert not counts(link, leaf)
    assert counts(link, leaf)
    assert not counts(link, "/nix/store/another")
    link.unlink()
    link.symlink_to(leaf)
    link.rename(tmp_path / "elsewhere")
    assert not counts(tmp_path / "elsewhere", leaf)


def test_a_program_that_the_machine_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of Nix that a signal ends, as where memory is short, is said to be ended, with what may be lacking."""
    program = tmp_path / "nix-store"
    program.write_text("#!/bin/sh\nkill -KILL $$\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(NixError, match=r"nix-store was ended by SIGKILL\n") as caught:
        run("nix-store", ["--version"], {})
    assert caught.value.todo is not None and "memory" in caught.value.todo


def test_invalid_takes_more_paths_than_a_command_line(store: Store) -> None:
    """Any number of paths can be asked for: 20,000 are more than one command takes."""
    paths = [leaf_path("x.py", nix_sha256(f"in no store: {number}"), store.directory) for number in range(20_000)]
    assert store.invalid(paths) == set(paths)


def test_build_failure_carries_what_nix_said(store: Store, tmp_path: Path) -> None:
    """A failed build is a NixError with Nix's message, and makes no link."""
    (tmp_path / "default.nix").write_text('throw "this is the reason"\n')
    with pytest.raises(NixError, match="this is the reason"):
        store.build(tmp_path, [], tmp_path / "result")
    assert not (tmp_path / "result").exists()


def test_setting(store: Store) -> None:
    """A setting is read from whatever configuration Nix has; one that does not exist is None."""
    assert store.setting("sandbox") is False
    assert store.setting("no-such-setting") is None


@pytest.mark.parametrize("soon", [True, False])
def test_a_store_that_another_process_is_making(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, soon: bool) -> None:
    """Where the schema's file is there and not yet written, the command is tried again; what stays so is an error."""
    new = NixInstallation.of_machine(tmp_path / "new")
    for name, value in new.env.items():
        monkeypatch.setenv(name, value)
    schema = Path(new.env["NIX_STATE_DIR"]) / "db" / "schema"
    schema.parent.mkdir(parents=True)
    schema.touch()
    if soon:
        threading.Timer(0.3, schema.unlink).start()
        assert Store().invalid([leaf_path("x.py", nix_sha256("x"), str(new.path))])
        assert schema.read_text()
    else:
        with pytest.raises(NixError, match="corrupt"):
            Store().invalid([leaf_path("x.py", nix_sha256("x"), str(new.path))])
    new.make_removable()


def test_missing_nix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Nix on PATH, the error says how to install it."""
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(NixError, match="nix-bin"):
        _ = Store().directory


def test_keep_adds_files_and_protects_leaves(store: Store, tmp_path: Path) -> None:
    """Leaves that are named, and files that are added, stay while the link is there, and go with it."""
    source, named = tmp_path / "odd 'name\" é.py", tmp_path / "file.txt"
    source.write_text(f"added {tmp_path}")
    named.write_text(f"named {tmp_path}")
    kept = leaf_path("file.txt", nix_sha256(named.read_text()), store.directory)
    with store.connect() as daemon:
        daemon.add("file.txt", named.read_bytes(), kept)
    added = leaf_path("file.py", nix_sha256(source.read_text()), store.directory)
    link = tmp_path / "kept"
    store.keep([kept], [("file.py", nix_sha256(source.read_text()), source)], link)
    assert (
        set(link.read_text().split()) == {kept, added} == set(store.requisites(link.resolve())) - {str(link.resolve())}
    )
    subprocess.run(["nix-store", "--gc"], check=True, capture_output=True)
    assert store.invalid([kept, added]) == set()
    link.unlink()
    subprocess.run(["nix-store", "--gc"], check=True, capture_output=True)
    assert store.invalid([kept, added]) == {kept, added}


def test_keep_refuses_what_is_not_as_promised(store: Store, tmp_path: Path) -> None:
    """A file with another hash, and a path that is not valid, are errors, and no link is made."""
    (tmp_path / "file").write_text("content")
    with pytest.raises(NixError):
        store.keep([], [("file", nix_sha256("other content"), tmp_path / "file")], tmp_path / "kept")
    with pytest.raises(NixError):
        store.keep([leaf_path("file", nix_sha256("in no store"), store.directory)], [], tmp_path / "kept")
    assert not (tmp_path / "kept").is_symlink()


@pytest.mark.parametrize(
    ("configured", "options", "expected"),
    [
        ("max-jobs = 1", {}, {"max-jobs": "auto", "build-poll-interval": "1"}),
        ("build-poll-interval = 5", {"max-jobs": "1"}, {"build-poll-interval": "1"}),
        ("max-jobs = 0", {}, {"build-poll-interval": "1"}),
        ("max-jobs = 3\nbuild-poll-interval = 7", {}, {}),
        ("max-jobs = 1", {"build-poll-interval": "2"}, {"max-jobs": "auto"}),
    ],
)
def test_defaults_of_ours(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    configured: str,
    options: dict[str, str],
    expected: dict[str, str],
) -> None:
    """Nix's default of one build at a time gives way to all cores, 5 s of waiting to 1; what somebody chose stays."""
    monkeypatch.setenv("NIX_CONFIG", f"{os.environ['NIX_CONFIG']}\n{configured}\n")
    asked: list[tuple[str, ...]] = []
    run = Store._run
    monkeypatch.setattr(Store, "_run", lambda *words, **more: asked.append(words[1:]) or run(*words, **more))
    with pytest.raises(NixError, match="evaluated"):
        Store(options).build('throw "evaluated"', [], None)
    (words,) = (words for words in asked if words[0] == "nix-build")
    given = {words[at + 1]: words[at + 2] for at, word in enumerate(words) if word == "--option"}
    assert given == expected


def test_a_build_waits_for_a_survivor(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the builder of a killed build still writes is waited for; another failure is not."""
    store, said = Store(), ["error: cannot unlink '/nix/store/x': Directory not empty"]

    def run(*_: object, **__: object) -> str:
        if said:
            raise NixError(said.pop())
        return "/nix/store/y"

    monkeypatch.setattr(store, "_run", run)
    monkeypatch.setattr(store, "_defaults", list)
    assert store.build("x", [], None) == "/nix/store/y"
    said.append("error: something else")
    with pytest.raises(NixError, match="something else"):
        store.build("x", [], None)
