"""``[tool.nixgen]`` of pyproject.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixgen.errors import InputError
from nixgen.model import BuildSettings, Overrides
from nixgen.settings import Settings
from tests.support.indexes import make_index


def _read(directory: Path, text: str) -> Settings:
    path = directory / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    return Settings.read(path)


def test_nothing_is_said(tmp_path: Path) -> None:
    """Without a pyproject.toml, or without a word of nixgen in it, nothing is said."""
    assert Settings.read(tmp_path / "pyproject.toml") == Settings()
    assert _read(tmp_path, '[project]\nname = "x"\n') == Settings()


def test_what_is_said(tmp_path: Path) -> None:
    """Preferences are kept as they are, placement by the package's normalized name."""
    text = (
        '[tool.nixgen.prefer]\n"bin/x" = "one"\n'
        '[tool.nixgen.placement."Some.Package"]\ncopy = ["a/*"]\nlink = ["b", "c"]\n'
        "[tool.nixgen.placement]\nother = { solid = true }\n"
    )
    assert _read(tmp_path, text) == Settings(
        prefer={"bin/x": "one"},
        placement={"some-package": Overrides(copy=("a/*",), link=("b", "c")), "other": Overrides(solid=True)},
    )


def test_what_is_said_of_builds(tmp_path: Path) -> None:
    """A package's own table comes after what uv's say of it, and each key arrives."""
    text = (
        '[tool.uv]\nno-build = true\nno-binary-package = ["Some_Package"]\n'
        'build-constraint-dependencies = ["setuptools<80"]\n'
        'extra-build-dependencies = { other = ["numpy", { requirement = "torch", match-runtime = true }] }\n'
        '[tool.nixgen.build."Some.Package"]\nrequires = ["cython"]\nenv = { CC = "gcc" }\naccept = true\n'
        'config-settings = { "--build-option" = ["--one", "--two"] }\npackages = ["openssl"]\nprograms = ["cmake"]\n'
        "[tool.nixgen.build.other]\nrequires = ['more']\n"
    )
    said = _read(tmp_path, text)
    assert said.builds == {
        "some-package": BuildSettings(
            requires=("cython",),
            env={"CC": "gcc"},
            accept=True,
            config_settings={"--build-option": ("--one", "--two")},
            packages=("openssl",),
            programs=("cmake",),
        ),
        "other": BuildSettings(requires=("numpy", "torch", "more")),
    }
    assert (said.no_build, said.from_source, said.build_constraints) == (True, ("some-package",), ("setuptools<80",))
    notes = list(said.unmet([], {"other"}))
    assert notes == ["[tool.nixgen.build.some-package]: the lock builds no package of that name"]


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ("build = 3", "no table of packages"),
        ('build.demo = { requires = "one" }', "requires is no list of texts"),
        ("build.demo = { env = { A = 1 } }", "env is no table of texts"),
        ("build.demo = { accept = 1 }", "accept is neither true nor false"),
        ("build.demo = { cflags = [] }", "cflags is unknown"),
    ],
)
def test_what_is_wrong_of_builds(table: str, wrong: str, tmp_path: Path) -> None:
    """A key that is unknown or of another kind is named."""
    with pytest.raises(InputError, match=wrong):
        _read(tmp_path, f"[tool.nixgen]\n{table}\n")


def test_overlaps_may_be_refused(tmp_path: Path) -> None:
    """One wheel wins over another unless the user has it refused; anything else is an error that says both words."""
    assert Settings().overlaps and _read(tmp_path, '[tool.nixgen]\noverlaps = "win"\n').overlaps
    assert not _read(tmp_path, '[tool.nixgen]\noverlaps = "refuse"\n').overlaps
    with pytest.raises(InputError, match="overlaps is True") as caught:
        _read(tmp_path, "[tool.nixgen]\noverlaps = true\n")
    assert '"refuse"' in (caught.value.todo or "")


def test_the_python_may_be_fetched(tmp_path: Path) -> None:
    """Where to take the Python from is said for good by a word, which is no version."""
    assert Settings().standalone is None
    assert _read(tmp_path, '[tool.nixgen]\npython = "standalone"\n').standalone is True
    assert _read(tmp_path, '[tool.nixgen]\npython = "machine"\n').standalone is False
    with pytest.raises(InputError, match=r"python is '3\.12'") as caught:
        _read(tmp_path, '[tool.nixgen]\npython = "3.12"\n')
    assert ".python-version" in (caught.value.todo or "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.nixgen", "cannot read it"),
        ("[tool.nixgen]\nprefer = 1\n", "[tool.nixgen.prefer]"),
        ("[tool.nixgen]\nplacement = 1\n", "[tool.nixgen.placement]"),
        ("[tool.nixgen.placement]\ndemo = 1\n", "[tool.nixgen.placement.demo]"),
        ('[tool.nixgen.placement.demo]\ncopies = ["x"]\nsolid = 1\n', "copies is unknown, solid is neither"),
        ('[tool.nixgen.placement.demo]\ncopy = "x"\nlink = [1]\n', "copy is no list of patterns, link is no list"),
    ],
)
def test_what_is_not_understood_is_an_error(text: str, said: str, tmp_path: Path) -> None:
    """An error names the file, the table and everything that is wrong in it."""
    with pytest.raises(InputError) as caught:
        _read(tmp_path, text)
    assert said in str(caught.value)
    assert str(tmp_path / "pyproject.toml") in str(caught.value)


def test_what_meets_nothing_is_told() -> None:
    """A package that is not locked and a pattern that no file fits are named; others are not."""
    settings = Settings(
        placement={"gone": Overrides(solid=True), "demo": Overrides(copy=("demo/*", "nothing"), link=("*.x",))}
    )
    told = list(settings.unmet([make_index("demo", {"demo/__init__.py": "1"})]))
    assert ["gone" in told[0], "'nothing'" in told[1], "'*.x'" in told[2]] == [True] * len(told) == [True] * 3
