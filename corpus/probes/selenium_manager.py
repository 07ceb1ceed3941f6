"""Selenium's own program, which it finds beside itself, runs."""

import subprocess

from selenium.webdriver.common.selenium_manager import SeleniumManager

binary = SeleniumManager._get_binary()
print(subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout)
