"""Print which pins of a requirements file count in environments that are not here; run by a Python that has pip.

pip's own reader reads the file, and pip's own markers are evaluated. Standard input is JSON: the ``files``, and the
``environments`` (markers, PEP 508); the output has for each environment and file the name and version of every package.
"""

import json
import sys

from pip._internal.network.session import PipSession
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._internal.req.req_file import parse_requirements


def main():
    asked = json.load(sys.stdin)
    session = PipSession()
    read = [
        [install_req_from_parsed_requirement(line) for line in parse_requirements(file, session)]
        for file in asked["files"]
    ]
    json.dump([[pins(lines, markers) for lines in read] for markers in asked["environments"]], sys.stdout)


def pins(lines, markers):
    return [
        # A line without a version: Pipenv has not resolved what the machine that locked does not need.
        (line.name, next((specifier.version for specifier in line.specifier), ""))
        for line in lines
        if line.markers is None or line.markers.evaluate({**markers, "extra": ""})
    ]


main()
