"""An image of an environment as a store path: what mounts it (``nix/venv``) looks for these names."""

import json
import os

import erofs

#: The image, and a link to the environment that it shows.
IMAGE, ENVIRONMENT = "image.erofs", "environment"

#: The images of a project's workspaces, by their directories, beside that of its own ``node_modules``.
WORKSPACES = "workspaces.json"


def write(out, root, environment, *, time):
    """Write an image into a directory that is there.

    Args:
        out: the directory.
        root: an ``erofs.Directory``.
        environment: the store path that it shows.
        time: of all that is in it, in seconds of the epoch.
    """
    with open(os.path.join(out, IMAGE), "xb") as file:
        erofs.write(file, root, time=time)
    os.symlink(environment, os.path.join(out, ENVIRONMENT))


def write_workspaces(out, images):
    """Write down which images belong to the one in a directory.

    Args:
        out: the directory.
        images: their store paths, by the directories of the project whose ``node_modules`` they show.
    """
    if images:
        with open(os.path.join(out, WORKSPACES), "x", encoding="utf-8") as file:
            json.dump(images, file, sort_keys=True)
