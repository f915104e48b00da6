"""The rows that can still be among the k best of some queries."""

import numpy as np

__all__ = ["Candidates", "cosine_of_pairs", "rounding_slack"]

_LOWEST = np.finfo(np.float32).min


def rounding_slack(n_features):
    """How far two float32 computations of one cosine may lie apart, with room to spare."""
    return np.float32(4 * np.sqrt(n_features) * np.finfo(np.float32).eps)


def cosine_of_pairs(queries, bank, rows, columns):
    """Inner products of chosen pairs of rows, each computed on its own.

    Parameters
    ----------
    queries, bank : ndarray of shape (n, n_features), float32
        Normalised rows.

    rows, columns : ndarray of shape (n_pairs,), int
        Positions in `queries` and in `bank`.

    Returns
    -------
    similarities : ndarray of shape (n_pairs,), float32
        In [-1, 1]. Unlike those of a matrix product they do not depend on the other pairs.
    """
    step = max(1, 2**17 // max(1, queries.shape[1]))
    left = np.empty((step, queries.shape[1]), dtype=np.float32)
    right = np.empty_like(left)
    result = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), step):
        some = slice(start, start + step)
        n = len(rows[some])
        # mode="clip" is what lets take() write straight into the buffer
        np.take(queries, rows[some], axis=0, out=left[:n], mode="clip")
        np.take(bank, columns[some], axis=0, out=right[:n], mode="clip")
        np.einsum("ij,ij->i", left[:n], right[:n], out=result[some])
    return np.clip(result, -1, 1, out=result)


class Candidates:
    """Streaming selection of the k best columns of each row.

    Blocks of approximate products are offered one after the other, from left to right; what lies below a row's k-th
    best by more than rounding can explain is dropped. `settle` replaces the approximate values by exact ones.

    Parameters
    ----------
    k : int
        Number of columns wanted for each row.

    n_rows : int
        Number of rows.

    slack : float or ndarray of shape (n_rows,)
        How far an offered value, and one that it is compared with, may be off together.

    relative_slack : float, default=0.0
        The same as a share of the values.

    Attributes
    ----------
    values, columns : ndarray of shape (n_rows, width), float32 and int64
        What is kept of each row, packed to the left; -inf and -1 beyond.

    counts : ndarray of shape (n_rows,), int
        How much is kept of each row.
    """

    def __init__(self, k, n_rows, slack, relative_slack=0.0):
        self.k, self.n_rows = k, n_rows
        self.slack, self.relative_slack = slack, relative_slack
        self.floor = np.full(n_rows, _LOWEST)
        self.counts = np.zeros(n_rows, dtype=np.int64)
        self.values, self.columns = _empty_tables(n_rows, 2 * k)

    @property
    def pairs(self):
        """Positions (rows, columns) of what is kept, row by row."""
        rows, places = np.nonzero(self.columns >= 0)
        return rows, self.columns[rows, places]

    @property
    def crowded(self):
        """Whether ties have let through far more than k columns of some row."""
        return self.counts.max(initial=0) > 4 * self.k + 64

    def offer(self, products, start, silent, mask=None):
        """Take what can still matter from a block of products.

        Parameters
        ----------
        products : ndarray of shape (n_rows, n_columns), float32
            -inf never counts.

        start : int
            Number of the first column.

        silent : ndarray of shape (n_rows,), bool
            Rows that hold equal values; of them no more than the first k columns are kept.

        mask : ndarray of shape (n_rows, n_columns), bool, default=None
            Scratch space.
        """
        n_columns = products.shape[1]
        n_groups = max(256, 8 * self.k)
        if start == 0 and n_columns >= 4 * n_groups:
            self._raise_floor(products, n_groups)
        flat = np.flatnonzero(np.greater_equal(products, self.floor[:, None], out=mask))
        rows, columns = np.divmod(flat, n_columns)
        values = products.ravel()[flat]
        rank = _rank_in_row(rows, self.n_rows)
        if silent.any():
            kept = ~silent[rows] | (rank < self.k)
            rows, columns, values, rank = rows[kept], columns[kept], values[kept], rank[kept]
        self.add(rows, columns + start, values, rank)
        if self.crowded:
            self.compress()

    def add(self, rows, columns, values, rank):
        """Append entries; `rank` counts those of one row from 0."""
        places = self.counts[rows] + rank
        width = int(places.max(initial=-1)) + 1
        if width > self.values.shape[1]:
            more = _empty_tables(self.n_rows, max(width, 2 * self.values.shape[1]) - self.values.shape[1])
            self.values, self.columns = np.hstack([self.values, more[0]]), np.hstack([self.columns, more[1]])
        self.values[rows, places], self.columns[rows, places] = values, columns
        self.counts += np.bincount(rows, minlength=self.n_rows)

    def settle(self, exact):
        """Put exact values in place of those of `pairs` and keep the k best of each row, ties by column."""
        self.values[self.columns >= 0] = exact
        # a row's columns rise wherever its values are equal, so a stable sort leaves the lower one first
        order = np.argsort(-self.values, axis=1, kind="stable")[:, : max(self.k, 1)]
        self.values = np.take_along_axis(self.values, order, axis=1)
        self.columns = np.take_along_axis(self.columns, order, axis=1)
        self.counts = np.minimum(self.counts, self.k)
        self._raise(self.values[:, self.k - 1])

    def table(self):
        """Return values and columns of shape (n_rows, k) after `settle`; -inf and -1 where there are fewer."""
        return self.values[:, : self.k], self.columns[:, : self.k]

    def compress(self):
        """Drop what the k-th best of a row rules out by now."""
        self._lift(self.values)
        rows, places = np.nonzero(self.values >= self.floor[:, None])
        columns, values = self.columns[rows, places], self.values[rows, places]
        rank = _rank_in_row(rows, self.n_rows)
        self.values, self.columns = _empty_tables(self.n_rows, 2 * self.k)
        self.counts[:] = 0
        self.add(rows, columns, values, rank)

    def _raise_floor(self, products, n_groups):
        # the k-th largest of many maxima is no larger than the k-th largest value
        width = products.shape[1] // n_groups
        maxima = products[:, : width * n_groups].reshape(self.n_rows, width, n_groups).max(axis=1)
        self._lift(maxima)

    def _lift(self, values):
        kth = np.partition(values, values.shape[1] - self.k, axis=1)[:, values.shape[1] - self.k]
        self._raise(kth)

    def _raise(self, kth):
        """Take the k-th best value of each row, less what may be off, for its floor where that is higher."""
        off = self.slack + self.relative_slack * np.abs(np.maximum(kth, _LOWEST))
        self.floor = np.maximum(self.floor, kth - off.astype(np.float32))


def _empty_tables(n_rows, width):
    return np.full((n_rows, width), -np.inf, dtype=np.float32), np.full((n_rows, width), -1, dtype=np.int64)


def _rank_in_row(rows, n_rows):
    """Position of each entry among those of its row; `rows` is sorted."""
    counts = np.bincount(rows, minlength=n_rows)
    return np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows]
