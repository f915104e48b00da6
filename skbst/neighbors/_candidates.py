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

    Blocks of approximate products are offered one after the other; what lies below a row's k-th best by more than
    rounding can explain is dropped at once. `settle` replaces the approximate values by exact ones.

    Parameters
    ----------
    k : int
        Number of columns wanted for each row.

    n_rows : int
        Number of rows.

    n_features : int
        Length of the vectors behind the products, for the rounding error.
    """

    def __init__(self, k, n_rows, n_features):
        self.k, self.n_rows = k, n_rows
        self.slack = rounding_slack(n_features)
        self.floor = np.full(n_rows, _LOWEST)
        self.rows = self.columns = np.empty(0, dtype=np.int64)
        self.values = np.empty(0, dtype=np.float32)

    @property
    def pairs(self):
        """Positions (rows, columns) of what is kept."""
        return self.rows, self.columns

    @property
    def crowded(self):
        """Whether ties have let through far more than k columns a row."""
        return len(self.rows) > 16 * (self.k + 4) * self.n_rows

    def offer(self, products, start, silent):
        """Take what can still matter from a block of shape (n_rows, n_columns) that begins at column `start`.

        Rows marked in `silent` hold equal values; of them no more than the first k columns are kept.
        """
        n_columns = products.shape[1]
        n_groups = max(256, 8 * self.k)
        if start == 0 and n_columns >= 4 * n_groups:
            self._raise_floor(products, n_groups)
        flat = np.flatnonzero(products >= self.floor[:, None])
        rows, columns = np.divmod(flat, n_columns)
        values = products.ravel()[flat]
        if silent.any():
            rank = _rank_in_row(rows, self.n_rows)
            kept = ~silent[rows] | (rank < self.k)
            rows, columns, values = rows[kept], columns[kept], values[kept]
        self._merge(rows, columns + start, values)

    def settle(self, exact):
        """Put exact values in place of those in hand and keep the k best of each row, ties by column."""
        order = np.lexsort((self.columns, -exact, self.rows))
        self._keep(order, exact)
        kept = _rank_in_row(self.rows, self.n_rows) < self.k
        self.rows, self.columns, self.values = self.rows[kept], self.columns[kept], self.values[kept]
        self._lift()

    def table(self):
        """Return values (n_rows, k), float32, and columns (n_rows, k), int64; -inf and -1 where there are fewer."""
        values = np.full((self.n_rows, self.k), -np.inf, dtype=np.float32)
        columns = np.full((self.n_rows, self.k), -1, dtype=np.int64)
        rank = _rank_in_row(self.rows, self.n_rows)
        values[self.rows, rank], columns[self.rows, rank] = self.values, self.columns
        return values, columns

    def _raise_floor(self, products, n_groups):
        # the k-th largest of many maxima is no larger than the k-th largest value
        width = products.shape[1] // n_groups
        maxima = products[:, : width * n_groups].reshape(self.n_rows, width, n_groups).max(axis=1)
        bound = np.partition(maxima, n_groups - self.k, axis=1)[:, n_groups - self.k]
        self.floor = np.maximum(self.floor, bound - self.slack)

    def _merge(self, rows, columns, values):
        self.rows = np.concatenate([self.rows, rows])
        self.columns = np.concatenate([self.columns, columns])
        self.values = np.concatenate([self.values, values])
        self._keep(np.lexsort((-self.values, self.rows)), self.values)
        self._lift()
        kept = self.values >= self.floor[self.rows]
        self.rows, self.columns, self.values = self.rows[kept], self.columns[kept], self.values[kept]

    def _keep(self, order, values):
        self.rows, self.columns, self.values = self.rows[order], self.columns[order], values[order]

    def _lift(self):
        """Raise the floor of each row that holds k values to just under the k-th of them."""
        kth = np.flatnonzero(_rank_in_row(self.rows, self.n_rows) == self.k - 1)
        full = self.rows[kth]
        self.floor[full] = np.maximum(self.floor[full], self.values[kth] - self.slack)


def _rank_in_row(rows, n_rows):
    """Position of each entry among those of its row; `rows` is sorted."""
    return np.arange(len(rows)) - np.searchsorted(rows, np.arange(n_rows))[rows]
