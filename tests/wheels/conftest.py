"""Fixtures to index wheels that a test made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen.errors import WheelError
from nixgen.model import WheelIndex, WheelSource
from nixgen.wheels.index import index_all
from tests.support.wheels import write_wheel

Wheel = tuple[str, bytes]


@pytest.fixture
def index_of(tmp_path: Path) -> Callable[[Wheel], WheelIndex]:
    """Index a wheel from disk."""

    def index(wheel: Wheel) -> WheelIndex:
        path = write_wheel(tmp_path / "wheels", wheel)
        indexes, _ = index_all([WheelSource(filename=path.name, path=path.name)], base=path.parent)
        return indexes[0]

    return index


@pytest.fixture
def problems_of(index_of: Callable[[Wheel], WheelIndex]) -> Callable[[Wheel], str]:
    """Give the problems of a wheel that must be refused, one a line."""

    def problems(wheel: Wheel) -> str:
        with pytest.raises(WheelError) as caught:
            index_of(wheel)
        assert caught.value.wheel == wheel[0]
        assert wheel[0] in str(caught.value)
        return "\n".join(caught.value.problems)

    return problems
