"""pip and setuptools build a wheel of a project and install it, from this environment and without an index."""

import subprocess
import sys
from pathlib import Path

Path("project/demo_project").mkdir(parents=True)
Path("project/demo_project/__init__.py").write_text("def main(): print('it runs')\n")
Path("project/pyproject.toml").write_text(
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    '[project]\nname = "demo-project"\nversion = "1.0"\nscripts = { demo = "demo_project:main" }\n'
)
pip = [sys.executable, "-m", "pip", "--no-cache-dir", "--disable-pip-version-check", "-q"]
subprocess.run([*pip, "wheel", "--no-index", "--no-build-isolation", "-w", "wheels", "./project"], check=True)
print(sorted(path.name for path in Path("wheels").iterdir()))
subprocess.run([*pip, "install", "--no-index", "--target", "target", *map(str, Path("wheels").iterdir())], check=True)
print(sorted(path.name for path in Path("target").iterdir()))
code = "import sys; sys.path.insert(0, 'target'); import demo_project; demo_project.main()"
subprocess.run([sys.executable, "-c", code], check=True)
subprocess.run([*pip, "download", "--no-index", "--find-links", "wheels", "-d", "got", "demo-project"], check=True)
subprocess.run([sys.executable, "-m", "venv", "fresh"], check=True)
fresh = subprocess.run(["fresh/bin/python", "-m", "pip", "--version"], capture_output=True, text=True, check=True)
print(fresh.stdout.split()[0])
subprocess.run(
    [*pip, "--python", "fresh", "install", "--no-index", "--find-links", "wheels", "demo-project"], check=True
)
subprocess.run(["fresh/bin/demo"], check=True)
import setuptools  # noqa: E402

print(Path(setuptools.__file__).name, len(list((Path(setuptools.__file__).parent / "_vendor").glob("*.dist-info"))) > 3)
