"""A small program of a repl: it uses every requirement for real, and prints what it found."""

import importlib.metadata
import sys
import threading

import django
import flask
import numpy as np
import pandas as pd
import requests
from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from werkzeug.serving import WSGIRequestHandler, make_server

app = flask.Flask(__name__)


@app.get("/sales")
def sales():
    """Answer with a table that pandas makes."""
    frame = pd.DataFrame({"city": ["Oslo", "Bergen", "Oslo"], "sold": np.array([3, 4, 5])})
    return flask.jsonify(frame.groupby("city")["sold"].sum().to_dict())


def is_common(password):
    """Tell whether Django finds a password in its list, a file beside its own source."""
    try:
        CommonPasswordValidator().validate(password)
    except ValidationError:
        return True
    return False


class Quiet(WSGIRequestHandler):
    """Serve without a line for each request."""

    def log(self, *_):
        """Say nothing."""


def main():
    """Serve the application on loopback, ask it, and print."""
    settings.configure()
    django.setup()
    server = make_server("127.0.0.1", 0, app, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    answer = requests.get(f"http://127.0.0.1:{server.port}/sales", timeout=10).json()
    server.shutdown()
    print(f"python {sys.version.split()[0]} in {sys.prefix}")
    print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("django", "flask", "numpy", "pandas")))
    print(f"flask, pandas and requests say: {answer}")
    print(f"django knows the password 'letmein': {is_common('letmein')}")


if __name__ == "__main__":
    main()
