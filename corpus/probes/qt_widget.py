"""A window of Qt is drawn without a screen; the binding is the argument."""

import importlib
import sys

binding = sys.argv[1]
core, gui, widgets = (importlib.import_module(f"{binding}.{name}") for name in ("QtCore", "QtGui", "QtWidgets"))
app = widgets.QApplication([])
button = widgets.QPushButton("press")
button.resize(80, 30)
button.show()
app.processEvents()
print(button.grab().save("button.png"), gui.QImage("button.png").size().width(), app.platformName())
print(sorted(bytes(one).decode() for one in gui.QImageReader.supportedImageFormats())[:3])
print(core.QLibraryInfo.path(core.QLibraryInfo.LibraryPath.PluginsPath).endswith("plugins"))
