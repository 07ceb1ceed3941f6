"""Jedi completes with the descriptions of the standard library that lie beside it."""

import jedi

print([c.name for c in jedi.Script("import collections\ncollections.Ord").complete(2, 15)])
print(jedi.Script("import os\nos.path.join").infer(2, 10)[0].name)
print([c.name for c in jedi.Interpreter("ab", [{"abc": 1}]).complete()][:1])
