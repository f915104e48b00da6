"""What cleaning took away."""

from collections import Counter, defaultdict

from skbst.text._read_rows import FIELDS

__all__ = ["CleaningLog"]


class CleaningLog:
    """Counts what each step takes away."""

    def __init__(self):
        self.rows = Counter()
        self.pieces = defaultdict(Counter)

    def add(self, field, step, removed):
        """Note the pieces that a step has taken from one row's field; none are no note."""
        if removed:
            self.rows[field, step] += 1
            self.pieces[field, step].update(removed)

    def summarise(self, n_samples):
        """Columns of the report: one entry per field and step, the most frequent steps first."""
        keys = sorted(self.rows, key=lambda key: (FIELDS.index(key[0]), -self.rows[key], key[1]))
        return {
            "field": [field for field, _ in keys],
            "step": [step for _, step in keys],
            "n_rows": [self.rows[key] for key in keys],
            "share": [self.rows[key] / n_samples for key in keys],
            "n_pieces": [self.pieces[key].total() for key in keys],
            "examples": [", ".join(f"{p!r} ({n})" for p, n in self.pieces[key].most_common(3)) for key in keys],
        }
