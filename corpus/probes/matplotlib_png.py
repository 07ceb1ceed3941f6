"""Matplotlib draws a PNG with its own fonts and styles."""

import hashlib
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.font_manager
import matplotlib.pyplot as plt

plt.style.use("ggplot")
figure, axes = plt.subplots()
axes.plot([1, 3, 2], label="$x^2$")
axes.set_title("title")
axes.legend()
figure.savefig("figure.png", metadata={"Software": None})
figure.savefig("figure.pdf")
figure.savefig("figure.svg")
content = Path("figure.png").read_bytes()
print(content[:4], len(content), hashlib.sha256(content).hexdigest()[:12])
found = matplotlib.font_manager.findfont("DejaVu Sans")
print(len(plt.style.available), "styles", matplotlib.font_manager.get_font(found).family_name)
