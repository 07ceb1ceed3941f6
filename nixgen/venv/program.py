"""The program that makes and heals, as it came with this nixgen; an environment's own works without nixgen too."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from nixgen.errors import InputError, MachineError, NixError
from nixgen.library import library_directory, module_of
from nixgen.processes import run as run_program
from nixgen.store import Store
from nixgen.temporary import temporary_directory

_log = logging.getLogger(__name__)

#: Options with which there is no new environment to keep.
_CHANGING_NOTHING = {"--check", "--dry-run", "--rollback"}

#: Options of what is mounted, which root has to be root for.
_MOUNTING = {"--mounted", "--reset", "--unmount", "--known"}

#: Reads the program with $0 as in an environment's bin: so it knows which one it belongs to.
_READ = 'parts=$1; shift; . "$parts/program.sh"'


@functools.cache
def rights() -> ModuleType:
    """Return ``nix/venv/owner.py``: whose rights the work in a directory is done with."""
    return module_of("venv", "owner")


def environment_below(directory: Path) -> Path | None:
    """Return the store path that a virtual environment stands on, as its marker says.

    The marker is its owner's. So what it names counts only where the store holds it, and nothing is followed there.

    Args:
        directory: the virtual environment.

    Returns:
        None where there is no marker, or it names anything else than a valid path of the store.
    """
    named = named_below(directory)
    return Path(named) if named and _is_valid(named) else None


def named_below(directory: Path) -> str:
    """Return what the marker of a virtual environment names, whatever that is; "" where there is none."""
    return next((line[4:] for line in _marker(directory).splitlines() if line.startswith("env /")), "")


def is_made(directory: Path) -> bool:
    """Tell whether a directory has the marker of a virtual environment, whatever that says."""
    return _marker(directory).startswith("nixgen-venv ")


def check_ours(directory: Path) -> None:
    """Check that a directory is nixgen's to fill, before work is done for it: the program would refuse it in the end.

    Raises:
        InputError: something is there that nixgen has not made.
    """
    if is_made(directory) or not os.path.lexists(directory):
        return
    if directory.is_dir() and not any(entry.name != ".nixgen" for entry in directory.iterdir()):
        return
    raise InputError(
        "this was not made by nixgen, and is left alone",
        where=str(directory.absolute()),
        todo=f"remove it (rm -r {directory.name}), let it share with the store (nixgen adopt), or name another",
    )


def is_mounted(directory: Path) -> bool:
    """Tell whether a directory has the marker of a virtual environment that is mounted, or is to be."""
    return is_made(directory) and "\nform mounted\n" in _marker(directory)


def mounting(verb: str, *arguments: str | Path, captured: bool = False) -> subprocess.CompletedProcess[str]:
    """Run nix/venv/mounted.py, which mounts virtual environments, and return how it ended.

    Args:
        verb: one of those that take no directory: ``missing``, ``table``, ``heal-all``.
        arguments: of the verb.
        captured: whether to return what it prints.
    """
    program = library_directory() / "venv" / "mounted.py"
    command = [sys.executable, "-I", "-S", "-B", str(program), verb, *map(str, arguments)]
    return run_program(command, captured=captured)


def cannot_mount(*, user: bool = False) -> str | None:
    """Say in a sentence why nothing can be mounted here; None where it can.

    Args:
        user: whether it is for a command alone, which needs no root.
    """
    said = mounting("missing", *(["user"] if user else []), captured=True).stdout.strip()
    return said or None


def run(directory: Path, arguments: Sequence[str], *, environment: Path | None) -> int:
    """Run the program on a virtual environment and return its exit code; it says itself what it does.

    What runs is nixgen's own, never what an environment holds under that name. As root, in a directory of another user,
    it runs with that user's rights.

    Args:
        directory: the virtual environment.
        arguments: options of the program.
        environment: a valid environment of the store; None where there is none.

    Raises:
        InputError: another user's rights cannot be taken.
        MachineError: somebody ended the program, which could not say so itself.
    """
    directory = Path(os.path.abspath(directory)) if ".." not in directory.parts else Path.cwd() / directory  # noqa: PTH100
    if _MOUNTING.intersection(arguments):
        return _run_mounting(directory, arguments, environment)
    if is_mounted(directory):
        return _run_mounting(directory, ["--known", *arguments], environment)
    reached = rights().reach(str(directory))
    theirs = reached.uid != os.geteuid()
    try:
        with _parts(shared=theirs) as parts:
            name = environment / "bin" / "nixgen-venv" if environment is not None else parts / "program.sh"
            command = ["sh", "-c", _READ, str(name), str(parts)]
            if theirs:
                code = _run_as(reached.uid, [*command, *arguments, str(directory)], directory, environment)
                return _ended(code, directory)
            if reached.descriptor is None:
                command += ["--mine", *arguments, str(directory)]
                code = _ended(run_program(command, captured=False).returncode, directory)
            else:
                command += ["--here", *arguments]
                _log.debug("running %s in %s", " ".join(command), directory)
                done = run_program(command, captured=False, preexec_fn=lambda: os.fchdir(reached.descriptor))
                code = _ended(done.returncode, directory)
            if code == 0 and environment is not None and not _CHANGING_NOTHING.intersection(arguments):
                _keep(directory, environment)
            return code
    finally:
        if reached.descriptor is not None:
            os.close(reached.descriptor)


def _run_mounting(directory: Path, arguments: Sequence[str], environment: Path | None) -> int:
    with _parts(shared=False) as parts:
        name = environment / "bin" / "nixgen-venv" if environment is not None else parts / "program.sh"
        # Root runs no interpreter that DIR names: whoever may add to the store can have one there.
        command = ["sh", "-c", _READ, str(name), str(parts), f"--by={sys.executable}", *arguments, str(directory)]
        return _ended(run_program(command, captured=False).returncode, directory)


def _keep(directory: Path, environment: Path) -> None:
    """Have Nix keep the environment before this ends: the program leaves that to one that it does not wait for."""
    link = directory / ".nixgen" / "roots" / environment.name
    if not os.path.lexists(link) and link.parent.parent.is_dir():
        with contextlib.suppress(NixError, OSError):  # as there: where Nix may not, it does not
            Store().realise(str(environment), link)


def _ended(code: int, directory: Path) -> int:
    """Return the program's exit code, which is a signal's number below zero where that ended it."""
    if code < 0:
        raise MachineError(
            f"what makes the virtual environment was ended by signal {-code}",
            where=str(directory),
            todo="run this again: it completes what is there",
        )
    return code


def _run_as(uid: int, command: list[str], directory: Path, environment: Path | None) -> int:
    """Run a command as another user, who does not see what root's variables hold."""
    _log.debug("running %s as user %d", " ".join(command), uid)
    try:
        code = run_program(
            command,
            captured=False,
            user=uid,
            group=rights().group(uid),
            extra_groups=[],
            env=rights().variables(uid),
            cwd="/",
            umask=0o022,
            start_new_session=True,
            timeout=rights().SECONDS,
        ).returncode
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"this takes longer than {rights().SECONDS} seconds",
            where=str(directory),
            todo=f"run this as user {uid}, whom the directory belongs to",
        ) from error
    except OSError as error:
        raise InputError(
            f"cannot run as user {uid}, whom this directory belongs to: {error.strerror}",
            where=str(directory),
            todo="run this as that user",
        ) from error
    if code == 0 and environment is not None and not {"--check", "--dry-run"}.intersection(command):
        rights().register(str(directory / ".nixgen" / "roots" / environment.name))
    return code


@contextmanager
def _parts(*, shared: bool) -> Iterator[Path]:
    """Give the directory of the program; a copy for a user who may not be able to read where nixgen is."""
    library = library_directory() / "venv"
    if not shared:
        yield library
        return
    with temporary_directory() as made:
        made.chmod(0o755)
        for part in library.iterdir():
            if part.is_file():
                shutil.copyfile(part, made / part.name)
                (made / part.name).chmod(0o644)
        yield made


def _marker(directory: Path) -> str:
    reached = rights().reach(str(directory))
    descriptor = reached.descriptor
    if descriptor is None:
        return ""
    try:
        content: bytes | None = rights().read(descriptor, ".nixgen/state")
    finally:
        os.close(descriptor)
    return (content or b"").decode(errors="surrogateescape")


def _is_valid(path: str) -> bool:
    """Tell whether a path is one of the store itself, whole and owned as the store is, and valid where Nix can tell."""
    store = Path(os.environ.get("NIX_STORE_DIR") or "/nix/store")
    named = Path(path)
    if named.parent != store or named.name in ("", "..") or str(named) != path:
        return False
    try:
        status = named.lstat()
    except OSError:
        return False
    if (
        not stat.S_ISDIR(status.st_mode)
        or status.st_uid != store.lstat().st_uid
        or not (named / "pyvenv.cfg").is_file()
    ):
        return False
    try:
        return not Store().invalid([path])
    except NixError:  # no Nix here, or not for this user
        return True
