"""What is left of a wheel's archive when its files are taken out, and the wheel put together again of both.

A wheel is its files, deflated, between headers. The files are leaves of the store; a *skeleton* is the rest: headers,
the order of the members, how each was compressed, the central directory. Whatever is put together is compared with the
wheel's SHA-256, and nothing else of a skeleton is believed.
"""
