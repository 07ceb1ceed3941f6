"""Binary caches without leaves: wheels are the transport, and what is made of them comes beside.

A cache is one of Nix's (Nix manual, "Binary Cache"): a ``narinfo`` for each store path, and its serialisation. Trees
name leaves that it does not have, since whoever takes a tree from it has made these of the wheels.
"""
