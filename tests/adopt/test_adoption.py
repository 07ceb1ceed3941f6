"""``nixgen.adopt.adoption``: environments of pip and uv become links, and files again."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from nixgen.adopt.adoption import adopt, undo
from nixgen.adopt.environment import Environment
from nixgen.adopt.links import Links
from nixgen.errors import InputError, MachineError, NixError
from nixgen.model import Overrides
from nixgen.store import Store
from tests.adopt.conftest import demo
from tests.support.environments import install, make_environment, run, site_packages, snapshot, uninstall

pytestmark = pytest.mark.nix

Wheel = tuple[str, bytes]


def adopted(directory: Path, store: Store, *, add: bool = True) -> Environment:
    environment = Environment.find(directory)
    adopt(environment, store, {}, add=add)
    return environment


def links(directory: Path) -> set[str]:
    """Return the files of an environment that are links to the store, but for what lies in ``bin`` and ``.nixgen``."""
    found = (path for top in ("lib", "share") for path in (directory / top).rglob("*"))
    return {path.name for path in found if path.is_symlink() and path.is_file()}


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_what_is_no_exception_becomes_a_link(tool: str, wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """Files become links to their leaves; what the rules want, what is empty and what the tool wrote stays."""
    directory = make_environment(tmp_path / "env", wheel, tool=tool)
    before = {path: path.read_bytes() for path in directory.rglob("*.*") if path.is_file() and path.suffix != ".pyc"}
    report = adopt(Environment.find(directory), store, {}, add=True)
    metadata = {"METADATA", "WHEEL", "entry_points.txt"}
    assert links(directory) == {"plain.py", "data.txt", "library.so", "shared.txt", *metadata}
    assert {reason: sums.files for reason, sums in report.stays.items()} == {
        "executable": 3,  # tool.sh, demo-script and the launcher
        "package": 1,
        "resolves-itself": 1,
    }
    assert report.linked.files == report.added.files == 7 and report.files == 12
    assert {path: path.read_bytes() for path in before} == before
    assert run(directory / "bin/demo").startswith("test_what_is_no_exception")


def test_a_second_environment_needs_nothing_added(wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """What the store has is linked without ``add``, and what that saves is the sum of the files."""
    for name in ("one", "two"):
        make_environment(tmp_path / name, wheel)
    first = adopt(Environment.find(tmp_path / "one"), store, {}, add=False)
    assert (first.linked.files, first.saved) == (0, 0) and not (tmp_path / "one/.nixgen").exists()
    assert first.stays["not in the store"].files == 10
    again = adopt(Environment.find(tmp_path / "one"), store, {}, add=True)
    assert again.saved == 0 and again.added == again.linked
    second = adopt(Environment.find(tmp_path / "two"), store, {}, add=False)
    assert second.linked == again.linked and second.added.files == 0
    assert second.saved == second.linked.size > 100
    third = adopt(Environment.find(tmp_path / "two"), store, {}, add=False)
    assert (third.linked.files, third.before) == (0, 7)


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_undo_gives_the_same_environment(tool: str, wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """After ``undo`` every file has its bytes, mode and time again, bytecode too, and nothing else is there."""
    directory = make_environment(tmp_path / "env", wheel, tool=tool)
    (site_packages(directory) / "demo/data.txt").chmod(0o600)
    run(directory / "bin/python", "-c", "import demo.plain, demo.finds")
    before = snapshot(directory)
    environment = adopted(directory, store)
    assert snapshot(directory) != before
    assert undo(environment, dry_run=True).files == 7 and (directory / ".nixgen").is_dir()
    assert undo(environment).files == 7
    assert snapshot(directory) == before
    with pytest.raises(InputError, match="nothing was adopted"):
        undo(environment)


def test_bytecode_stays_valid(wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """Python takes the bytecode that was there, for links as for files again, and writes none."""
    directory = make_environment(tmp_path / "env", wheel)
    python = directory / "bin/python"
    run(python, "-c", "import demo.plain")
    run(python, "-O", "-c", "import demo.plain")

    def taken(*options: str) -> bool:
        command = [python, *options, "-v", "-c", "import demo.plain"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
        lines = [line for line in said.splitlines() if "plain" in line]
        assert not [line for line in lines if line.startswith("# wrote") or "bytecode is stale" in line], lines
        return any(" matches " in line for line in lines)

    environment = adopted(directory, store)
    assert (site_packages(directory) / "demo/plain.py").is_symlink()
    assert taken() and taken("-O")
    undo(environment)
    assert taken() and taken("-O")


def test_bytecode_of_another_source_does_not_come_back(wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """A pyc that says the time of a leaf and is of another source is not taken for the leaf's."""
    directory = make_environment(tmp_path / "env", wheel)
    source = site_packages(directory) / "demo/plain.py"
    text = source.read_text()
    other = text.replace("def main", "def niam")
    source.unlink()
    source.write_text(other)
    os.utime(source, (1, 1))
    python = directory / "bin/python"
    run(python, "-c", "import demo.plain")
    source.write_text(text)
    adopted(directory, store)
    assert source.is_symlink()
    assert run(python, "-c", "import demo.plain as plain; print(hasattr(plain, 'main'))") == "True\n"


def test_an_edited_file_stays(wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """A file whose content is not what RECORD promises is left alone."""
    directory = make_environment(tmp_path / "env", wheel)
    edited = site_packages(directory) / "demo/data.txt"
    edited.write_text("mine\n")
    report = adopt(Environment.find(directory), store, {}, add=True)
    assert report.stays["edited"].files == 1 and not edited.is_symlink() and edited.read_text() == "mine\n"


def test_a_file_that_changes_meanwhile_stays(
    wheel: Wheel, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another tool writes between the look and the replacing is not lost."""
    directory = make_environment(tmp_path / "env", wheel)
    file = site_packages(directory) / "demo/data.txt"
    keep = store.keep

    def write_and_keep(*arguments: object) -> None:
        keep(*arguments)  # type: ignore[arg-type]
        file.write_text("newer\n")

    monkeypatch.setattr(store, "keep", write_and_keep)
    adopted(directory, store)
    assert file.read_text() == "newer\n" and not file.is_symlink()


def test_what_the_user_says_of_placement_counts(wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """Overrides make files stay, and links of what the rules want."""
    directory = make_environment(tmp_path / "env", wheel)
    overrides = {"demo": Overrides(copy=("*/data.txt",), link=("demo/finds.py",))}
    report = adopt(Environment.find(directory), store, overrides, add=True)
    assert report.stays["override"].files == 1
    assert "data.txt" not in links(directory) and "finds.py" in links(directory)


def test_hard_links_free_nothing(wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """Files that a cache shares by hard links are linked, the cache keeps its files, and nothing counts as saved."""
    directory = make_environment(tmp_path / "env")
    install(directory, wheel, link_mode="hardlink")
    file = site_packages(directory) / "demo/data.txt"
    assert file.stat().st_nlink == 2
    cached = snapshot(tmp_path / "uv-cache/archive-v0")
    adopted(directory, store)
    undo(Environment.find(directory))
    report = adopt(Environment.find(directory), store, {}, add=True)
    assert report.saved == report.linked.size  # undo gave each file its own bytes
    other = make_environment(tmp_path / "other")
    install(other, wheel, link_mode="hardlink")
    report = adopt(Environment.find(other), store, {}, add=False)
    assert report.linked.files == 7 and report.shared == report.linked and report.saved == 0
    now = snapshot(tmp_path / "uv-cache/archive-v0")
    assert cached and {path: now[path] for path in cached} == cached


@pytest.mark.parametrize("done", [0, 1, 3])
def test_every_state_between_is_whole(
    done: int, wheel: Wheel, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An adoption or an undo that stops anywhere leaves an environment that works, is completed, and undone."""
    directory = make_environment(tmp_path / "env", wheel, tool="pip")
    before = snapshot(directory)
    environment = Environment.find(directory)
    for name in ("link", "restore"):
        left = iter(range(done))
        whole = getattr(Links, name)

        def stop(self: Links, *arguments: object, left: object = left, whole: object = whole) -> object:
            if next(left, None) is None:  # type: ignore[call-overload]
                raise KeyboardInterrupt
            return whole(self, *arguments)  # type: ignore[operator]

        with monkeypatch.context() as patched:
            patched.setattr(Links, name, stop)
            with pytest.raises(KeyboardInterrupt):
                adopt(environment, store, {}, add=True) if name == "link" else undo(environment)
        assert len(links(directory)) == (done if name == "link" else 7 - done)
        assert "test_every_state" in run(directory / "bin/demo")
        adopt(environment, store, {}, add=True)
        assert len(links(directory)) == 7
    undo(environment)
    assert snapshot(directory) == before


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_tools_manage_what_is_adopted(
    tool: str, wheel: Wheel, store: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Upgrade, reinstall and uninstall work, and write nothing through a link into the store."""
    directory = make_environment(tmp_path / "env", wheel, tool=tool)
    environment = adopted(directory, store)
    held = snapshot(Path(store.directory))
    install(directory, demo(request.node.name, "2.0"), tool=tool)
    assert run(directory / "bin/demo").endswith("2.0\n")
    assert links(directory) == set()
    report = adopt(environment, store, {}, add=True)
    assert report.before == 0 and report.linked.files == 7
    reinstall = "--reinstall" if tool == "uv" else "--force-reinstall"
    install(directory, demo(request.node.name, "2.0"), tool=tool, options=[reinstall])
    assert run(directory / "bin/demo").endswith("2.0\n") and links(directory) == set()
    adopt(environment, store, {}, add=False)
    assert len(links(directory)) == 7
    uninstall(directory, "demo", tool=tool)
    assert not [path for path in directory.rglob("*demo*") if not path.is_dir()]
    now = snapshot(Path(store.directory))
    assert {path: now[path] for path in held} == held
    assert undo(environment).files == 0 and not (directory / ".nixgen").exists()


def collect_garbage() -> None:
    run("nix-store", "--gc")


def test_garbage_collection(wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """Leaves stay while the environment links to them, and go with it, by ``undo`` or with its directory."""
    directory = make_environment(tmp_path / "env", wheel)
    leaf = site_packages(directory) / "demo/data.txt"
    environment = adopted(directory, store)
    target = leaf.readlink()
    collect_garbage()
    assert leaf.read_text().startswith("data of")
    undo(environment)
    collect_garbage()
    assert not target.exists() and leaf.read_text().startswith("data of")
    adopted(directory, store)
    collect_garbage()
    assert leaf.readlink() == target and target.exists()
    directory.rename(tmp_path / "moved")
    adopted(tmp_path / "moved", store)
    collect_garbage()
    assert target.exists()
    run("rm", "-r", tmp_path / "moved")
    collect_garbage()
    assert not target.exists()


def test_leaves_that_are_gone(wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """Links without leaves are reported; ``undo`` restores the others and says what to do for these."""
    directory = make_environment(tmp_path / "env", wheel)
    environment = adopted(directory, store)
    gone = site_packages(directory) / "demo/data.txt"
    (directory / ".nixgen/adopted").unlink()
    others = {path for path in directory.rglob("*") if path.is_symlink() and path.name in links(directory)} - {gone}
    kept = tmp_path / "kept"
    store.keep([str(path.readlink()) for path in others], [], kept)
    collect_garbage()
    assert not gone.exists()
    report = adopt(environment, store, {}, add=False)
    assert [Path(path).name for path in report.broken] == ["data.txt"] and report.before == 6
    with pytest.raises(InputError, match=r"1 of 7 files cannot be restored.*no longer in the store"):
        undo(environment)
    assert links(directory) == set()
    install(directory, wheel, options=["--reinstall"])
    assert undo(environment).files == 0 and gone.read_text().startswith("data of")


def test_a_damaged_leaf_is_not_copied(wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """``undo`` compares what it copies with the leaf's store path."""
    directory = make_environment(tmp_path / "env", wheel)
    environment = adopted(directory, store)
    leaf = (site_packages(directory) / "demo/data.txt").readlink()
    leaf.chmod(0o644)
    leaf.write_text("other bytes\n")
    with pytest.raises(InputError, match="is damaged"):
        undo(environment)
    assert (site_packages(directory) / "demo/data.txt").is_symlink()


def test_a_store_that_refuses(wheel: Wheel, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store takes nothing, the environment is what it was."""
    directory = make_environment(tmp_path / "env", wheel)
    before = snapshot(directory)
    # A policy of Nix that evaluation has to obey, and asking what is valid has not.
    monkeypatch.setenv("NIX_CONFIG", os.environ["NIX_CONFIG"] + "restrict-eval = true\n")
    with pytest.raises(NixError):
        adopted(directory, store)
    assert snapshot(directory) == before and not (directory / ".nixgen").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"nixgen": 9}', '{"nixgen": 1}', '{"nixgen": 1, "files": {"a": {"b": 1}}}']
)
def test_a_damaged_journal(text: str, wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """A journal that is not understood stops both directions, and stays."""
    directory = make_environment(tmp_path / "env", wheel)
    environment = adopted(directory, store)
    (directory / ".nixgen/adopted.json").write_text(text)
    before = snapshot(directory)
    with pytest.raises(InputError, match="adopted"):
        undo(environment)
    with pytest.raises(InputError, match="adopted"):
        adopt(environment, store, {}, add=True)
    assert snapshot(directory) == before


def test_one_at_a_time(wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """While one is at work, another one is refused."""
    environment = Environment.find(make_environment(tmp_path / "env", wheel))
    with environment.locked(), pytest.raises(InputError, match="another nixgen is at work"):
        adopt(environment, store, {}, add=True)
    assert adopt(environment, store, {}, add=True).linked.files == 7


def test_what_cannot_be_written(wheel: Wheel, store: Store, tmp_path: Path) -> None:
    """Where nothing can be written, an error says so, and nothing has changed."""
    directory = make_environment(tmp_path / "env", wheel)
    (directory / ".nixgen").write_text("in the way")
    before = snapshot(directory)
    with pytest.raises(MachineError, match="cannot write"):
        adopted(directory, store)
    assert snapshot(directory) == before
