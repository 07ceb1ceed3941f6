"""Write an environment as an OCI image (image-spec 1.0): a tar archive of an image layout, with the whole closure."""

import hashlib
import io
import json
import os
import sys
import tarfile
import tempfile

import layers

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"

#: What commands of the machine's kind are looked for in.
_PATH = "/usr/local/bin:/usr/bin:/bin"


def build(attributes, out):
    """Make the archive ``out``.

    Args:
        attributes: ``env`` (the environment), ``graphs`` (files of ``exportReferencesGraph``), ``shells`` (a store
            path with a shell in its ``bin``, to be ``/bin/sh``, or none), ``packages`` (further store paths),
            ``architecture`` (as Go names it), ``name`` and ``tag`` (what the image is called), ``command`` (what a
            container runs; None for Python), ``variables`` (pairs of a name and a value) and ``limit`` (the number of
            layers at most).
        out: file to make.

    Raises:
        SystemExit: the environment's Python does not lie in the store, or there is no shell where one should be.
    """
    env = attributes["env"]
    store = os.path.dirname(env)
    python = os.path.realpath(os.path.join(env, "bin", "python"))
    if not python.startswith(store + "/"):
        sys.exit(f"nixgen: an image cannot hold {python}, which lies outside of the store")
    shell = _shell(attributes["shells"])
    references = {}
    for graph in attributes["graphs"]:
        references.update(layers.read_graph(graph))
    interpreter = os.path.join(store, python[len(store) + 1 :].split("/")[0])
    planned = layers.plan(
        references,
        base=[interpreter],
        common=attributes["shells"],
        env=env,
        top=attributes["packages"],
        limit=attributes["limit"],
    )
    with tempfile.TemporaryDirectory() as directory, tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as archive:
        blobs = Blobs(archive)
        history, descriptors = [], []
        for name, paths in planned:
            path = os.path.join(directory, "layer")
            with open(path, "wb") as file:
                digest = layers.write(file, paths, _extras(shell) if paths == [env] else ())
            history.append({"created_by": f"nixgen: {name}"})
            descriptors.append(blobs.add_file(path, digest, _LAYER))
        _write_index(blobs, history, descriptors, attributes)


def _shell(packages):
    """Return the shell of the packages, None where there are none."""
    if not packages:
        return None
    candidates = [os.path.join(package, "bin", name) for package in packages for name in ("sh", "bash", "dash")]
    for candidate in candidates:
        if os.path.exists(candidate):
            return candidate
    sys.exit("nixgen: there is no shell for the image: none of " + ", ".join(candidates))


def _extras(shell):
    """Yield what an image has beside the store: a place for temporary files, and the shell that commands start with."""
    yield layers.directory("tmp", 0o1777)
    if shell is not None:
        yield layers.directory("bin", 0o755)
        yield layers.link("bin/sh", shell)


def _write_index(blobs, history, descriptors, attributes):
    """Write what tells of the layers: the image's configuration, its manifest and the layout's index.

    Args:
        blobs: where to.
        history: what the configuration says of each layer, lowest first.
        descriptors: of the layers, in the same order.
        attributes: as ``build`` has them.
    """
    digests = [layer["digest"] for layer in descriptors]
    config = blobs.add_json(
        {
            "architecture": attributes["architecture"],
            "os": "linux",
            "config": _config(attributes),
            "rootfs": {"type": "layers", "diff_ids": digests},
            "history": history,
        },
        _CONFIG,
    )
    manifest = blobs.add_json(
        {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": descriptors}, _MANIFEST
    )
    manifest["annotations"] = {"org.opencontainers.image.ref.name": attributes["tag"]}
    blobs.write("oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
    blobs.write("index.json", _json({"schemaVersion": 2, "manifests": [manifest]}))
    # What `docker load` reads, of versions that know no image layouts.
    legacy = {
        "Config": blob_path(config["digest"]),
        "RepoTags": ["{name}:{tag}".format(**attributes)],
        "Layers": [*map(blob_path, digests)],
    }
    blobs.write("manifest.json", _json([legacy]))


def _config(attributes):
    env = attributes["env"]
    programs = ":".join(f"{path}/bin" for path in [*attributes["packages"], env])
    variables = {"PATH": f"{programs}:{_PATH}", "VIRTUAL_ENV": env, **dict(attributes["variables"])}
    return {
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "Cmd": attributes["command"] or [f"{env}/bin/python"],
    }


def blob_path(digest):
    """Return where a layout has a blob.

    >>> blob_path("sha256:ab")
    'blobs/sha256/ab'
    """
    return "blobs/" + digest.replace(":", "/")


def _json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Blobs:
    """The files of an image layout, written into an archive."""

    def __init__(self, archive):
        self._archive = archive
        for directory in ("blobs", "blobs/sha256"):
            archive.addfile(layers.directory(directory, 0o755))

    def write(self, path, content):
        """Write a file."""
        self._add(path, io.BytesIO(content), len(content))

    def add_json(self, value, media_type):
        """Write a blob of JSON, and return its descriptor."""
        content = _json(value)
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        self.write(blob_path(digest), content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def add_file(self, path, sha256, media_type):
        """Write a file as a blob, and return its descriptor."""
        digest, size = f"sha256:{sha256}", os.path.getsize(path)
        with open(path, "rb") as file:
            self._add(blob_path(digest), file, size)
        return {"mediaType": media_type, "digest": digest, "size": size}

    def _add(self, path, file, size):
        entry = tarfile.TarInfo(path)
        entry.mtime = 1
        entry.size = size
        self._archive.addfile(entry, file)
