"""Compare nixgen's two forms of ``node_modules`` with that of ``npm ci``, from the same lock."""
