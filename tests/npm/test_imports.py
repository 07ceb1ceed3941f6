"""Which packages a source imports."""

from __future__ import annotations

import time

import pytest

from nixgen.npm.imports import candidates, directory_of, imports, is_source, package_of


@pytest.mark.parametrize(
    "source",
    [
        "require('x')",
        'require ( "x/lib/y.js" )',
        "require.resolve('x/package.json')",
        "module.require('x')",
        "__require('x')",
        "const f = async () => await import(/* webpackChunkName: 'c' */ 'x')",
        "import 'x'",
        "import a from 'x'",
        "import a, { b as c } from 'x/y'",
        "import * as a from\n  'x'",
        'import{a as b}from"x";',
        'export*from"x"',
        "export { default } from 'x'",
        "`${ require('x') }`",
        "`a ${ `b ${ require('x') }` } c`",
        "a / require('x') / 2",
        "if (a) /[/'\"]/.test(b); require('x')",
        "if (a) /['\"]/.test(b); require('x')",
        "x => /'/g; require('x')",
        "'use strict';require('x')",
        "#!/usr/bin/env node\nrequire('x')",
        "/* unfinished */ require('x') /* and",
        "{}\nrequire('x')",
    ],
)
def test_an_import_in_code_is_one(source: str) -> None:
    """Calls and statements of every form name their package, with a path behind it or not."""
    assert imports(source) == {"x"}
    assert candidates(source) == {"x"}


@pytest.mark.parametrize(
    "source",
    [
        "// require('x')",
        "/* import 'x' */",
        "/** @example\n * import a from 'x'\n */",
        "const s = \"require('x')\"",
        "const s = 'import \"x\"'",
        "const s = `import a from 'x' ${y} require('x')`",
        "const s = `${'}'} require('x')`",
        "a = /require('x')/",
        "return /import 'x'/",
        "foo.require('x')",
        "myrequire('x')",
        "require('./x')",
        "require('../x')",
        "require('/x')",
        "require('#x')",
        "require('node:x')",
        "require('fs')",
        "require('fs/promises')",
        "import('https://host.invalid/x')",
        "require(y + 'x')",
        "Array.from('x')",
        "require(x)",
        "const a = { import: 'x' }",
        "require('.x')",
        "require('node_modules')",
    ],
)
def test_anything_else_is_none(source: str) -> None:
    """Comments, texts, regular expressions, paths, URLs and modules of Node.js import no package."""
    assert imports(source) == set()


def test_scopes_and_paths_behind_a_module_of_node() -> None:
    """A scope is a part of the name; a slash behind the name of a module of Node.js makes it a package's."""
    assert package_of("@s/x/y") == "@s/x"
    assert package_of("punycode/") == "punycode"
    assert package_of("punycode") is None
    assert package_of("@s") is None


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("index.js", True),
        ("lib/test/a.js", True),
        ("dist/a.mjs", True),
        ("test/a.js", False),
        ("examples/a.js", False),
        ("rollup.config.mjs", False),
        (".eslintrc.cjs", False),
        ("gulpfile.babel.js", False),
        ("index.d.ts", False),
        ("index.ts", False),
        ("package.json", False),
        ("node_modules/b/test.js", True),
    ],
)
def test_sources_are_what_a_user_runs(path: str, counts: bool) -> None:
    """What serves the author of a package at its top, and what only a type checker reads, does not count."""
    assert is_source(path) is counts


def test_a_file_belongs_to_the_package_that_it_lies_in() -> None:
    """What is bundled is looked at from where it lies, with its scope."""
    assert directory_of("lib/a.js") == ""
    assert directory_of("node_modules/b/lib/a.js") == "node_modules/b"
    assert directory_of("node_modules/@s/b/node_modules/c/a.js") == "node_modules/@s/b/node_modules/c"


@pytest.mark.parametrize(
    "piece", ["import ", "require/*", "/*", "`${", "'", "/", "import(/* ", "export {", "/[", "//", "a "]
)
def test_a_source_that_is_made_to_take_long_does_not(piece: str) -> None:
    """200 kB of what begins and never ends is read in time that grows as it does."""
    source = piece * (200_000 // len(piece))
    began = time.process_time()
    candidates(source)
    imports(source)
    assert time.process_time() - began < 20
