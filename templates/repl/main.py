"""Say which packages there are."""

from importlib.metadata import distributions

for name, version in sorted((found.name, found.version) for found in distributions()):
    print(name, version)
