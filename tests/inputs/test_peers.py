"""The choice of wheels beside that of pip, on packages with many wheels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from nixgen import inputs
from nixgen.targets import Target

#: Versions that have wheels for every target below; those of later ones were dropped here and there.
PINS = (
    "numpy==2.3.4",
    "cryptography==44.0.3",
    "markupsafe==3.0.3",
    "psutil==7.1.3",
    "pyyaml==6.0.3",
    "charset-normalizer==3.4.4",
)

#: The stable ABI is none of a free-threaded Python's, and these have no other wheels for it.
LACKING = {"3.14t": ("cryptography==44.0.3",)}

#: What pip is told instead of a target: Python, ABI and platforms, spelled without nixgen.
PEERS = {
    ("3.11", "x86_64-linux"): ("3.11", "cp311", [f"manylinux_2_{n}_x86_64" for n in range(35, 4, -1)]),
    ("3.13", "aarch64-linux"): ("3.13", "cp313", [f"manylinux_2_{n}_aarch64" for n in range(35, 16, -1)]),
    ("3.14t", "x86_64-linux"): ("3.14", "cp314t", [f"manylinux_2_{n}_x86_64" for n in range(35, 4, -1)]),
    ("3.13", "aarch64-darwin"): ("3.13", "cp313", ["macosx_14_0_arm64"]),
    ("3.11", "x86_64-darwin"): ("3.11", "cp311", ["macosx_14_0_x86_64"]),
}


@pytest.mark.registry
@pytest.mark.parametrize(("python", "system"), PEERS)
def test_pip_takes_the_same_wheels(python: str, system: str, tmp_path: Path) -> None:
    """For each package pip, told the same Python and platforms, names the same file."""
    target = Target.parse(python, system)
    (tmp_path / "requirements.in").write_text("".join(f"{pin}\n" for pin in PINS if pin not in LACKING.get(python, ())))
    selection = inputs.read([], targets=[target], base=tmp_path).selections[target.key]
    ours = {package.wheel.filename for package in selection.packages}
    pins = [f"{package.name}=={package.version}" for package in selection.packages]
    version, abi, platforms = PEERS[python, system]
    environment = {name: value for name, value in os.environ.items() if name != "PIP_FIND_LINKS"}
    environment["PIP_CONFIG_FILE"] = os.devnull
    report = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps", "--ignore-installed"),
            *("--report", "-", "--only-binary", ":all:", "--target", str(tmp_path / "nowhere")),
            *("--implementation", "cp", "--python-version", version, "--abi", abi),
            *(f"--platform={platform}" for platform in platforms),
            *pins,
        ],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    ).stdout
    theirs = {_basename(item["download_info"]["url"]) for item in json.loads(report)["install"]}
    assert theirs == ours


def _basename(url: str) -> str:
    return unquote(urlsplit(url).path).rpartition("/")[2]
