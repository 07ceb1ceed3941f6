"""The fixtures of a project whose leaves are in the store."""

from tests.support.fetched import index as index
from tests.support.fetched import project as project
from tests.support.fetched import ready as ready
