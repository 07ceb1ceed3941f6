"""``nixgen warm``: what is on the lists is there, whoever builds next; what is not is kept by nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from nixgen.warming.record import partial_of
from tests.support.server import Behaviour, WheelServer
from tests.support.wheels import make_wheel
from tests.warming.conftest import Host

pytestmark = pytest.mark.nix

#: What is built of trees, in what Nix says.
_TREES = re.compile(r"building '[^']*-(alpha|beta|gamma)-[0-9.]+\.drv'")


def test_the_next_build(host: Host) -> None:
    """Another user's first build asks for no wheel and builds no tree, also after a collection; a cold one does both.

    Several versions are there side by side, and the leaves of copies, which no tree names.
    """
    listed = host.write("list.txt", "alpha\nbeta  # with alpha 1.0\ngamma\n")
    user = host.user("beta", "gamma")
    before = host.warm(listed)
    assert "keeps 3 of 3 entries: 3 packages, 4 versions, 4 wheels, 4 trees" in before.stdout
    host.index.requests.clear()
    host.collect()
    if os.geteuid() != 0:
        # Nobody speaks for other users but root.
        user.environment["XDG_CACHE_HOME"] = host.cli.environment["XDG_CACHE_HOME"]
    done = user("build", "--debug")
    assert not host.index.wheel_requests and not _TREES.search(done.stderr)
    assert {*re.findall(r"(alpha|beta|gamma)-[0-9.]+$", host.run("nix-store", "-qR", "result").stdout, re.M)} <= {
        "alpha",
        "beta",
        "gamma",
    }
    (user.directory / "result").unlink()
    (host.directory / "warm").unlink()
    host.collect()
    cold = user("build", "--debug")
    assert host.index.wheel_requests and _TREES.search(cold.stderr)


def test_again_and_without(host: Host) -> None:
    """A second run reads no wheel and changes nothing; what falls out of the list goes with the next collection."""
    listed = host.write("list.txt", "alpha==1.0\nalpha==2.0\ngamma\n")
    first = host.report(listed)
    assert first["totals"]["versions"] == 3 and len(first["added"]) == 3
    assert first["totals"]["sharedVersions"] >= len("shared = True\n" * 100)
    assert first["totals"]["listed"] == sum(
        first["totals"][name] for name in ("bytes", "sharedVersions", "sharedPackages")
    )
    host.index.requests.clear()
    again = host.report(listed)
    assert again["root"] == first["root"] and not again["added"] and not again["dropped"]
    assert again["downloaded"] == 0
    trees = {one["version"]: one["tree"] for one in host.record()["wheels"] if one["name"] == "alpha"}
    (gamma,) = [one["tree"] for one in host.record()["wheels"] if one["name"] == "gamma"]
    listed.write_text("alpha==1.0\n")
    dropped = host.report(listed)["dropped"]
    assert [one["wheel"] for one in dropped] == ["alpha-2.0-py3-none-any.whl", "gamma-1.0-py3-none-any.whl"]
    host.collect()
    assert Path(trees["1.0"]).exists() and not Path(trees["2.0"]).exists() and not Path(gamma).exists()
    host.user("alpha==1.0")("build")
    assert not host.index.wheel_requests or os.geteuid() != 0


def test_what_cannot_be_had(host: Host) -> None:
    """An unknown name, nonsense, another system's wheel and a lying RECORD stop nothing else, and are named."""
    listed = host.write("list.txt", "nobody-has-this\nalpha ~~ 1\nwindows\nliar\ngamma\n")
    done = host.warm("--json", listed, code=5)
    report = json.loads(done.stdout)
    assert report["kept"] == 1 and [one["name"] for one in report["added"]] == ["gamma"]
    codes = {one["entry"]: one["exitCode"] for one in report["failed"]}
    assert codes == {"nobody-has-this": 3, "alpha ~~ 1": 3, "windows": 3, "liar": 5}
    assert "where: list.txt:1" in done.stderr.replace(f"{host.directory}/", "")
    assert "wheels only for py3-none-win_amd64" in done.stderr and "--no-build" not in done.stderr
    assert "liar.py" in done.stderr


def test_a_wheel_that_is_withdrawn(host: Host) -> None:
    """What the index has no more fails, and what was there of it before is kept."""
    listed = host.write("list.txt", "alpha\ngamma\n")
    host.warm(listed)
    wheels = dict(host.index.wheels)
    try:
        host.index.wheels = {name: content for name, content in wheels.items() if not name.startswith("gamma")}
        report = host.report(listed, code=3)
        assert [one["entry"] for one in report["failed"]] == ["gamma"] and report["failed"][0]["carried"]
        assert {one["name"] for one in host.record()["wheels"]} == {"alpha", "gamma"}
    finally:
        host.index.wheels = wheels


def test_an_index_that_is_away(host: Host) -> None:
    """Where nothing answers, the run ends with that, and the root is as it was."""
    listed = host.write("list.txt", "alpha\n")
    host.warm(listed)
    before = (host.directory / "warm").resolve()
    done = host.cli("warm", "--default-index", "http://127.0.0.1:9/simple", listed, "--python", "3.11.2", code=4)
    assert "cannot reach an index" in done.stderr
    assert (host.directory / "warm").resolve() == before and before.exists()


def test_interrupted(host: Host) -> None:
    """A run that is ended leaves the root as it was, keeps what it has done, and the next one goes on there."""
    small = [make_wheel(f"p{number:02}", "1.0", {f"p{number:02}.py": f"x = {number}\n"}) for number in range(16)]
    large = make_wheel("zlarge", "1.0", {"zlarge.bin": os.urandom(1 << 20)})
    with WheelServer(dict([*small, large])) as server:
        host.index = server
        first = host.write("first.txt", "p00\n")
        host.warm(first)
        before = (host.directory / "warm").resolve()
        listed = host.write("list.txt", "".join(f"p{number:02}\n" for number in range(16)) + "zlarge\n")
        server.behaviour = Behaviour(delay=0.3, chunk=64 * 1024)
        running = host.cli.start("warm", "--default-index", server.index, listed)
        partial = partial_of(host.directory / "warm")
        deadline = time.monotonic() + 120
        while not partial.is_symlink() and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=60)
        assert running.returncode == 143, said
        assert "the next run goes on there" in said
        assert (host.directory / "warm").resolve() == before
        host.collect()
        server.behaviour = Behaviour()
        server.requests.clear()
        done = host.warm(listed)
        assert "going on with a run that was interrupted" in done.stderr
        assert not any("p0" in request.path or "/p1" in request.path for request in server.requests)
        assert any("zlarge" in request.path for request in server.wheel_requests)
        assert "keeps 17 of 17 entries" in done.stdout and not partial.is_symlink()


def test_budget_and_top(host: Host) -> None:
    """What is most wanted comes first; what the budget has no room for is left out, and smaller things are not."""
    rows = [{"project": "alpha", "download_count": 5}, {"project": "gamma", "download_count": 9}]
    listed = host.write("popular.json", json.dumps({"rows": rows}))
    report = host.report("--top", "1", listed)
    assert [one["name"] for one in report["added"]] == ["gamma"]
    assert report["totals"]["bytes"] > 100_000
    report = host.report("--budget", "50kB", listed)
    assert report["leftOut"] == ["gamma"] and [one["name"] for one in report["dropped"]] == ["gamma"]
    assert [one["name"] for one in host.record()["wheels"]] == ["alpha"]
    assert "is no size" in host.warm("--budget", "much", listed, code=2).stderr


def test_a_fleet(host: Host) -> None:
    """Locks of a fleet bring what any of their environments is made of, extras and all; none of them is built."""
    member = host.directory / "fleet" / "app"
    member.mkdir(parents=True)
    (member / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\ndependencies = ["beta"]\n'
        '[project.optional-dependencies]\nmore = ["gamma"]\n'
    )
    host.cli("lock", "-q", "-C", member, "--default-index", host.index.index, "--no-project")
    report = host.report("fleet")
    assert {one["name"] for one in report["added"]} == {"alpha", "beta", "gamma"}
    host.collect()
    host.index.requests.clear()
    assert not host.run("sh", "-c", f"ls {host.nix.path} | grep -- -env$").stdout
    done = host.cli("build", "-C", member, "--extra", "more", "--debug")
    assert not host.index.wheel_requests and not _TREES.search(done.stderr)


def test_other_systems(host: Host) -> None:
    """Of a system that is not the machine's there are leaves alone, and that is said."""
    listed = host.write("list.txt", "arm\n")
    done = host.warm("--system", "aarch64-linux", listed)
    assert "leaves alone, for trees are built on a machine of that system" in done.stderr
    (wheel,) = host.record()["wheels"]
    assert not wheel["tree"] and wheel["leaves"]
    host.collect()
    leaves = Path(wheel["leaves"]).read_text().split()
    assert len(leaves) > 3 and all(Path(leaf).exists() for leaf in leaves)
    assert any(Path(leaf).read_text() == "arm = 1\n" for leaf in leaves)


def test_dry_run(host: Host) -> None:
    """It says what would come, and nothing is in the store then."""
    listed = host.write("list.txt", "beta\n")
    report = host.report("--dry-run", listed)
    assert report["root"] is None and report["lacking"]["wheels"] == 2 and len(report["added"]) == 2
    assert not (host.directory / "warm").exists() and not (host.directory / "warm").is_symlink()
    assert not [path for path in host.nix.path.glob("*-file*") if "index" not in path.name]


def test_measure(host: Host) -> None:
    """Sets are fully there, or as far as their files and bytes are; what cannot be resolved is named."""
    host.warm(host.write("list.txt", "alpha==1.0\nbeta\n"))
    host.user("beta", name="full")
    there = host.write("there.txt", "beta\nalpha\n")
    half = host.write("half.txt", "beta\ngamma\n")
    bad = host.write("bad.txt", "nobody-has-this\n")
    report = host.report("--measure", "full", there, half, bad, code=3)
    full, also, other = report["measured"]
    assert full["full"] and also["full"]
    assert not other["full"] and 0 < other["filesThere"] < other["files"] and other["bytesThere"] < other["bytes"]
    assert [one["name"] for one in report["unmeasured"]] == [str(bad)]
    assert "fully there: 2 of 3" in host.warm("--measure", "full", there, half).stdout


def test_links_of_others(host: Host) -> None:
    """A root that is none of ours, or a file, is not replaced."""
    listed = host.write("list.txt", "alpha\n")
    host.write("mine", "mine\n")
    assert "this is no link" in host.warm("-o", "mine", listed, code=3).stderr
    (host.directory / "other").symlink_to("mine")
    assert "no root of `nixgen warm`" in host.warm("-o", "other", listed, code=3).stderr
    assert (host.directory / "mine").read_text() == "mine\n"


def test_an_index_with_a_login(host: Host) -> None:
    """A login in an index's URL, on the command line or in a list, reaches wheels, and is neither said nor kept."""
    host.index.behaviour = Behaviour(user="me:secret-of-mine")
    url = host.index.index.replace("://", "://me:secret-of-mine@")
    done = host.cli("warm", "--debug", "--default-index", url, host.write("list.txt", "alpha==1.0\n"))
    listed = host.write("with.txt", f"--index-url {url}\nalpha==2.0\nnobody-has-this\n")
    more = host.cli("warm", "--debug", "--json", "-o", "other", listed, code=3)
    assert len(json.loads(more.stdout)["added"]) == 1
    for text in (
        done.stdout,
        done.stderr,
        more.stdout,
        more.stderr,
        *map(Path.read_text, host.directory.glob("[wo]*r*")),
    ):
        assert "secret-of-mine" not in text or text == listed.read_text()
