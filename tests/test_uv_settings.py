"""uv's settings, as far as they matter to reach a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixgen.uv_settings import UvSettings


def read(base: Path, home: Path, **variables: str) -> UvSettings:
    """Read with a home and nothing of the machine's own."""
    return UvSettings.read(base, {"HOME": str(home), "XDG_CONFIG_DIRS": str(home / "none"), **variables})


def write(path: Path, text: str) -> None:
    """Write a file and its directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_timeout(tmp_path: Path) -> None:
    """It is uv's, by any of the names that uv takes; what is no number of seconds is none."""
    assert read(tmp_path, tmp_path).timeout == 30
    assert read(tmp_path, tmp_path, UV_HTTP_TIMEOUT="soon", UV_REQUEST_TIMEOUT="5", HTTP_TIMEOUT="7").timeout == 5


def test_variables_come_before_files_and_the_project_before_the_user(tmp_path: Path) -> None:
    """Each thing is what the first of them says; hosts and indexes add up."""
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir()
    write(
        home / ".config/uv/uv.toml",
        'system-certs = true\nallow-insecure-host = ["a"]\nkeyring-provider = "subprocess"\n'
        'http-proxy = "http://user:1"\n[[index]]\nname = "corp"\nurl = "https://corp"\n',
    )
    found = read(project, home)
    assert found.system_certificates and found.keyring and found.insecure_hosts == ("a",)
    assert [(index.name, index.url) for index in found.indexes] == [("corp", "https://corp")]
    assert found.proxies == {"http": "http://user:1"}
    write(
        project / "pyproject.toml",
        '[tool.uv]\nsystem-certs = false\nallow-insecure-host = ["b:8443"]\nno-proxy = ["c", "d"]\n'
        '[tool.uv.pip]\nkeyring-provider = "disabled"\nindex-url = "https://mine"\nrequire-hashes = true\n',
    )
    found = read(project, home, UV_INSECURE_HOST="e")
    assert not found.system_certificates and not found.keyring and found.require_hashes
    assert found.insecure_hosts == ("e", "b:8443", "a")
    assert [index.url for index in found.indexes] == ["https://mine", "https://corp"]
    assert found.proxies == {"http": "http://user:1", "no": "c,d"}
    assert read(project, home, UV_NATIVE_TLS="1", UV_KEYRING_PROVIDER="subprocess").system_certificates
    assert not read(project, home, UV_SYSTEM_CERTS="false", UV_NATIVE_TLS="true").system_certificates
    assert read(project, home, UV_NO_CONFIG="1") == UvSettings()


def test_which_file_is_the_projects(tmp_path: Path) -> None:
    """The nearest that has settings, uv.toml before pyproject.toml, and the root of a workspace."""
    home, member = tmp_path / "home", tmp_path / "root" / "member"
    write(tmp_path / "uv.toml", 'allow-insecure-host = ["far"]\n')
    write(tmp_path / "root/pyproject.toml", '[tool.uv]\nallow-insecure-host = ["root"]\n[tool.uv.workspace]\n')
    write(member / "pyproject.toml", '[tool.uv]\nallow-insecure-host = ["member"]\n')
    assert read(member, home).insecure_hosts == ("member", "root")
    write(member / "uv.toml", 'allow-insecure-host = ["own"]\n')
    assert read(member, home).insecure_hosts == ("own", "root")
    write(home / "other.toml", 'allow-insecure-host = ["other"]\n')
    assert read(member, home, UV_CONFIG_FILE=str(home / "other.toml")).insecure_hosts == ("other",)


@pytest.mark.parametrize("text", ["[", "index = 1\n[pip]\nindex-url = 2\n", "keyring-provider = []\n", "\xff"])
def test_what_cannot_be_read_says_nothing(text: str, tmp_path: Path) -> None:
    """uv says what is wrong with it; nothing is lost."""
    (tmp_path / "uv.toml").write_bytes(text.encode("latin-1"))
    assert read(tmp_path, tmp_path / "home") == UvSettings()
