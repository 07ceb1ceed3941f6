"""Buckets: what AWS documents, and a server that speaks S3."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from nixgen.caches.s3 import Bucket, Keys
from nixgen.errors import InputError
from tests.support.caches import Machine
from tests.support.tools import tool

_AWS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "secret"}


def test_what_aws_documents() -> None:
    """The example of "Authenticating Requests: Using Query Parameters" has the signature that stands there."""
    keys = Keys(access="AKIAIOSFODNN7EXAMPLE", secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    bucket = Bucket(root="https://examplebucket.s3.amazonaws.com", region="us-east-1", keys=keys)
    url = bucket.url("GET", "test.txt", datetime(2013, 5, 24, tzinfo=UTC), 86400)
    assert url.endswith("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")


@pytest.mark.parametrize(
    ("url", "root", "region"),
    [
        ("s3://wheels", "https://wheels.s3.us-east-1.amazonaws.com", "us-east-1"),
        ("s3://wheels?region=eu-1", "https://wheels.s3.eu-1.amazonaws.com", "eu-1"),
        ("s3://wheels?endpoint=s3.example.org", "https://s3.example.org/wheels", "us-east-1"),
        ("s3://wheels?endpoint=127.0.0.1:9000&scheme=http", "http://127.0.0.1:9000/wheels", "us-east-1"),
        ("s3://wheels?endpoint=http://127.0.0.1:9000/", "http://127.0.0.1:9000/wheels", "us-east-1"),
    ],
)
def test_what_a_url_says(url: str, root: str, region: str) -> None:
    """Endpoint, scheme and region are as Nix takes them, in its older and its newer way."""
    bucket = Bucket.parse(url, {"HOME": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere/credentials"})
    assert (bucket.root, bucket.region, bucket.keys) == (root, region, None)


def test_whose_keys(tmp_path: Path) -> None:
    """A profile is read from AWS's own file; one that is not there is an error, and no secret is shown."""
    file = tmp_path / "credentials"
    file.write_text("[ci]\naws_access_key_id = me\naws_secret_access_key = hidden\n")
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(file), **_AWS}
    assert Keys.find(None, environ) == Keys(access="tests", secret="secret")
    found = Keys.find("ci", environ)
    assert found is not None and found.access == "me" and "hidden" not in repr(found)
    with pytest.raises(InputError, match="profile other"):
        Bucket.parse("s3://wheels?profile=other", environ)
    with pytest.raises(InputError, match="names no bucket"):
        Bucket.parse("s3://?endpoint=x", environ)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a server."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("s3") / "log").open("w")
    server = subprocess.Popen([tool("moto_server"), "-p", str(port)], stdout=log, stderr=log)
    try:
        for _ in range(600):
            try:
                httpx.get(f"http://127.0.0.1:{port}/", timeout=10)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        httpx.put(f"http://127.0.0.1:{port}/wheels", timeout=10).raise_for_status()
        yield f"127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.mark.nix
def test_a_bucket(machine: Machine, s3: str, away: None) -> None:
    """It is pushed to and built from, also by a Nix that reads none; one that is not there is an error."""
    url = f"s3://wheels?endpoint={s3}&scheme=http"
    machine.cli.environment.update(_AWS)
    try:
        environment = machine.build("--from", machine.cache).stdout
        assert (
            "pushed 7 paths" in machine.cli("push", url, "--sign-key", machine.secret, "--from", machine.cache).stderr
        )
        assert "7 of 7 were there" in machine.cli("push", url).stderr
        said = machine.cli("push", url.replace("wheels", "nothing"), code=4).stderr
        assert "make the bucket" in said and "secret" not in said
        machine.forget()
        done = machine.build("--from", url, "--debug")
        assert done.stdout == environment
        assert not re.search("building '[^']*-(demo|other)-", done.stderr)
        assert "Signature=" not in done.stderr
    finally:
        for name in _AWS:
            del machine.cli.environment[name]
