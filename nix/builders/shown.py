"""An image of an environment as a store path: what mounts it (``nix/venv/images.py``) looks for these names."""

import os

import erofs

#: The image, and a link to the environment that it shows.
IMAGE, ENVIRONMENT = "image.erofs", "environment"


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
