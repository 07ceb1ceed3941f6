"""Verbs and options that nixgen does not have, and what was meant."""

from __future__ import annotations

import pytest

from nixgen.cli import parse
from nixgen.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("lokc", "nixgen lock"),
        ("biuld", "nixgen build"),
        ("synch", "nixgen sync"),
        ("unistall", "nixgen remove"),
        ("update", "nixgen upgrade"),
        ("ls", "nixgen list"),
        ("exec", "nixgen run"),
        ("exce", "nixgen run"),
        ("unmount", "nixgen umount"),
        ("compile", "nixgen lock"),
        ("activate", "nixgen shell"),
    ],
)
def test_a_verb(typed: str, meant: str) -> None:
    """A verb that is mistyped, or has that name in another tool, gets the one that was meant."""
    with pytest.raises(UsageError) as caught:
        parse([typed])
    assert caught.value.what == f"there is no verb {typed}"
    assert caught.value.todo is not None and caught.value.todo.startswith(f"try {meant};")


def test_a_verb_that_is_like_none() -> None:
    """Nothing is guessed where nothing is near."""
    with pytest.raises(UsageError) as caught:
        parse(["xyzzy"])
    assert caught.value.todo == "see them all: nixgen --help"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("lock --quite", "try --quiet;"),
        ("build --dry", "see what it takes"),
        ("build --no-dev", "try --no-default-groups;"),
        ("build --extras=web", "try --extra=web;"),
        ("build --upgrade", "--upgrade is an option of nixgen sync, nixgen add, nixgen remove"),
        ("--quite lock", "try --quiet;"),
        ("run --pyton 3.11 -- x", "try --python;"),
    ],
)
def test_an_option(typed: str, told: str) -> None:
    """An option too; and one of another verb says which verb has it."""
    with pytest.raises(UsageError) as caught:
        parse(typed.split())
    assert caught.value.todo is not None and told in caught.value.todo


def test_what_other_errors_say() -> None:
    """What argparse finds wrong is said as all else is, without its usage."""
    with pytest.raises(UsageError, match="expected one argument") as caught:
        parse(["lock", "--python"])
    assert caught.value.todo == "see what it takes: nixgen lock --help"
