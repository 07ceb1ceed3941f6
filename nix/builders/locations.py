"""The names by which a Python source gets at locations of modules, resolves links, and loads modules from paths.

Both who look at words (``sources``) and who look at the syntax tree (``syntax``) go by them.
"""

#: What resolves a symbolic link.
RESOLVERS = frozenset(["resolve", "realpath", "readlink", "samefile"])

#: What names a module's own location, and what another's too.
OWN = frozenset(["__file__", "__path__", "__spec__", "__loader__", "co_filename", "extract_stack"])
ANY = frozenset(
    [
        "origin",
        "submodule_search_locations",
        "getfile",
        "getsourcefile",
        "getabsfile",
        "get_filename",
        "resource_filename",
    ]
)

#: What loads a module from the path that it is given.
LOADERS = frozenset(["spec_from_file_location", "ExtensionFileLoader", "create_dynamic", "load_dynamic"])
