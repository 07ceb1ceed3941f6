"""Which form a project's environment has: an overlay, a farm for installers that do not read .pth files, or mounted."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, cast, get_args

from nixgen.errors import InputError
from nixgen.npm.manifest import read_manifest
from nixgen.observer import Observer
from nixgen.venv.program import cannot_mount, is_mounted

Form = Literal["overlay", "farm", "mounted"]


def form_of(project: Path) -> Form | None:
    """Return the form that a project says, or its installer needs; None where an overlay or a farm serves it.

    ``[tool.nixgen.venv] form`` says it.

    uv takes for installed what lies in site-packages itself: in an overlay, ``uv sync`` would install every package a
    second time. Poetry and pip ask Python where packages are, and see those below an overlay.

    Args:
        project: its directory.

    Raises:
        InputError: it says another form than there is.
    """
    file = project / "pyproject.toml"
    try:
        tools = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError):
        tools = {}
    said = tools.get("nixgen", {}).get("venv", {}).get("form")
    if said is not None and said not in get_args(Form):
        raise InputError(
            f"[tool.nixgen.venv] form is {said!r}", where=str(file), todo=f"write one of {', '.join(get_args(Form))}"
        )
    if said is not None:
        return cast("Form", said)
    return "farm" if (project / "uv.lock").exists() or "uv" in tools else None


def modules_are_mounted(project: Path, asked: bool, observer: Observer) -> bool:
    """Tell whether a project's ``node_modules`` is to be mounted: it is, somebody asks for it, or the project says so.

    ``[tool.nixgen.venv] form`` says it, or ``"nixgen": {"venv": {"form": …}}`` in package.json.

    Args:
        project: its directory.
        asked: whether the user asks for it.
        observer: is told where it is one of links because nothing can be mounted here.

    Raises:
        InputError: it says another form than there is.
    """
    if asked or is_mounted(project / "node_modules"):
        return True
    if form_of(project) != "mounted" and _form_of_manifest(project / "package.json") != "mounted":
        return False
    said = cannot_mount()
    if said is not None:
        observer.note(f"{said}: node_modules is one of links instead")
    return said is None


def _form_of_manifest(file: Path) -> str | None:
    try:
        said = read_manifest(file).get("nixgen", {}) if file.exists() else {}
    except InputError:
        return None  # what reads it to lock says why
    form = said.get("venv", {}).get("form") if isinstance(said, dict) and isinstance(said.get("venv"), dict) else None
    if form not in (None, "links", "mounted"):
        raise InputError(f'"nixgen": venv.form is {form!r}', where=str(file), todo='write "links" or "mounted"')
    return form


def form_here(project: Path, directory: Path, asked: Form | None, observer: Observer) -> Form | None:
    """Return the form that is asked for, or that a virtual environment has, as far as it works on this machine.

    Args:
        project: the project's directory.
        directory: the virtual environment.
        asked: what the user asks for; None for nothing.
        observer: is told where another form takes the place of what does not work here.

    Returns:
        None where the virtual environment's own is to stay, or an overlay where there is none.

    Raises:
        InputError: as ``form_of``.
    """
    form = asked or ("mounted" if is_mounted(directory) else form_of(project))
    if form != "mounted" or is_mounted(directory):
        return form
    said = cannot_mount()
    if said is None:
        return form
    instead: Form = "farm" if (project / "uv.lock").exists() else "overlay"
    observer.note(f"{said}: {directory} is {'a farm' if instead == 'farm' else 'an overlay'} instead")
    return instead
