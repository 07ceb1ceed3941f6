"""Playwright's driver, an application for Node that resolves all it loads, starts and says what it would install."""

import asyncio
import subprocess
import sys

from playwright._impl._driver import compute_driver_executable, get_driver_env

words = compute_driver_executable()
words = list(words) if isinstance(words, tuple) else [words]
for arguments in (["--version"], ["--help"], ["install", "--dry-run", "chromium"]):
    done = subprocess.run([*words, *arguments], env=get_driver_env(), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    print(arguments, len(done.stdout.splitlines()), "lines")


async def start():
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        print(len(playwright.devices), "devices")


asyncio.run(start())
