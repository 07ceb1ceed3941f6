"""Results as a Markdown page: totals, what is wrong, a row for each suite and form."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.suites.entries import Suite
from corpus.suites.result import PASSED, SKIPPED, Result
from corpus.tables import cells, days, newest, span, table
from nixgen.cli.console import count

_INTRODUCTION = """\
# Packages' own tests

Made by `python -m corpus.suites --write docs/compatibility-suites.md`, as root; not edited by hand. For each package of
[corpus/suites/suites.toml](../corpus/suites/suites.toml), nixgen locks it with pytest and what its tests need; pip
installs the locked wheels into a virtual environment, and nixgen makes its own of the same lock:
[mounted](mounted.md), or another [form](environments.md). The tests that the package ships run in both, with the same
options, and are compared one by one. A test that passes with pip and not with nixgen runs once more in both, with its
file: where both do the same again it is a defect, else it is flaky. The store is read-only to the tests.
"""

HEAD = (
    *("package", "version", "form", "run", "tests", "pass", "skipped", "fail with both", "with pip alone"),
    *("flaky", "defects", "day", "remarks"),
)

#: How many defects of a suite are told, and how many flaky tests a remark names.
_TOLD, _NAMED = 20, 3


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the table says of one suite in one form.

    Attributes:
        package, version, form, run, day: which, of which package's version, in which environment, of what, and when.
        tests: how many were compared.
        passed, skipped, failed, better, flaky, defects: how many of them pass in both, are skipped in both, do neither
            in either, fail with pip alone, are flaky, and are defects.
        remarks: which are flaky, and why not all was compared.
    """

    package: str
    version: str
    form: str
    run: str
    tests: int
    passed: int
    skipped: int
    failed: int
    better: int
    flaky: int
    defects: int
    day: str
    remarks: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Which suite and form it is of."""
        return self.package, self.form

    @classmethod
    def of(cls, result: Result) -> Row:
        """Return the row of a result."""
        judged = result.judged
        return cls(
            package=result.name,
            version=result.version,
            form=result.form,
            run=f"`pytest {result.run}`",
            tests=judged.tests,
            passed=judged.counts.get(PASSED, 0),
            skipped=judged.counts.get(SKIPPED, 0),
            failed=judged.counts.get("alike", 0),
            better=judged.counts.get("better", 0),
            flaky=len(judged.flaky),
            defects=len(judged.defects),
            day=result.date,
            remarks="; ".join(filter(None, [_flaky(judged.flaky), _line(result.trouble)])),
        )

    @classmethod
    def read(cls, words: Sequence[str]) -> Row:
        """Return a row of cells."""
        package, version, form, run, *counts, day, remarks = words
        tests, passed, skipped, failed, better, flaky, defects = (int(one.replace(",", "")) for one in counts)
        return cls(
            package=package,
            version=version,
            form=form,
            run=run,
            tests=tests,
            passed=passed,
            skipped=skipped,
            failed=failed,
            better=better,
            flaky=flaky,
            defects=defects,
            day=day,
            remarks=remarks,
        )

    def cells(self) -> list[str]:
        """Return it as the table has it."""
        counts = (self.tests, self.passed, self.skipped, self.failed, self.better, self.flaky, self.defects)
        return [
            self.package,
            self.version,
            self.form,
            self.run,
            *(f"{number:,}" for number in counts),
            self.day,
            self.remarks,
        ]


def page(results: Sequence[Result], *, listed: Sequence[Suite], before: str = "") -> str:
    """Return the page.

    Args:
        results: of what was run.
        listed: the list.
        before: the page of before: the rows of what was not run stay.
    """
    suites = {suite.name: suite for suite in listed}
    order = list(suites)
    known = [row for row in map(Row.read, cells(before, HEAD)) if row.package in suites]
    rows = newest([Row.of(one) for one in results if one.judged.tests], known)
    rows.sort(key=lambda row: (row.form, order.index(row.package)))
    return "\n".join(
        [
            _INTRODUCTION,
            *_totals(rows, before),
            *_found(results),
            "## Suites",
            "",
            "`run` is what ran. Tests pass in both environments, are skipped in both, fail in both (or are "
            "expected to), or fail with pip alone.",
            "",
            *table([HEAD, *(row.cells() for row in rows)], right=range(4, 11)).splitlines(),
            "",
            *_left_out([suites[name] for name in dict.fromkeys(row.package for row in rows)]),
        ]
    )


def _totals(rows: Sequence[Row], before: str) -> list[str]:
    dates = {row.day for row in rows} | set(days(before) if rows else ())
    return [
        f"* {span(dates)}, Python {'.'.join(platform.python_version_tuple()[:2])}, {platform.system()} "
        f"{platform.machine()}",
        f"* {count(len({row.package for row in rows}), 'suite')}, {sum(row.tests for row in rows):,} tests compared: "
        f"{sum(row.defects for row in rows):,} pass with pip and not with nixgen, "
        f"{sum(row.flaky for row in rows):,} are flaky",
        "",
    ]


def _found(results: Sequence[Result]) -> list[str]:
    lines = []
    for one in results:
        where = f"{one.name}, {one.form}"
        if one.trouble:
            lines.append(f"* {where}: {_line(one.trouble)}")
        for found in one.judged.defects[:_TOLD]:
            lines.append(f"* {where}: {_name(found.test)} {found.outcome}: {_line(found.said)}")
        if len(one.judged.defects) > _TOLD:
            lines.append(f"* {where}: {len(one.judged.defects) - _TOLD} more")
    return ["## Defects", "", *lines, ""] if lines else []


def _flaky(tests: Sequence[str]) -> str:
    more = f" and {len(tests) - _NAMED} more" if len(tests) > _NAMED else ""
    return f"flaky: {', '.join(map(_name, tests[:_NAMED]))}{more}" if tests else ""


def _name(test: str) -> str:
    return f"`{_line(test)}`"


def _left_out(suites: Sequence[Suite]) -> list[str]:
    lines = [f"* {suite.name}: {suite.without}" for suite in suites if suite.without]
    told = (
        "Whole suites take up to an hour in each environment. What is run reads and writes files, finds its own data, "
        "loads modules, compiles, or starts programs; this is left out:"
    )
    return ["## What is left out", "", told, "", *lines, ""] if lines else []


def _line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    return lines[-1][:300].replace("|", "\\|")
