"""What probes of servers share: a free port, a server in a process of its own, a page with all it refers to."""

import contextlib
import hashlib
import html.parser
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port():
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def get(url, timeout=30):
    """Return status and content of a URL; an error is a status, too."""
    try:
        with _DIRECT.open(url, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@contextlib.contextmanager
def server(*words, url, seconds=120):
    """Run a server until it answers and through the block, and end it."""
    process = subprocess.Popen(words, stdout=sys.stderr)
    try:
        end = time.monotonic() + seconds
        while True:
            if process.poll() is not None:
                sys.exit(f"the server ended with {process.returncode}")
            try:
                get(url, timeout=5)
                break
            except OSError:
                if time.monotonic() > end:
                    sys.exit("the server does not answer")
                time.sleep(0.2)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


class _References(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "script" and values.get("src"):
            self.found.append(values["src"])
        if tag == "link" and values.get("href") and values.get("rel") in (
            "stylesheet", "icon", "shortcut icon", "modulepreload", "preload", "manifest"
        ):  # fmt: skip
            self.found.append(values["href"])


def page(url):
    """Fetch a page with its scripts and styles; return how many there were, or end with what is missing."""
    status, content = get(url)
    if status != 200:
        sys.exit(f"{url}: {status}")
    parser = _References()
    parser.feed(content.decode("utf-8", "replace"))
    here = urllib.parse.urlsplit(url).netloc
    wanted = {urllib.parse.urldefrag(urllib.parse.urljoin(url, found)).url for found in parser.found}
    fetch(sorted(one for one in wanted if urllib.parse.urlsplit(one).netloc == here))
    return len(wanted)


def fetch(urls):
    """Fetch URLs, or end with those that are missing."""
    missing = [f"{url}: {status}" for url in urls for status, content in [get(url)] if status != 200 or not content]
    if missing:
        sys.exit(f"{len(missing)} of {len(urls)} are missing:\n" + "\n".join(missing[:20]))


def same(base, directory, suffixes=None, most=300):
    """Fetch the files of a directory below a URL and compare them; return how many, or end with what is wrong.

    Files of every kind where none are named, but for Python's: servers do not tell kinds apart.
    """
    files = sorted(
        path
        for path in directory.rglob("*")
        if (path.suffix in suffixes if suffixes else path.suffix not in (".py", ".pyc"))
        if path.is_file() and path.stat().st_size
    )
    files = files[:most]
    wrong = []
    for path in files:
        status, content = get(base + urllib.parse.quote(path.relative_to(directory).as_posix()))
        if status != 200 or hashlib.sha256(content).digest() != hashlib.sha256(path.read_bytes()).digest():
            wrong.append(f"{path.relative_to(directory)}: {status}")
    if wrong or not files:
        sys.exit(f"{len(wrong)} of {len(files)} files are not served:\n" + "\n".join(wrong[:20]))
    return len(files)
