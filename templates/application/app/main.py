"""The application's entry point."""

import sys
from importlib.metadata import distributions

from greeting_text import greeting


def main() -> None:
    """Greet whom the command line names, and say which packages there are."""
    print(greeting(*sys.argv[1:]))
    print("with", *sorted(found.name for found in distributions()))


if __name__ == "__main__":
    main()
