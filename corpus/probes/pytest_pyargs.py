"""Run the tests that a package ships: its name is the argument."""

import re
import subprocess
import sys

words = [sys.executable, "-m", "pytest", "--pyargs", sys.argv[1], "-q", "-p", "no:cacheprovider", "-x", "--no-header"]
done = subprocess.run(words, capture_output=True, text=True)
summary = re.sub(r" in [\d.]+s.*", "", done.stdout.strip().splitlines()[-1])
if done.returncode != 0:
    sys.exit(done.stdout[-2000:] + done.stderr[-1000:])
print(summary)
