"""Another machine: a store of the same name with other content, reached through a real sshd on loopback."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.nix import NixInstallation
from tests.support.programs import program

#: What sshd is told. Whoever logs in is root of this machine, and gets into the other one.
_CONFIGURATION = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {keys}/host
AuthorizedKeysFile {keys}/user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
ForceCommand {enter}
"""

#: The other machine is a mount away: its directory lies where this one's Nix is. sshd wants a user without rights.
_START = 'mount --bind "$1" "$2" && mount --bind "$3" /etc/passwd && shift 3 && exec "$@"'

_ENTER = """\
#!/bin/sh
export NIX_CONFIG='{settings}' PATH='{path}' {variables}
exec sh -c "$SSH_ORIGINAL_COMMAND"
"""


@dataclass(frozen=True, kw_only=True)
class Remote:
    """Another machine.

    Attributes:
        url: of its store.
        directory: where its files are on this one.
        env: variables for whoever is to reach it.
        key: that lets one in.
    """

    url: str
    directory: Path
    env: dict[str, str]
    key: Path


@contextmanager
def remote_machine(nix: NixInstallation, root: Path, settings: str) -> Iterator[Remote]:
    """Start the sshd of another machine, and stop it.

    Args:
        nix: this one's.
        root: an empty directory.
        settings: of its Nix, a line each.
    """
    there, keys = root / "there", root / "keys"
    there.mkdir(parents=True)
    keys.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(
            [program("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", keys / name], check=True
        )
    enter = root / "enter"
    places = {name: value for name, value in nix.env.items() if name.startswith("NIX_") and name != "NIX_CONFIG"}
    variables = " ".join(f"{name}='{value}'" for name, value in places.items())
    enter.write_text(_ENTER.format(settings=settings, path=nix.env["PATH"], variables=variables))
    enter.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configuration = root / "sshd_config"
    configuration.write_text(_CONFIGURATION.format(port=port, keys=keys, enter=enter))
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd puts the part that has no rights
    users = root / "passwd"
    users.write_text(Path("/etc/passwd").read_text() + "sshd:x:65530:65534::/run/sshd:/usr/sbin/nologin\n")
    start = ["unshare", "--mount", "sh", "-c", _START, "sh", there, nix.root, users]
    server = subprocess.Popen([*start, program("sshd", "openssh-server"), "-D", "-e", "-f", configuration])
    try:
        _wait_for(port)
        options = f"-p {port} -o StrictHostKeyChecking=no -o UserKnownHostsFile={keys}/known -o LogLevel=ERROR"
        yield Remote(
            url=f"ssh-ng://root@127.0.0.1?ssh-key={keys}/user",
            directory=there,
            env={"NIX_SSHOPTS": options},
            key=keys / "user",
        )
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("sshd does not answer")
