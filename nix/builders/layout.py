"""Where the files of a wheel go in an environment (PEP 427; sysconfig's scheme "venv")."""

import sys


def site_packages(version=None):
    """Return the path of site-packages in an environment, for ``version`` or the running Python.

    >>> site_packages((3, 11))
    'lib/python3.11/site-packages'
    """
    major, minor = (version or sys.version_info)[:2]
    threads = "t" if version is None and "t" in getattr(sys, "abiflags", "") else ""
    return f"lib/python{major}.{minor}{threads}/site-packages"


def schemes(distribution, version=None):
    """Return the directory of each scheme of a wheel's ``.data``, relative to the environment; "" is its root.

    Args:
        distribution: the distribution's name, which its headers are kept by.
        version: (major, minor), the running Python's by default.
    """
    site = site_packages(version)
    return {
        "purelib": site,
        "platlib": site,
        "scripts": "bin",
        "headers": "include/site/{}/{}".format(site.split("/")[1], distribution),
        "data": "",
    }


def installed_path(path, data_dir, places, site):
    """Return where a file of a wheel goes, relative to the environment, and its scheme.

    Args:
        path: the file's path in the wheel.
        data_dir: name of the wheel's ``.data`` directory, "" where it has none.
        places: what ``schemes`` gave.
        site: what ``site_packages`` gave.

    Raises:
        ValueError: for a scheme that is none.
    """
    parts = path.split("/", 2)
    if not data_dir or parts[0] != data_dir:
        return site + "/" + path, "purelib"
    if len(parts) < 3 or parts[1] not in places:
        raise ValueError(f"no installation scheme for {path!r}")
    place = places[parts[1]]
    return (place + "/" if place else "") + parts[2], parts[1]
