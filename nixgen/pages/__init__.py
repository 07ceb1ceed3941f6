"""Pages with a treemap: one file each, which asks for nothing else."""

from nixgen.pages.page import write_page

__all__ = ["write_page"]
