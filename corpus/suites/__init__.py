"""The tests that packages ship, in pip's environment and in nixgen's."""
