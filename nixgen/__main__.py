"""``python -m nixgen`` is ``nixgen``."""

from nixgen.cli import main

raise SystemExit(main())
