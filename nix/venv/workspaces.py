"""Workspaces with packages of their own: their ``node_modules`` is shown, healed and taken away with the project's.

Each has an image, which that of the project's own ``node_modules`` names, and a record of its own. Imports none of its
neighbours. Standard library only, Python 3.8 and newer.
"""

import json
import os

#: What names them in the store path of an image; nix/builders/shown.py writes it.
WORKSPACES = "workspaces.json"


def beside(image, path):
    """Return the images of a project's workspaces, by the paths of the ``node_modules`` that they are for.

    Args:
        image: store path of the image of the project's own ``node_modules``; of another, there are none.
        path: of that.
    """
    try:
        with open(os.path.join(image, WORKSPACES), encoding="utf-8") as file:
            said = json.load(file)
    except FileNotFoundError:
        return {}
    project, name = os.path.split(path)
    # What lies outside of the project is none of it, whoever has made the image.
    return {
        os.path.join(project, directory, name): of
        for directory, of in said.items()
        if not {"", ".", ".."}.intersection(directory.split("/"))
    }


def there(image, path):
    """Return what ``beside`` does of those workspaces whose directory is there."""
    return {one: of for one, of in beside(image, path).items() if os.path.isdir(os.path.dirname(one))}
