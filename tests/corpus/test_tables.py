"""Tables of pages: what is written is read again."""

from __future__ import annotations

from corpus.tables import cells, days, span, table


def test_a_table_is_read_as_it_was_written() -> None:
    """The rows of the table with just this head are read, with empty cells, to its end."""
    rows = [("a", "b"), ("1", ""), ("x, y", "2: 3")]
    text = f"{table([('a', 'c'), ('0', '0')])}\n{table(rows, right=[1])}\n{table([('d',), ('4',)])}"
    assert "| --- | ---: |\n| 1 |  |\n" in text
    assert cells(text, rows[0]) == rows[1:]
    assert cells(text, ("a", "d")) == cells("", ("a",)) == []


def test_days_are_read_as_they_were_written() -> None:
    """A page names the first day and the last one, or the only one."""
    for found, said in ((["2026-01-03", "2026-01-01", "2026-01-02"], "2026-01-01 to 2026-01-03"), (["x"] * 2, "x")):
        assert span(found) == said
        assert span(days(f"# Page\n\n* {said}, Python 3.11, Linux\n")) == said
    assert days("") == [] and span([]) == "never"
