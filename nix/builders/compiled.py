"""Compile the program that mounts environments: to do so each time takes longer than to mount."""

import os

import bytecode


def build(attributes, out):
    """Make the directory ``out``, with bytecode without sources, for the Python that runs this.

    Args:
        attributes: ``venv``, the directory nix/venv.
        out: directory to make.
    """
    os.mkdir(out)
    for name in sorted(os.listdir(attributes["venv"])):
        if name.endswith(".py"):
            with open(os.path.join(attributes["venv"], name), "rb") as source:
                content = source.read()
            with open(os.path.join(out, name + "c"), "xb") as file:
                file.write(bytecode.compiled(content, name))
