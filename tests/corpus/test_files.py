"""The files of two environments, compared."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.files import differences

SITE = "lib/python3.11/site-packages"


@pytest.fixture
def environments(tmp_path: Path) -> tuple[Path, Path]:
    """Two environments with the same files, as different installers leave them."""
    pip, ours = tmp_path / "pip", tmp_path / "ours"
    for name, text in {
        "bin/tool": "#!/pip/bin/python",
        "bin/activate": "",
        f"{SITE}/demo/__init__.py": "x = 1",
        f"{SITE}/demo-1.0.dist-info/RECORD": "rows",
        f"{SITE}/demo-1.0.dist-info/REQUESTED": "",
    }.items():
        (pip / name).parent.mkdir(parents=True, exist_ok=True)
        (pip / name).write_text(text)
    (pip / "bin/tool").chmod(0o755)
    shutil.copytree(pip, ours)
    (ours / "bin/tool").write_text("#!/ours/bin/python")
    (ours / f"{SITE}/demo-1.0.dist-info/RECORD").write_text("other rows")
    (ours / f"{SITE}/demo-1.0.dist-info/REQUESTED").unlink()
    (ours / ".nixgen").mkdir()
    return pip, ours


def edit(root: Path) -> None:
    """Give a file other bytes of the same size."""
    (root / SITE / "demo/__init__.py").write_text("x = 2")


def allow(root: Path) -> None:
    """Give a file another mode."""
    (root / SITE / "demo/__init__.py").chmod(0o444)


def forbid(root: Path) -> None:
    """Take the x bit from a program."""
    (root / "bin/tool").chmod(0o644)


def link(root: Path) -> None:
    """Put a link in a file's place."""
    path = root / SITE / "demo/__init__.py"
    path.rename(root / ".nixgen/x")
    path.symlink_to(root / ".nixgen/x")


def remove(root: Path) -> None:
    """Take a file away."""
    (root / "bin/tool").unlink()


def add(root: Path) -> None:
    """Leave a file that no wheel has."""
    (root / SITE / "more.py").touch()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edit, f"{SITE}/demo/__init__.py: other bytes"),
        (allow, f"{SITE}/demo/__init__.py: file 444, with pip file 644"),
        (forbid, "bin/tool: file 644, with pip file 755"),
        (link, f"{SITE}/demo/__init__.py: link, with pip file 644"),
        (remove, "missing: bin/tool"),
        (add, f"only there: {SITE}/more.py"),
    ],
)
def test_differences(environments: tuple[Path, Path], change: Callable[[Path], None], said: str) -> None:
    """Whatever is not as with pip is named; what installers write in their own words is not."""
    pip, ours = environments
    assert differences(pip, ours) == []
    change(ours)
    assert differences(pip, ours) == [said]


def test_a_script_may_be_run_where_pip_forgets_it(environments: tuple[Path, Path]) -> None:
    """A script of a wheel from Windows has no x bit with pip, and may have it, as the specification says."""
    pip, ours = environments
    forbid(pip)
    assert differences(pip, ours) == []
