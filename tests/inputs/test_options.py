"""Options for uv: its own names, paths made absolute, secrets kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixgen.inputs.options import ResolverOptions


def test_nothing_is_passed_where_nothing_is_given() -> None:
    """Without options uv's own defaults and its environment decide."""
    assert ResolverOptions().compile_arguments() == []


def test_options_have_uvs_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every option arrives under uv's name; paths are those of the caller's directory, URLs stay."""
    monkeypatch.chdir(tmp_path)
    options = ResolverOptions(
        index=("corp=https://example.org/simple", "local"),
        default_index="https://example.org/main",
        find_links=("wheels",),
        no_index=True,
        constraints=("c.txt",),
        prerelease="allow",
        exclude_newer="2024-01-01",
        upgrade=True,
        upgrade_packages=("demo",),
        extra=("--torch-backend=cpu",),
    )
    assert options.compile_arguments() == [
        *("--index", "corp=https://example.org/simple", "--index", f"{tmp_path}/local"),
        *("--default-index", "https://example.org/main"),
        *("--find-links", f"{tmp_path}/wheels"),
        "--no-index",
        *("--prerelease", "allow", "--exclude-newer", "2024-01-01"),
        *("--constraints", f"{tmp_path}/c.txt"),
        "--upgrade",
        *("--upgrade-package", "demo"),
        "--torch-backend=cpu",
    ]


def test_secrets_are_in_no_representation_but_known_to_the_download() -> None:
    """The options' text hides URLs, their indexes keep names and URLs."""
    options = ResolverOptions(index=("corp=https://me:topsecret@example.org/simple",))
    assert "topsecret" not in repr(options)
    (index,) = options.indexes()
    assert (index.name, index.url) == ("corp", "https://me:topsecret@example.org/simple")


def test_what_may_be_secret_is_no_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logins and queries go by variables, which others cannot read, each in the form that uv reads there."""
    monkeypatch.chdir(tmp_path)
    options = ResolverOptions(
        index=("corp=https://me:s3cret@example.org/simple", "with space"),
        index_url="https://example.org/plain",
        find_links=("https://example.org/?token=a,b",),
    )
    assert options.compile_arguments() == ["--index-url", "https://example.org/plain"]
    assert options.environment() == {
        "UV_INDEX": f"corp=https://me:s3cret@example.org/simple {tmp_path.as_uri()}/with%20space",
        "UV_FIND_LINKS": "https://example.org/?token=a%2Cb",
    }
