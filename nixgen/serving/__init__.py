"""An index of packages on this machine (PEP 503, 691, 658): what pip, uv and Poetry ask, out of the store."""
