"""A new Django project: migrations, a superuser, the admin's page, its static files served and collected."""

import os
import subprocess
import sys
from pathlib import Path

from _web import free_port, get, page, same, server

manage = [sys.executable, "site/manage.py"]
user = {"DJANGO_SUPERUSER_USERNAME": "u", "DJANGO_SUPERUSER_PASSWORD": "p", "DJANGO_SUPERUSER_EMAIL": "u@example.com"}
Path("site").mkdir()
subprocess.run([sys.executable, "-m", "django", "startproject", "demo", "site"], check=True)
with Path("site/demo/settings.py").open("a") as settings:
    settings.write("\nSTATIC_ROOT = BASE_DIR / 'collected'\n")
subprocess.run([*manage, "migrate", "--verbosity", "0"], check=True)
subprocess.run([*manage, "createsuperuser", "--noinput"], check=True, env={**os.environ, **user})
subprocess.run([*manage, "makemessages", "--help"], check=True, stdout=subprocess.DEVNULL)
subprocess.run([*manage, "collectstatic", "--noinput", "--verbosity", "0"], check=True)
collected = [path for path in Path("site/collected").rglob("*") if path.is_file()]
print(len(collected), "collected,", sum(path.is_symlink() for path in collected), "of them links")
port = free_port()
with server(*manage, "runserver", "--noreload", f"127.0.0.1:{port}", url=f"http://127.0.0.1:{port}/admin/login/"):
    import django.contrib.admin

    print(page(f"http://127.0.0.1:{port}/admin/login/"), "scripts and styles of the page")
    static = Path(django.contrib.admin.__file__).parent / "static"
    print(same(f"http://127.0.0.1:{port}/static/", static), "static files")
    print(get(f"http://127.0.0.1:{port}/admin/jsi18n/")[0])
