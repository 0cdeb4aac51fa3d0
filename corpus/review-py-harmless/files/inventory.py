"""Counts of what is in stock."""


def count(rows):
    """Pieces by article. Rows are (article, pieces); a negative number is a withdrawal."""
    d = {}
    for r in rows:
        d[r[0]] = d.get(r[0], 0) + r[1]
    return {k: v for k, v in d.items() if v}
