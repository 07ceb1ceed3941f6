"""Who requires whom in an environment of a lock: what its wheels' METADATA and the project's own files say."""

from nixgen.graph.direct import Asked, direct_requirements
from nixgen.graph.graph import Graph
from nixgen.graph.requirements import Edge, requirement_graph

__all__ = ["Asked", "Edge", "Graph", "direct_requirements", "requirement_graph"]
