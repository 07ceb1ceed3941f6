"""``nixgen.adopt.environment``: what RECORDs say of an environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixgen.adopt.environment import Environment
from nixgen.errors import InputError
from tests.support.environments import install, make_environment, site_packages
from tests.support.wheels import make_wheel


def test_paths_are_those_of_the_wheel(tmp_path: Path) -> None:
    """Files have the paths that they had in the wheel; what installers write and compile is not among them."""
    wheel = make_wheel(
        "Demo.Name",
        "1.0",
        {"demo/__init__.py": "", "demo/a.txt": "a"},
        data={"data/share/x.txt": "x", "scripts/tool": "#!/bin/sh\n"},
    )
    directory = make_environment(tmp_path / "env", wheel, tool="pip")
    (distribution,) = Environment.find(directory).distributions()
    assert distribution.name == "demo-name"
    info = next(site_packages(directory).glob("*.dist-info")).name
    stem = info.removesuffix(".dist-info")
    assert sorted(distribution.files) == sorted(
        [
            *("demo/__init__.py", "demo/a.txt", f"{info}/METADATA", f"{info}/WHEEL"),
            *(f"{stem}.data/data/share/x.txt", f"{stem}.data/scripts/tool"),
        ]
    )
    assert distribution.files[f"{stem}.data/data/share/x.txt"].path == "share/x.txt"
    assert (directory / distribution.files["demo/a.txt"].path).read_text() == "a"


def test_files_outside_are_none_of_its(tmp_path: Path) -> None:
    """Rows that lead out of the environment, by themselves or through a link, are left out."""
    directory = make_environment(tmp_path / "env", make_wheel("demo", files={"demo/a.txt": "a", "other/b.txt": "b"}))
    site = site_packages(directory)
    (tmp_path / "outside").mkdir()
    (site / "other").rename(tmp_path / "outside/other")
    (site / "other").symlink_to(tmp_path / "outside/other")
    record = next(site.glob("*.dist-info/RECORD"))
    row = "sha256=ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs,1"
    record.write_text(
        f"{record.read_text()}{tmp_path}/outside/other/b.txt,{row}\n../../../../outside/other/b.txt,{row}\n"
    )
    (distribution,) = Environment.find(directory).distributions()
    assert {path for path in distribution.files if not path.startswith("demo-")} == {"demo/a.txt"}


def test_what_is_no_environment(tmp_path: Path) -> None:
    """A directory without pyvenv.cfg, and an environment with nothing in it, are errors that say what to do."""
    with pytest.raises(InputError, match=r"no pyvenv.cfg is there(.|\n)*what to do"):
        Environment.find(tmp_path)
    directory = make_environment(tmp_path / "env")
    with pytest.raises(InputError, match=r"nothing is installed here(.|\n)*what to do"):
        Environment.find(directory).distributions()
    install(directory, make_wheel())
    next(site_packages(directory).glob("*.dist-info/RECORD")).unlink()
    with pytest.raises(InputError, match="nothing is installed here"):
        Environment.find(directory).distributions()
