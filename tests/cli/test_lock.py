"""``nixgen lock``, against an index on loopback."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import signal
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import Cli, listing
from tests.support.format1 import write_format1
from tests.support.locks import locked_wheels
from tests.support.server import Behaviour, WheelServer
from tests.support.wheels import make_wheel, nix_sha256

Serve = Callable[..., WheelServer]

DEMO = make_wheel("demo", "1.0", metadata=["Requires-Dist: helper"])
HELPER = make_wheel("helper", "1.0", {"helper.py": "x = 1\n"})


def test_writes_the_lock_and_nix(nixgen: Cli, project: Path, serve: Serve) -> None:
    """Requirements become a lock with every package, and a nix directory with the library."""
    (project / "requirements.in").write_text("demo\n")
    said = nixgen("lock", "--default-index", serve(DEMO, HELPER).index, "--python", "3.11").stderr
    lock = json.loads((project / "nixgen.lock").read_text())
    assert [package["name"] for package in lock["packages"]] == ["demo", "helper"]
    index = Path(nixgen.environment["XDG_CACHE_HOME"], "nixgen/indexes", lock["packages"][1]["index"])
    assert hashlib.sha256(index.read_bytes()).hexdigest() == index.name
    assert json.loads(index.read_bytes())["files"]["helper.py"][1] == len("x = 1\n")
    assert (project / "nix" / "default.nix").is_file()
    assert (project / "nix" / "nixgen" / "builders" / "tree.py").is_file()
    assert "locked 2 wheels" in said


def test_same_bytes_twice_and_nothing_read_again(nixgen: Cli, project: Path, serve: Serve) -> None:
    """Locking again changes nothing and asks the server for no wheel, whose index the lock has."""
    (project / "requirements.in").write_text("demo\n")
    server = serve(DEMO, HELPER)
    nixgen("lock", "--default-index", server.index)
    before, requests = listing(project), _read_by_nixgen(server)
    assert "nothing changed" in nixgen("lock", "--default-index", server.index).stderr
    assert listing(project) == before
    assert _read_by_nixgen(server) == requests > 0


@pytest.mark.parametrize("algorithm", ["md5", "sha512"])
def test_an_index_without_sha256(algorithm: str, nixgen: Cli, project: Path, serve: Serve) -> None:
    """Where an index has other hashes only, whole wheels are compared with these, and locked by their SHA-256."""
    (project / "requirements.in").write_text("helper\n")
    server = serve(HELPER, algorithm=algorithm)
    said = nixgen("lock", "--default-index", server.index).stderr
    assert f"{HELPER[0]}: the index has its {algorithm.upper()} and no SHA-256" in said
    (wheel,) = locked_wheels(project / "nixgen.lock").values()
    assert wheel["sha256"] == hashlib.sha256(HELPER[1]).hexdigest()
    before = listing(project)
    # The right name and size, and another content: the index' hash is of what it had before.
    server.wheels = {HELPER[0]: make_wheel("helper", "1.0", {"helper.py": "x = 2\n"})[1]}
    digest = hashlib.new(algorithm, HELPER[1]).hexdigest()
    lines = ['lock-version = "1.0"', 'created-by = "tests"', "[[packages]]", 'name = "helper"', 'version = "1.0"']
    lines += [f'wheels = [{{url = "{server.url(HELPER[0])}", hashes = {{{algorithm} = "{digest}"}}}}]']
    (project / "pylock.toml").write_text("\n".join(lines))
    assert f"{algorithm.upper()} " in nixgen("lock", "pylock.toml", code=5).stderr
    assert {**listing(project), "pylock.toml": None} == {**before, "pylock.toml": None}


def _read_by_nixgen(server: WheelServer) -> int:
    """Return how many requests were ours: uv reads METADATA of its own accord."""
    return sum("nixgen" in request.headers["user-agent"] for request in server.wheel_requests)


def test_two_machines_lock_the_same_bytes(nixgen: Cli, project: Path, tmp_path: Path, serve: Serve) -> None:
    """A lock does not depend on the directory, nor on whether wheels were read in ranges or whole."""
    (project / "requirements.in").write_text("demo\n")
    server = serve(DEMO, HELPER)
    nixgen("lock", "--default-index", server.index)
    other = tmp_path / "elsewhere" / "deep"
    other.mkdir(parents=True)
    (other / "requirements.in").write_text("demo\n")
    server.behaviour = Behaviour(ranges="no")
    nixgen("lock", "-C", other, "--default-index", server.index)
    assert (other / "nixgen.lock").read_bytes() == (project / "nixgen.lock").read_bytes()


def test_check_reports_a_stale_lock(nixgen: Cli, project: Path, serve: Serve) -> None:
    """--check writes nothing, and fails as soon as the requirements want something else."""
    server = serve(DEMO, HELPER)
    (project / "requirements.in").write_text("helper\n")
    nixgen("lock", "--default-index", server.index)
    assert "up to date" in nixgen("lock", "--check", "--default-index", server.index).stderr
    (project / "requirements.in").write_text("demo\n")
    before = listing(project)
    assert "nixgen.lock" in nixgen("lock", "--check", "--default-index", server.index, code=3).stderr
    assert listing(project) == before


def test_versions_are_kept_until_an_upgrade(nixgen: Cli, project: Path, serve: Serve) -> None:
    """A newer version on the index is not taken before --upgrade-package or --upgrade asks for it."""
    (project / "requirements.in").write_text("helper\n")
    nixgen("lock", "--default-index", serve(HELPER).index)
    newer = serve(HELPER, make_wheel("helper", "2.0", {"helper.py": "x = 2\n"}))

    def locked() -> str:
        version: str = json.loads((project / "nixgen.lock").read_text())["packages"][0]["version"]
        return version

    nixgen("lock", "--default-index", newer.index)
    assert locked() == "1.0"
    nixgen("lock", "--default-index", newer.index, "--upgrade-package", "helper")
    assert locked() == "2.0"


def test_targets_are_kept(nixgen: Cli, project: Path, serve: Serve) -> None:
    """A lock for several targets stays one for these when it is made again without naming them."""
    (project / "requirements.in").write_text("helper\n")
    index = serve(HELPER).index
    systems = ["--system", "x86_64-linux", "--system", "aarch64-darwin"]
    nixgen("lock", "--default-index", index, "--python", "3.12", "--python", "3.13t", *systems)
    lock = (project / "nixgen.lock").read_text()
    assert [(t["python"], t["system"]) for t in json.loads(lock)["targets"]] == [
        ("3.12", "x86_64-linux"),
        ("3.12", "aarch64-darwin"),
        ("3.13t", "x86_64-linux"),
        ("3.13t", "aarch64-darwin"),
    ]
    nixgen("lock", "--default-index", index)
    assert (project / "nixgen.lock").read_text() == lock


def test_musl_is_locked_for_and_kept(nixgen: Cli, project: Path, serve: Serve) -> None:
    """--musl takes musllinux wheels; a further Python keeps the lock's libc, and --glibc goes back."""
    (project / "requirements.in").write_text("native\n")
    wheels = [make_wheel("native", tag=f"py3-none-{libc}_x86_64") for libc in ("musllinux_1_2", "manylinux_2_17")]
    options = ["--default-index", serve(*wheels).index, "--system", "x86_64-linux"]

    def locked(*more: str) -> list[tuple[str, str, str]]:
        nixgen("lock", *options, *more)
        lock = json.loads((project / "nixgen.lock").read_text())
        (wheel,) = (package["wheel"] for package in lock["packages"])
        return [(target["python"], target["libc"], wheel.split("-")[-1]) for target in lock["targets"]]

    musl, glibc = "musllinux_1_2_x86_64.whl", "manylinux_2_17_x86_64.whl"
    assert locked("--python", "3.12", "--musl", "1.2") == [("3.12", "musl 1.2", musl)]
    assert locked("--python", "3.13") == [("3.13", "musl 1.2", musl)]
    assert locked("--glibc", "2.28") == [("3.13", "glibc 2.28", glibc)]
    assert locked("--python", "3.12") == [("3.12", "glibc 2.28", glibc)]


def test_one_lock_has_one_libc(nixgen: Cli, project: Path, tmp_path: Path) -> None:
    """An interpreter on musl and a Python for glibc in one lock are refused, and so are --musl and --glibc."""
    (project / "requirements.in").write_text("")
    python = tmp_path / "python"
    said = {"implementation": "CPython", "version": "3.12.1", "threads": False, "platform": "linux", "bits": 64}
    said |= {"machine": platform.machine(), "libc": None, "host": "alpine-linux-musl"}
    said |= {"macos": "", "release": "", "os_version": ""}
    python.write_text(f"#!{sys.executable}\nimport json\nprint(json.dumps({said!r}))\n")
    python.chmod(0o755)
    error = nixgen("lock", "--python", python, "--python", "3.13", code=2).stderr
    assert "glibc and for musl" in error
    assert "contradict" in nixgen("lock", "--glibc", "2.28", "--musl", "1.2", code=2).stderr
    assert not (project / "nixgen.lock").exists()


def test_a_users_default_nix_stays(nixgen: Cli, project: Path, serve: Serve) -> None:
    """nix/default.nix belongs to the user: locking writes it once and never again."""
    (project / "requirements.in").write_text("helper\n")
    index = serve(HELPER).index
    nixgen("lock", "--default-index", index)
    (project / "nix" / "default.nix").write_text("{ }: 1 # my nixgen\n")
    nixgen("lock", "--default-index", index)
    assert (project / "nix" / "default.nix").read_text() == "{ }: 1 # my nixgen\n"


def test_logins_stay_out_of_the_lock(nixgen: Cli, project: Path, serve: Serve) -> None:
    """A private index is read with the login of its URL, which stands neither in the lock nor in any message."""
    (project / "requirements.in").write_text("helper\n")
    server = serve(HELPER, user="me:s3cret")
    index = server.index.replace("http://", "http://me:s3cret@")
    done = nixgen("lock", "--default-index", index)
    assert "s3cret" not in (project / "nixgen.lock").read_text() + done.stdout + done.stderr
    denied = nixgen("lock", "--default-index", index.replace("s3cret", "wr0ng"), "--upgrade", code=4)
    assert "wr0ng" not in denied.stderr


def test_collision_names_both_wheels_and_the_way_out(nixgen: Cli, project: Path, serve: Serve) -> None:
    """Where overlaps are refused, two wheels with different files for one path are an error, which prefer settles."""
    (project / "pyproject.toml").write_text('[tool.nixgen]\noverlaps = "refuse"\n')
    one = make_wheel("one", "1.0", {"tests/__init__.py": "1\n"})
    two = make_wheel("two", "1.0", {"tests/__init__.py": "2\n"})
    index = serve(one, two).index
    (project / "requirements.in").write_text("one\ntwo\n")
    said = nixgen("lock", "requirements.in", "--python", "3.11", "--default-index", index, code=3).stderr
    assert "lib/python3.11/site-packages/tests/__init__.py: one and two" in said
    assert "[tool.nixgen.prefer]" in said
    assert listing(project).keys() == {"requirements.in", "pyproject.toml"}
    settled = said.rpartition("[tool.nixgen.prefer]")[2].strip()
    (project / "pyproject.toml").write_text(f'[tool.nixgen]\noverlaps = "refuse"\n[tool.nixgen.prefer]\n{settled}\n')
    nixgen("lock", "requirements.in", "--python", "3.11", "--default-index", index)
    assert json.loads((project / "nixgen.lock").read_text())["targets"][0]["prefer"]


def test_verify_reads_every_file(nixgen: Cli, project: Path, serve: Serve) -> None:
    """--verify finds a file that is not what its RECORD says, which plain locking does not look at."""

    def lie(rows: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
        return [(path, digest.replace("sha256=", "sha256=A", 1)[:50] if path == "helper.py" else digest, size)
                for path, digest, size in rows]  # fmt: skip

    (project / "requirements.in").write_text("helper\n")
    server = serve(make_wheel("helper", "1.0", {"helper.py": "x = 1\n"}, record=lie))
    nixgen("lock", "--default-index", server.index)
    before = listing(project)
    said = nixgen("lock", "--verify", "--default-index", server.index, code=5).stderr
    assert "helper.py" in said
    assert listing(project) == before


def _source_distribution(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        text = f"Metadata-Version: 2.2\nName: {name}\nVersion: 1.0\n".encode()
        member = tarfile.TarInfo(f"{name}-1.0/PKG-INFO")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    return buffer.getvalue()


def test_source_distributions_are_listed_at_once(nixgen: Cli, project: Path, serve: Serve) -> None:
    """Packages without a wheel are one error that names all of them, and nothing is written."""
    (project / "requirements.in").write_text("helper\nolder\noldest\n")
    sources = [(f"{name}-1.0.tar.gz", _source_distribution(name)) for name in ("older", "oldest")]
    index = serve(HELPER, *sources).index
    said = nixgen("lock", "--no-build", "--default-index", index, code=3).stderr
    assert "older" in said and "oldest" in said
    # Nor does either say how it is built.
    said = nixgen("lock", "--default-index", index, code=3).stderr
    assert "older" in said and "oldest" in said and "neither a pyproject.toml nor a setup.py" in said
    assert listing(project).keys() == {"requirements.in"}


@pytest.mark.parametrize(
    ("arguments", "requirements", "code", "message"),
    [
        (["--python", "2.7"], "helper\n", 2, "is not a Python version"),
        (["--system", "amiga"], "helper\n", 2, "is not a system"),
        (["--extra", "a", "--no-extras"], "helper\n", 2, "contradict"),
        ([], None, 3, "requirements"),
        ([], "no-such-package\n", 3, "no-such-package"),
        ([], "helper ==\n", 3, "requirements.in"),
        (["--default-index", "http://127.0.0.1:9/simple/"], "helper\n", 4, "index"),
    ],
)
def test_exit_codes(
    nixgen: Cli, project: Path, serve: Serve, arguments: list[str], requirements: str | None, code: int, message: str
) -> None:
    """Each class of error has its exit code, a message with what to do, and no traceback."""
    if requirements is not None:
        (project / "requirements.in").write_text(requirements)
    index = [] if "--default-index" in arguments else ["--default-index", serve(HELPER).index]
    said = nixgen("lock", *arguments, *index, code=code).stderr
    assert message in said
    assert "what to do:" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("requests", [0, 1], ids=["resolving", "reading"])
def test_an_interrupt_leaves_the_previous_lock(
    nixgen: Cli, project: Path, tmp_path: Path, serve: Serve, number: signal.Signals, requests: int
) -> None:
    """An interrupted lock leaves the files of the one before and nothing temporary, in uv's time as in ours."""
    server = serve(DEMO, HELPER)
    (project / "requirements.in").write_text("helper\n")
    nixgen("lock", "--default-index", server.index)
    (project / "requirements.in").write_text("demo\n")
    if requests:
        url = server.url(DEMO[0])
        digest = hashlib.sha256(DEMO[1]).hexdigest()
        (project / "pylock.toml").write_text(
            'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "demo"\nversion = "1.0"\n'
            f'wheels = [{{ url = "{url}", hashes = {{ sha256 = "{digest}" }} }}]\n'
        )
    before, seen = listing(project), len(server.requests)
    server.behaviour = Behaviour(delay=30)
    process = nixgen.start("lock", "--default-index", server.index)
    deadline = time.monotonic() + 20
    while len(server.requests) == seen:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    assert process.communicate(timeout=20)[1].endswith("nixgen: interrupted; the previous state is untouched\n")
    assert process.returncode == 128 + number
    assert listing(project) == before
    assert [path.name for path in (tmp_path / "tmp").iterdir() if path.name.startswith("nixgen")] == []


def test_a_lock_of_format_1_is_written_anew(nixgen: Cli, project: Path, serve: Serve) -> None:
    """Format 1 becomes format 2 with the same packages: nothing is resolved, also where there are newer versions."""
    (project / "requirements.in").write_text("demo\n")
    server = serve(DEMO, HELPER)
    nixgen("lock", "--default-index", server.index)
    lock = (project / "nixgen.lock").read_bytes()
    write_format1(project / "nixgen.lock", DEMO, HELPER)
    (project / "requirements.in").write_text("helper\n")
    assert "nixgen.lock" in nixgen("lock", "--check", code=3).stderr
    said = nixgen("lock", "--offline").stderr
    assert "the lock had format 1" in said and "nothing was resolved" in said
    anew = json.loads((project / "nixgen.lock").read_text())
    # Which requirements it was made of is not known.
    assert anew == {**json.loads(lock), "inputs": {}}
    assert [package["name"] for package in json.loads(lock)["packages"]] == ["demo", "helper"]


def test_an_option_makes_format_1_be_resolved(nixgen: Cli, project: Path, serve: Serve) -> None:
    """Where something is asked for, a lock of format 1 is resolved anew, with the versions that it has."""
    (project / "requirements.in").write_text("helper\n")
    server = serve(HELPER)
    nixgen("lock", "--default-index", server.index)
    write_format1(project / "nixgen.lock", HELPER)
    newer = serve(HELPER, make_wheel("helper", "2.0", {"helper.py": "x = 2\n"}))
    nixgen("lock", "--default-index", newer.index, "requirements.in")
    assert [p["version"] for p in json.loads((project / "nixgen.lock").read_text())["packages"]] == ["1.0"]


def test_a_lock_of_format_1_is_held_against_its_wheels(nixgen: Cli, project: Path, serve: Serve) -> None:
    """A wheel that has other files now than a lock of format 1 says is an error, and the lock stays."""
    (project / "requirements.in").write_text("helper\n")
    nixgen("lock", "--default-index", serve(HELPER).index)
    path = project / "nixgen.lock"
    write_format1(path, HELPER)
    wrong = json.loads(path.read_text())
    wrong["wheels"][HELPER[0]]["files"]["helper.py"] = nix_sha256("x = 3\n")
    path.write_text(json.dumps(wrong))
    said = nixgen("lock", code=5).stderr
    assert HELPER[0] in said and "helper.py" in said
    assert json.loads(path.read_text()) == wrong


def test_indexes_are_vendored(nixgen: Cli, project: Path, serve: Serve) -> None:
    """--vendor writes an index a wheel; from then on they follow the lock, until the directory is removed."""
    (project / "requirements.in").write_text("demo\n")
    server = serve(DEMO, HELPER)
    assert "nix/index" in nixgen("lock", "--vendor", "--default-index", server.index).stderr
    vendored = project / "nix/index"
    locked = {f"{wheel}.json": package["index"] for wheel, package in locked_wheels(project / "nixgen.lock").items()}
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in vendored.iterdir()} == locked
    (project / "requirements.in").write_text("helper\n")
    nixgen("lock", "--default-index", server.index)
    assert [path.name for path in vendored.iterdir()] == [f"{HELPER[0]}.json"]
    (vendored / f"{HELPER[0]}.json").write_text("{}")
    assert "nix/index" in nixgen("lock", "--check", "--default-index", server.index, code=3).stderr
    (vendored / f"{HELPER[0]}.json").unlink()
    vendored.rmdir()
    assert "nothing changed" in nixgen("lock", "--default-index", server.index).stderr
    assert not vendored.exists()
