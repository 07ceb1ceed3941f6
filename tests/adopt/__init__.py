"""Tests of ``nixgen.adopt``."""
