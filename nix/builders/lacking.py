"""What a failed build lacked, told from what its tools say, and what would bring it."""

import re

#: A program, a header, a library that pkg-config knows, or a module of Python; by what compilers, setuptools, Meson,
#: CMake, cargo and Python itself say.
_SIGNS = (
    ("program", r"error: command '([^']+)' failed: No such file or directory"),
    ("program", r"unable to execute '([^']+)': No such file or directory"),
    ("program", r"No such file or directory: '([^'/\s]+)'"),
    ("program", r"(?:^|[\s:])([\w.+-]+): (?:command )?not found\b"),
    ("program", r"Program '?([\w.+-]+)'? not found or not executable"),
    ("program", r"Unknown compiler\(s\): \[\['?([\w.+-]+)"),
    ("program", r"(?:Rust toolchain|`?(cargo|rustc)`?), .*(?:not found|is not installed|isn't found)"),
    ("program", r"(cargo|rustc|cmake|ninja|pkg-config) (?:is )?not (?:found|installed)"),
    ("program", r"Could NOT find (PkgConfig)"),
    ("program", r"Pkg-config for machine \w+ machine not found|(pkg-config) (?:script )?could not be found"),
    ("header", r"fatal error: ([\w./+-]+\.h(?:pp|h)?): No such file or directory"),
    ("library", r"Package '?([\w.+-]+)'?, required by '[^']+', not found"),
    ("library", r"Package ([\w.+-]+) was not found in the pkg-config search path"),
    ("library", r'Dependency "([\w.+-]+)" not found'),
    ("library", r"cannot find -l([\w.+-]+)"),
    ("module", r"ModuleNotFoundError: No module named '([\w.]+)'"),
    ("network", r"Could not resolve host: ([\w.-]+)"),
    ("network", r"(?:Temporary failure in name resolution|Name or service not known|failed to lookup address)"),
)

#: What a sign means that does not name it.
_UNNAMED = {"Rust": "cargo", "Pkg-config": "pkg-config", "name": "the network", "lookup": "the network"}

#: The attribute of nixpkgs that has a program or header, where it is not called so.
_ATTRIBUTES = {
    "gcc": "gcc",
    "cc": "gcc",
    "c++": "gcc",
    "g++": "gcc",
    "x86_64-linux-gnu-gcc": "gcc",
    "cargo": "cargo",
    "rustc": "rustc",
    "PkgConfig": "pkg-config",
    "openssl/ssl.h": "openssl",
    "openssl/opensslv.h": "openssl",
    "ffi.h": "libffi",
    "libpq-fe.h": "libpq",
    "mysql.h": "libmysqlclient",
    "ldap.h": "openldap",
    "lber.h": "openldap",
    "sasl/sasl.h": "cyrus_sasl",
    "zlib.h": "zlib",
    "sqlite3.h": "sqlite",
    "libxml/xpath.h": "libxml2",
    "libxml/xmlversion.h": "libxml2",
}


def found(said):
    """Return what the last lines of a build say is missing: pairs of a kind and a name, each once.

    Args:
        said: the lines. The kinds are ``program``, ``header``, ``library``, ``module`` and ``network``.
    """
    pairs = {}
    for kind, sign in _SIGNS:
        for match in re.finditer(sign, said, re.MULTILINE):
            name = match.group(1) if match.groups() and match.group(1) else None
            name = name or next((meant for word, meant in _UNNAMED.items() if word in match.group()), None)
            if name:
                pairs.setdefault((kind, name))
    return list(pairs)[:5]


def advice(package, kind, name):
    """Return the sentence that says what to add for something that is missing.

    Args:
        package: the package whose build lacks it.
        kind, name: as ``found`` gives them.
    """
    table = f"[tool.nixgen.build.{package}]"
    if kind == "module":
        return 'where {} is a requirement of the build that it does not name, write under {}: requires = ["{}"]'.format(
            name, table, name.partition(".")[0]
        )
    if kind == "network":
        return (
            "a build has no network: where env or config-settings can name a copy of what it fetches, or turn that "
            f"off, write that under {table}; else take a version with a wheel"
        )
    attribute = _ATTRIBUTES.get(name, name)
    return f'install {name} on this machine, or with nixpkgs write under {table}: packages = ["{attribute}"]'
