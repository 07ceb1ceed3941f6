"""Whether the Python of a build is new enough for a wheel."""

from __future__ import annotations

import sys

import pytest

from tests.builders.conftest import Workbench
from tests.support.wheels import make_wheel

MAJOR, MINOR, PATCH = sys.version_info[:3]
RUNNING = f"{MAJOR}.{MINOR}.{PATCH}"
NEWER = f"{MAJOR}.{MINOR}.{PATCH + 1}"


@pytest.mark.parametrize(
    "wanted",
    [
        f">={RUNNING}",
        f">={MAJOR}.{MINOR}",
        f">3, >= {RUNNING}, !={NEWER}",
        # What has no part in patch levels is the resolver's, and what is no version is nobody's.
        f"<{MAJOR}.{MINOR}",
        ">=three",
        "",
    ],
)
def test_a_python_that_is_new_enough(wanted: str, workbench: Workbench) -> None:
    """A bound that this Python meets, no lower bound, or nothing that can be understood: the tree is made."""
    assert workbench.tree(make_wheel("demo", metadata=[f"Requires-Python: {wanted}"])).is_dir()


@pytest.mark.parametrize("wanted", [f">={NEWER}", f">{RUNNING}", f"!=3.0.*, >= {NEWER} ,<4", f">={MAJOR}.{MINOR + 1}"])
def test_an_older_python(wanted: str, workbench: Workbench) -> None:
    """An older Python than the wheel asks for ends the build, with both versions and the wheel's name."""
    with pytest.raises(SystemExit) as caught:
        workbench.tree(make_wheel("demo", metadata=[f"Requires-Python: {wanted}"]))
    said = str(caught.value)
    assert "demo 1.0 needs Python" in said and wanted.strip() in said and f"--python {RUNNING}" in said
