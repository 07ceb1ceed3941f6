"""JupyterLab's page, or that of the application in the argument, is fetched with all scripts it can load."""

import os
import sys
from pathlib import Path

from _web import fetch, free_port, get, page, same, server

application = sys.argv[1] if len(sys.argv) > 1 else "lab"
port = free_port()
base = f"http://127.0.0.1:{port}"
words = [
    sys.executable,
    "-m",
    "jupyter",
    application,
    "--no-browser",
    "--allow-root",
    f"--port={port}",
    "--ip=127.0.0.1",
]
words += ["--IdentityProvider.token=", "--ServerApp.root_dir=."]
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
with server(*words, url=f"{base}/api"):
    print(page(f"{base}/{'lab' if application == 'lab' else 'tree'}"), "scripts and styles of the page")
    name = "lab" if application == "lab" else "notebook"
    share = Path(sys.prefix, "share", "jupyter")
    if application == "lab":
        static = share / "lab" / "static"
    else:
        import notebook

        static = Path(notebook.__file__).parent / "static"
    print(same(f"{base}/static/{name}/", static, most=2000), "files of the application")
    for extension in sorted((share / "labextensions").rglob("remoteEntry*.js")):
        fetch([f"{base}/lab/extensions/{extension.relative_to(share / 'labextensions').as_posix()}"])
    print(get(f"{base}/api/kernelspecs")[0], get(f"{base}/lab/api/translations/")[0])
    print(get(f"{base}/lab/api/themes/@jupyterlab/theme-dark-extension/index.css")[0])
    status, settings = get(f"{base}/lab/api/settings")
    print(status, settings.count(b'"schema"') > 10)
