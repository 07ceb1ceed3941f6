"""The names by which a Python source gets at locations of modules, hands them on, resolves links, and loads modules.

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

#: What makes the same location of one in another form.
FORMS = frozenset(
    ["Path", "PosixPath", "PurePath", "PurePosixPath", "abspath", "absolute", "as_posix", "fspath", "str"]
)

#: What takes a path and goes by it as written, or only shows it; other code that is handed one may resolve it.
PLAIN = FORMS | frozenset(
    [
        *("basename", "dirname", "exists", "getmtime", "getsize", "isabs", "isfile", "islink", "join", "lexists"),
        *("normcase", "normpath", "relative_to", "relpath", "split", "splitext", "stat", "with_name"),
        *("append", "bool", "compile", "endswith", "format", "getline", "len", "open", "print", "repr", "startswith"),
        *("debug", "error", "exec", "info", "isinstance", "replace", "warn", "warning"),
    ]
)

#: What loads a module from the path that it is given.
LOADERS = frozenset(["spec_from_file_location", "ExtensionFileLoader", "create_dynamic", "load_dynamic"])
