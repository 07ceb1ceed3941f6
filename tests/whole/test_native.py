"""Real wheels with native code under a Python that does not see the machine's libraries."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.nix import NixInstallation, cannot_sandbox
from tests.whole.conftest import MACHINE_PYTHON, ROOT
from tests.whole.test_interpreters import SANDBOX, patchelf

pytestmark = [
    pytest.mark.nix,
    pytest.mark.registry,
    pytest.mark.skipif(cannot_sandbox(), reason="no user namespaces here: Nix cannot sandbox"),
]

#: Extras of the project: a C++ package; one with OpenMP, whose wheel brings libgomp, after two that bring one Fortran
#: runtime; several with C++; one that needs zlib; none.
PROJECT = """\
[project]
name = "native"
version = "1"
optional-dependencies = { numbers = ["numpy"], learn = ["scikit-learn"], table = ["pandas"], pure = ["six"] }
"""

#: What a sandboxed build sees of the directories that a loader searches by itself.
MACHINE = "import glob; print(glob.glob('/usr/lib*') + glob.glob('/lib*'))"


class Native:
    """The project, locked, and what builds it with a Python of the store in a full sandbox."""

    def __init__(self, nix: NixInstallation, cli: Cli) -> None:
        self.nix = nix
        self.cli = cli
        self.python = self._expression(
            "store_python.nix", "--argstr", "python", MACHINE_PYTHON, "--argstr", "patchelf", patchelf()
        )
        names = ("libstdc++.so.6", "libgcc_s.so.1", "libz.so.1")
        self.libraries = self._expression(
            "machine_libraries.nix",
            *("--argstr", "python", MACHINE_PYTHON),
            *("--argstr", "paths", json.dumps([_of_machine(name) for name in names])),
        )

    def build(self, extra: str, *options: str | Path, code: int = 0) -> str:
        """Build the environment of an extra; return its path, or what is said where it cannot be built."""
        python = self.python / "bin" / "python3.11"
        chosen = ["--extra", extra, "--python", python, "--no-out-link"]
        done = self.cli("build", *chosen, *options, *SANDBOX, code=code)
        return done.stderr if code else done.stdout.strip()

    def run(self, env: str, code: str) -> str:
        """Run code with an environment's Python in a sandboxed build, and return what it prints or how it fails."""
        made = self._expression("program.nix", "--argstr", "env", env, "--argstr", "code", code, *SANDBOX)
        return made.read_text().rstrip("\n")

    def _expression(self, file: str, *arguments: str | Path) -> Path:
        done = subprocess.run(
            ["nix-build", ROOT / "tests" / "support" / file, "--no-out-link", *arguments],
            env=self.nix.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return Path(done.stdout.strip())


def _of_machine(name: str) -> str:
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    found = re.search(rf"^\s*{re.escape(name)} \(libc6,[^)]*\) => (.*)$", listed, re.MULTILINE)
    assert found is not None, f"this machine lacks {name}"
    return found[1]


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Native]:
    """The project with real wheels, and a store of its own."""
    nix = NixInstallation.of_machine(tmp_path_factory.mktemp("native"))
    directory = tmp_path_factory.mktemp("project")
    (directory / "pyproject.toml").write_text(PROJECT)
    cli = Cli(directory=directory, environment={**nix.env, "PYTHONPATH": str(ROOT)})
    cli("lock", "--python", "3.11")
    yield Native(nix, cli)
    nix.make_removable()


def test_what_nothing_provides_stops_the_build(native: Native) -> None:
    """Without libraries, the build fails with each SONAME and the wheels that need it, rather than an import later."""
    said = native.build("table", code=6)
    assert re.search(r"^ *libstdc\+\+\.so\.6: numpy, pandas$", said, re.MULTILINE), said
    assert "--ignore-library" in said
    assert "libc.so.6" not in said


def test_a_cpp_package_works_with_the_libraries_given(native: Native) -> None:
    """The unmodified numpy fails to import in a full sandbox without the C++ runtime, and works with it given."""
    bare = native.build("numbers", "--ignore-library", "*")
    assert native.run(bare, MACHINE) == "[]"
    failure = native.run(bare, "import numpy")
    assert "ImportError: libstdc++.so.6: cannot open shared object file" in failure
    made = native.build("numbers", "--library", native.libraries)
    assert native.run(made, "import numpy; print(numpy.linalg.inv(numpy.eye(2) * 2).tolist())") == (
        "[[0.5, 0.0], [0.0, 0.5]]"
    )


OPENMP = """
import os, sys
before = dict(os.environ)
from sklearn.cluster import KMeans
import numpy, subprocess
labels = KMeans(2, n_init=1, random_state=0).fit_predict(numpy.array([[0.0], [0.1], [9.0], [9.1]])).tolist()
maps = {line.split()[-1].rsplit("/", 1)[-1] for line in open("/proc/self/maps") if ".so" in line}
print(labels[0] == labels[1] != labels[2] == labels[3])
print(sorted(name for name in maps if name.startswith(("libstdc++", "libgcc_s"))))
child = subprocess.run([sys.executable, "-c", "import os, json; print(json.dumps(dict(os.environ)))"],
                       stdout=subprocess.PIPE, check=True)
import json
seen = json.loads(child.stdout)
print(dict(os.environ).keys() - before.keys() <= {"KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"})
print("LD_LIBRARY_PATH" in seen, "LD_PRELOAD" in seen, {k: v for k, v in before.items() if seen.get(k) != v})
"""


def test_openmp_and_libraries_that_several_wheels_bring(native: Native) -> None:
    """scikit-learn (its own libgomp), SciPy and NumPy (a Fortran runtime each) compute; variables stay as they are."""
    made = native.build("learn", "--library", native.libraries)
    manifests = [json.loads(path.read_text()) for path in native.nix.path.glob("*/nix-support/nixgen.json")]
    brought = {manifest["distribution"]: " ".join(manifest["provides"]) for manifest in manifests}
    assert "libgomp" in brought["scikit-learn"]
    assert "libgfortran" in brought["scipy"] and "libgfortran" in brought["numpy"]
    assert native.run(made, OPENMP).splitlines()[-4:] == [
        "True",
        "['libgcc_s.so.1', 'libstdc++.so.6']",
        "True",
        "False False {}",
    ]


def test_a_wheel_that_reads_tables(native: Native) -> None:
    """pandas, with C++ of its own beside numpy's, reads and groups."""
    made = native.build("table", "--library", native.libraries)
    code = "import io, pandas; print(pandas.read_csv(io.StringIO('a,b\\nx,1\\nx,2')).groupby('a').b.sum().to_dict())"
    assert native.run(made, code) == "{'x': 3}"


def test_environments_without_native_needs_have_no_preload(native: Native) -> None:
    """Pure Python needs no libraries under a Python of the store, and nothing is written where they are given."""
    plain = native.build("pure")
    given = native.build("pure", "--library", native.libraries)
    for env in (plain, given):
        assert not list(Path(env).rglob("*nixgen[-_]libraries*"))
        assert native.run(env, "import six; print(six.PY3)") == "True"


def test_the_machines_python_needs_nothing(native: Native) -> None:
    """With the machine's own Python, whose loader finds the machine's libraries, nothing is preloaded."""
    done = native.cli("build", "--extra", "numbers", "--no-out-link")
    env = Path(done.stdout.strip())
    assert not list(env.rglob("*nixgen[-_]libraries*"))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    said = subprocess.run(
        [env / "bin" / "python", "-c", "import numpy; print(numpy.ones(2).sum())"],
        env=clean,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "2.0\n"
