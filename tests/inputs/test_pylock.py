"""Locks (PEP 751): what each target takes from them, and why some packages cannot be taken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from nixgen.errors import InputError, UsageError
from nixgen.inputs.pylock import Choice, choose, parse, refuse, without_wheel
from nixgen.model import ALWAYS, LockedPackage, Source
from nixgen.targets import Target
from tests.inputs.locks import HOST, SHA256, lock, package

LINUX = Target.parse("3.11", "x86_64-linux")
ARM = Target.parse("3.11", "aarch64-linux")
MAC = Target.parse("3.11", "aarch64-darwin")
BASE = Path("/project")


def read(
    text: str,
    target: Target = LINUX,
    *,
    directory: Path = BASE,
    extras: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    from_source: Sequence[str] = (),
) -> Choice:
    lock = parse(text, where="pylock.toml")
    return choose(
        lock,
        target,
        where="pylock.toml",
        directory=directory,
        base=BASE,
        extras=extras,
        groups=groups,
        from_source=from_source,
    )


def only(choice: Choice) -> LockedPackage:
    assert not choice.unusable
    (found,) = choice.selection.packages
    return found


def reasons(choice: Choice) -> dict[str, str]:
    return {item.name: item.reason for item in (*choice.unusable, *without_wheel(choice))}


def test_a_package_is_taken_with_its_wheel() -> None:
    """URL, hash and size come from the lock; a package without marker is always wanted."""
    found = only(read(lock(package("demo"))))
    assert (found.name, found.version, found.when) == ("demo", "1.0", ALWAYS)
    assert found.wheel.filename == "demo-1.0-py3-none-any.whl"
    assert found.wheel.url == f"{HOST}/demo-1.0-py3-none-any.whl"
    assert (found.wheel.sha256, found.wheel.size, found.wheel.path) == (SHA256, 7, None)


def test_each_target_takes_the_wheel_that_fits_it_best() -> None:
    """Among the wheels of a package the target's own tags decide."""
    text = lock(
        package(
            "demo",
            tags=[
                "py3-none-any",
                "cp311-cp311-manylinux_2_17_x86_64",
                "cp311-cp311-manylinux_2_28_x86_64",
                "cp311-cp311-manylinux_2_39_x86_64",
                "cp39-abi3-manylinux_2_28_x86_64",
                "cp311-cp311-musllinux_1_2_x86_64",
                "cp311-cp311-macosx_11_0_arm64",
                "cp312-cp312-manylinux_2_28_x86_64",
            ],
        )
    )
    assert "cp311-cp311-manylinux_2_28_x86_64" in only(read(text)).wheel.filename
    assert "macosx_11_0_arm64" in only(read(text, MAC)).wheel.filename
    assert "py3-none-any" in only(read(text, ARM)).wheel.filename


def test_the_highest_build_number_wins() -> None:
    """Wheels with the same tags differ by build number, as pip has it."""
    text = lock(package("demo", tags=["py3-none-any", "2-py3-none-any", "10-py3-none-any"]))
    assert only(read(text)).wheel.filename == "demo-1.0-10-py3-none-any.whl"


def test_packages_are_sorted_whatever_the_lock_has() -> None:
    """The order of a lock does not matter."""
    one, two = package("a"), package("b")
    assert read(lock(one, two)) == read(lock(two, one))


def test_extras_and_groups_become_conditions() -> None:
    """A marker over extras and groups becomes what the package depends on, and default groups are kept."""
    text = lock(
        package("base"),
        package("web", marker="'web' in extras"),
        package("check", marker="'Dev' in dependency_groups or 'web' in extras"),
        package("colorama", marker="sys_platform == 'win32'"),
        head='extras = ["web"]\ndependency-groups = ["Dev", "docs"]\ndefault-groups = ["Dev"]',
    )
    selection = read(text).selection
    assert {found.name: found.when for found in selection.packages} == {
        "base": ALWAYS,
        "web": (("extra:web",),),
        "check": (("extra:web",), ("group:dev",)),
    }
    assert (selection.extras, selection.groups) == (("web",), ("dev", "docs"))
    assert selection.default_groups == ("dev",)


def test_what_is_not_chosen_is_left_out() -> None:
    """Restricted to some extras and groups, the rest of the lock is as if it could not be chosen."""
    text = lock(
        package("web", marker="'web' in extras"),
        package("check", marker="'dev' in dependency_groups"),
        head='extras = ["web"]\ndependency-groups = ["dev"]\ndefault-groups = ["dev"]',
    )
    selection = read(text, extras=["Web"], groups=[]).selection
    assert [found.name for found in selection.packages] == ["web"]
    assert (selection.groups, selection.default_groups) == ((), ())
    with pytest.raises(UsageError, match="choose from: web"):
        read(text, extras=["wed"])


def test_one_package_in_two_versions_is_an_error_only_where_both_are_always_wanted() -> None:
    """Versions that depend on what is chosen may stand beside each other."""
    fine = lock(
        package("demo", "1.0", marker="'a' in extras"),
        package("demo", "2.0", marker="'a' not in extras"),
        head='extras = ["a"]',
    )
    assert [found.version for found in read(fine).selection.packages] == ["1.0", "2.0"]
    with pytest.raises(InputError, match=r"demo is in the lock twice .*1\.0 and 2\.0"):
        read(lock(package("demo", "1.0"), package("demo", "2.0")))


def test_versions_split_by_marker_do_not_meet() -> None:
    """A lock may have one version per platform."""
    text = lock(
        package("demo", "1.0", marker="sys_platform == 'darwin'"),
        package("demo", "2.0", marker="sys_platform != 'darwin'"),
    )
    assert (only(read(text)).version, only(read(text, MAC)).version) == ("2.0", "1.0")


@pytest.mark.parametrize(
    ("asked", "target", "proposal"),
    [
        (">=3.11.4", "3.11", "3.11.4"),
        (">=3.12", "3.11", "3.12.0"),
        (">=3.13", "3.14.0a1", None),
        (">=3.13.2", "3.13t", "3.13.2t"),
        ("<3.11", "3.11", "3.10.0"),
    ],
)
def test_a_lock_for_other_pythons_proposes_one(asked: str, target: str, proposal: str | None) -> None:
    """Where requires-python does not hold, the error names the target and a Python that would do."""
    text = lock(package("demo"), head=f'requires-python = "{asked}"')
    wanted = Target.parse(target, "x86_64-linux")
    if proposal is None:
        assert only(read(text, wanted))
        return
    with pytest.raises(InputError) as caught:
        read(text, wanted)
    assert f"--python {proposal}" in str(caught.value)
    assert str(wanted) in str(caught.value)


def test_a_package_for_other_pythons_is_an_error_that_names_it() -> None:
    """A package's own requires-python counts where the package is wanted, and nowhere else."""
    more = 'requires-python = ">=3.12"'
    with pytest.raises(InputError, match="package demo"):
        read(lock(package("demo", more=more)))
    assert not read(lock(package("demo", marker="sys_platform == 'win32'", more=more))).selection.packages


def test_a_lock_for_other_environments_is_an_error_that_lists_them() -> None:
    """One of the lock's environments must hold for the target."""
    head = "environments = [\"sys_platform == 'win32'\", \"sys_platform == 'linux'\"]"
    assert only(read(lock(package("demo"), head=head)))
    with pytest.raises(InputError, match="win32"):
        read(lock(package("demo"), head=head), MAC)


HASHES = f'hashes = {{ sha256 = "{SHA256}" }}'


def test_what_has_no_wheel_is_listed_with_the_reason() -> None:
    """Source distributions, foreign wheels, directories, repositories and archives are all reported at once."""
    text = lock(
        package("source", tags=[], sdist=True),
        package("foreign", tags=["cp312-cp312-win_amd64"], sdist=True),
        package("local", tags=[], more='directory = { path = "libs/local" }'),
        package("repo", tags=[], more='vcs = { type = "git", url = "https://example.org/x", commit-id = "1" }'),
        package("tar", tags=[], more=f'archive = {{ url = "{HOST}/tar-1.0.tar.gz", {HASHES} }}'),
        package("nothing", tags=[]),
        package("fine"),
    )
    choice = read(text)
    wheels = [found.name for found in choice.selection.packages if found.wheel.source is None]
    assert (wheels, [item.name for item in choice.unusable]) == (["fine"], ["nothing"])
    assert reasons(choice) == {
        "source": "only a source distribution",
        "foreign": "wheels only for cp312-cp312-win_amd64, and a source distribution",
        "local": "a directory (libs/local)",
        "repo": "a git repository",
        "tar": "an archive of its source (tar-1.0.tar.gz)",
        "nothing": "the lock names no file of it that fits its Pythons",
    }


def test_a_package_without_files_matters_only_where_it_is_wanted() -> None:
    """uv writes such packages for other Pythons; a target that does not want them is not hurt."""
    text = lock(package("nothing", tags=[], marker="sys_platform == 'win32'"), package("fine"))
    assert only(read(text)).name == "fine"


def test_what_has_no_wheel_is_built_of_its_source() -> None:
    """Source distribution, archive, commit and directory are what a package is built of, each with its hash."""
    text = lock(
        package("sdist", tags=[], sdist=True),
        package("tar", tags=[], more=f'archive = {{ url = "{HOST}/tar-1.0.tar.gz", subdirectory = "py", {HASHES} }}'),
        package(
            "repo",
            tags=[],
            more='vcs = { type = "git", url = "https://me:pw@example.org/x", commit-id = "1f" }'.replace(
                " }", ', requested-revision = "v1" }'
            ),
        ),
        package("local", tags=[], more='directory = { path = "libs/local", subdirectory = "./py/" }'),
    )
    sources = {found.name: found.wheel.source for found in read(text).selection.packages}
    assert sources["sdist"] is not None and sources["sdist"].sha256 is not None
    assert sources["tar"] == Source(url=f"{HOST}/tar-1.0.tar.gz", subdirectory="py", sha256=sources["sdist"].sha256)
    assert sources["repo"] == Source(repository="https://example.org/x", commit="1f")
    assert sources["repo"].revision == "v1"
    assert sources["local"] == Source(directory="libs/local", subdirectory="py")
    assert [name for name, source in sources.items() if source and source.direct] == ["tar"]
    both = lock(package("demo", sdist=True))
    assert only(read(both)).wheel.source is None
    assert only(read(both, from_source=["demo"])).wheel.source is not None


def test_refusing_names_every_package_once_with_its_targets() -> None:
    """One error lists all packages over all targets; without any there is no error."""
    text = lock(package("source", tags=[], sdist=True), package("mac", tags=["cp311-cp311-macosx_11_0_arm64"]))
    choices = [(target, read(text, target)) for target in (LINUX, MAC)]
    found = [(target, item) for target, choice in choices for item in (*choice.unusable, *without_wheel(choice))]
    with pytest.raises(InputError) as caught:
        refuse(found, where="pylock.toml")
    message = str(caught.value)
    assert "2 packages have no wheel" in message
    assert "source 1.0 (3.11-x86_64-linux, 3.11-aarch64-darwin): only a source distribution" in message
    assert "mac 1.0 (3.11-x86_64-linux): wheels only for cp311-cp311-macosx_11_0_arm64" in message
    assert "build a wheel" in message
    refuse([], where="pylock.toml")


def test_the_project_itself_is_built_of_its_directory() -> None:
    """A directory that is the lock's own is one like any other."""
    choice = read(lock(package("me", tags=[], more='directory = { path = ".", editable = true }')))
    assert only(choice).wheel.source == Source(directory=".")


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ('path = "wheels/demo-1.0-py3-none-any.whl"', "lock/wheels/demo-1.0-py3-none-any.whl"),
        ('path = "../wheels/demo-1.0-py3-none-any.whl"', "wheels/demo-1.0-py3-none-any.whl"),
        ('path = "../../far/demo-1.0-py3-none-any.whl"', "../far/demo-1.0-py3-none-any.whl"),
        ('path = "/far/demo-1.0-py3-none-any.whl"', "/far/demo-1.0-py3-none-any.whl"),
        ('path = "/project/x/demo-1.0-py3-none-any.whl"', "x/demo-1.0-py3-none-any.whl"),
        ('url = "file:///far/a%20b/demo-1.0-py3-none-any.whl"', "/far/a b/demo-1.0-py3-none-any.whl"),
        ('url = "file:///project/demo-1.0-py3-none-any.whl#x"', "demo-1.0-py3-none-any.whl"),
    ],
)
@pytest.mark.parametrize("archive", [False, True])
def test_wheels_on_disk_have_paths_from_the_base(source: str, path: str, archive: bool) -> None:
    """Relative paths start at the lock and end at the base, absolute ones outside of it stay."""
    entry = f"{{ {source}, {HASHES} }}"
    text = lock(
        package("demo", None if archive else "1.0", tags=[], more=f"archive = {entry}")
        if archive
        else package("demo", tags=[], files=[entry])
    )
    found = only(read(text, directory=BASE / "lock"))
    assert (found.wheel.path, found.wheel.url, found.version) == (path, None, "1.0")
    assert found.wheel.direct is archive


def test_an_archive_that_is_a_wheel_must_fit_too() -> None:
    """A direct reference to a wheel is a wheel, with its tags."""
    text = lock(
        package("demo", tags=[], more=f'archive = {{ url = "{HOST}/demo-1.0-cp39-cp39-win32.whl?x=1", {HASHES} }}')
    )
    assert reasons(read(text)) == {"demo": "wheels only for cp39-cp39-win32"}


def test_an_archive_of_another_package_is_an_error() -> None:
    """A wheel that is not the package's is refused."""
    text = lock(package("demo", tags=[], more=f'archive = {{ url = "{HOST}/other-1.0-py3-none-any.whl", {HASHES} }}'))
    with pytest.raises(InputError, match="not one of demo"):
        read(text)


def test_logins_and_fragments_leave_the_url_and_the_login_is_remembered() -> None:
    """The lock's URL is kept for the download, the selection has it without the login."""
    url = "https://me:secret@example.org/a/demo-1.0-py3-none-any.whl"
    choice = read(lock(package("demo", tags=[], files=[f'{{ url = "{url}?raw=1#sha256=0", {HASHES} }}'])))
    assert only(choice).wheel.url == "https://example.org/a/demo-1.0-py3-none-any.whl?raw=1"
    assert choice.urls_with_login == (f"{url}?raw=1#sha256=0",)


@pytest.mark.parametrize(
    ("hashes", "reason"),
    [
        ('crc32 = "00"', "only crc32"),
        ('sha256 = "xyz"', "malformed SHA-256"),
    ],
)
def test_a_wheel_needs_a_hash(hashes: str, reason: str) -> None:
    """Without a hash that is known, or with a malformed SHA-256, a wheel cannot be used."""
    entry = f'{{ url = "{HOST}/demo-1.0-py3-none-any.whl", hashes = {{ {hashes} }} }}'
    assert reason in reasons(read(lock(package("demo", tags=[], files=[entry]))))["demo"]


@pytest.mark.parametrize(
    ("hashes", "other"),
    [('md5 = "0A"', ("md5", "0a")), ('md5 = "00", sha512 = "11", sha384 = "22"', ("sha512", "11"))],
)
def test_another_hash_is_what_is_compared(hashes: str, other: tuple[str, str]) -> None:
    """Where the lock names no SHA-256, the strongest of its other hashes is kept for the whole wheel."""
    entry = f'{{ url = "{HOST}/demo-1.0-py3-none-any.whl", hashes = {{ {hashes} }} }}'
    wheel = only(read(lock(package("demo", tags=[], files=[entry])))).wheel
    assert (wheel.sha256, wheel.other) == (None, other)


def test_a_sha256_may_be_in_upper_case() -> None:
    """Hexadecimal digits are taken in either case and kept in lower case."""
    entry = f'{{ url = "{HOST}/demo-1.0-py3-none-any.whl", hashes = {{ SHA256 = "{SHA256.upper()}" }} }}'
    assert only(read(lock(package("demo", tags=[], files=[entry])))).wheel.sha256 == SHA256


@pytest.mark.parametrize("url", ["ftp://example.org/demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl"])
def test_a_url_that_cannot_be_downloaded_is_an_error(url: str) -> None:
    """Only http, https and file URLs can be used."""
    with pytest.raises(InputError, match="cannot download"):
        read(lock(package("demo", tags=[], files=[f'{{ url = "{url}", {HASHES} }}'])))


@pytest.mark.parametrize("name", ["x/../demo-1.0-py3-none-any.whl", "demo-1.0-py3-none.${x}-any.whl"])
def test_a_file_name_can_inject_nothing(name: str) -> None:
    """A wheel's file name has the characters of a wheel's file name only."""
    entry = f'{{ name = "{name}", url = "{HOST}/x", {HASHES} }}'
    with pytest.raises(InputError, match="wheel"):
        read(lock(package("demo", tags=[], files=[entry])))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lock-version = ", "no TOML"),
        ('created-by = "x"\npackages = []', "lock-version"),
        ('lock-version = "2.0"\ncreated-by = "x"\npackages = []', "version 2.0"),
        ('lock-version = "1.0"\npackages = []', "created-by"),
        (lock(package("De_mo")), "packages[0].name"),
        (lock(package("demo", files=["{ hashes = {} }"])), "packages[0].wheels[1]"),
        (lock(package("demo", tags=[], marker="nonsense", more="")), "marker"),
        ('lock-version = "1.0"\ncreated-by = "x"\npackages = 3', "packages"),
    ],
)
def test_a_broken_lock_is_an_input_error_with_its_place(text: str, expected: str) -> None:
    """What is no TOML, no lock or of another version says file and place."""
    with pytest.raises(InputError) as caught:
        parse(text, where="some/pylock.toml")
    assert expected in str(caught.value)
    assert "some/pylock.toml" in str(caught.value)
