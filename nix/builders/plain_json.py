"""JSON as Nix and the builders write it, read without the module ``json``.

That needs ``re``, which takes as long to import as a small package of npm to unpack (6 ms of 20).
"""


class _Plain:
    """What CPython's reader of JSON asks of its caller (``json.decoder``): nothing out of the ordinary."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = None


def loads(text):
    """Return what a text in JSON says, which begins with its value.

    What reads it is CPython's own and may change: then ``json`` does it.
    """
    try:
        from _json import make_scanner

        return make_scanner(_Plain)(text, 0)[0]
    except (ImportError, AttributeError, TypeError):
        import json

        return json.loads(text)
