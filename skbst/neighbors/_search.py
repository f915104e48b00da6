"""Exact nearest neighbours by cosine similarity."""

import threading
from concurrent.futures import ThreadPoolExecutor
from numbers import Integral

import numpy as np

from skbst._sklearn import Interval, _openmp_effective_n_threads, validate_params
from skbst.exceptions import DataFormatError
from skbst.neighbors._candidates import Candidates, cosine_of_pairs
from skbst.neighbors._products import choose_products
from skbst.neighbors._rows import checked_groups, normalized_rows

__all__ = ["top_k_cosine"]

# a product with fewer rows is better shared out by BLAS itself
_FEWEST_ROWS = 64
# entries of a table, 12 bytes each, that a thread fills at once
_MOST_CANDIDATES = 2**24


@validate_params(
    {
        "k": [Interval(Integral, 1, None, closed="left")],
        "exclude_self": ["boolean"],
        "normalize": ["boolean"],
        "query_chunk": [Interval(Integral, 1, None, closed="left")],
        "bank_chunk": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def top_k_cosine(
    queries,
    bank,
    k,
    *,
    exclude_self=False,
    query_groups=None,
    bank_groups=None,
    normalize=True,
    query_chunk=2048,
    bank_chunk=4096,
):
    """Find the `k` rows of a bank with the highest cosine similarity to each query.

    The search is exact and streams over the bank, so that memory does not grow with it beyond the bank itself. BLAS
    finds the few rows that can be among the k best; their similarities are then computed once more, each pair on its
    own. Results are therefore the same bytes whatever the chunks, the number of threads and the other
    queries of the call.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_features)
        Rows to look for. Computed in float32.

    bank : array-like of shape (n_bank, n_features)
        Rows to find; may be a memory map.

    k : int
        Number of neighbours, at least 1. What passes the bank's rows takes no search and no memory but that of the
        answer.

    exclude_self : bool, default=False
        Whether query i never finds row i of the bank; `queries` must then have as many rows as `bank`.

    query_groups, bank_groups : array-like of shape (n_queries,) and (n_bank,), default=None
        Group (such as the uploader) of each row: a query finds no row of its own group. Missing values (None, NaN,
        pd.NA, empty text) belong to no group.

    normalize : bool, default=True
        Whether rows are divided by their norm first. False for rows of norm 1 (or 0).

    query_chunk, bank_chunk : int, default=2048 and 4096
        Rows that are multiplied at once, at most. A thread needs about ``5 * query_chunk * bank_chunk`` bytes.

    Returns
    -------
    similarities : ndarray of shape (n_queries, k), float32
        Cosines in [-1, 1], falling. Rows of norm 0 have similarity 0 to everything. -inf where there is no
        neighbour left.

    indices : ndarray of shape (n_queries, k), int64
        Positions in `bank`; equal similarities stand in the order of their positions. -1 where there is none.

    Raises
    ------
    DataFormatError
        If shapes do not fit together, or only one kind of groups is given; if `k` passes the bank by so much that the
        answer would be gigabytes of nothing.

    References
    ----------
    Report, section 2.3: the k nearest neighbours in the training embedding bank.

    Examples
    --------
    >>> from skbst.neighbors import top_k_cosine
    >>> bank = [[1, 0], [1, 1], [0, 2], [0, 0]]
    >>> similarities, indices = top_k_cosine([[3, 0]], bank, 2)
    >>> similarities.round(4), indices
    (array([[1.    , 0.7071]], dtype=float32), array([[0, 1]]))
    """
    # narrow numbers of NumPy would overflow in sizes of tables
    k, query_chunk, bank_chunk = int(k), int(query_chunk), int(bank_chunk)
    queries, bank = normalized_rows(queries, normalize), normalized_rows(bank, normalize)
    if queries.shape[1] != bank.shape[1]:
        raise DataFormatError(f"Queries have {queries.shape[1]} features, but the bank has {bank.shape[1]}.")
    if exclude_self and len(queries) != len(bank):
        raise DataFormatError(f"exclude_self needs the bank's own rows; got {len(queries)} and {len(bank)} rows.")
    groups = checked_groups(query_groups, bank_groups, len(queries), len(bank))
    forbid = _Forbid(exclude_self, *groups)
    if k > len(bank) and len(queries) * k > _MOST_CANDIDATES:
        raise DataFormatError(
            f"k={k} neighbours of {len(queries)} queries: the bank has {len(bank)} rows, and the rest of so wide a "
            f"table would hold nothing. Ask for at most {len(bank)}."
        )
    similarities = np.full((len(queries), k), -np.inf, dtype=np.float32)
    indices = np.full((len(queries), k), -1, dtype=np.int64)
    within = min(k, len(bank))
    if not within:
        return similarities, indices
    # tables of candidates are twice as wide as k
    query_chunk = min(query_chunk, max(1, _MOST_CANDIDATES // max(1, 2 * within)))
    chunks = _even_chunks(np.arange(len(queries)), query_chunk)
    for rows, found in zip(chunks, _search_chunks(queries, bank, within, chunks, forbid, bank_chunk)):
        similarities[rows, :within], indices[rows, :within] = found
    return similarities, indices


class _Forbid:
    """Which pairs of a query and a row of the bank do not count."""

    def __init__(self, own_row, query_codes, bank_codes):
        self.own_row, self.query_codes, self.bank_codes = own_row, query_codes, bank_codes

    def mark(self, products, rows, start):
        """Set forbidden entries of a block (queries `rows`, bank from `start`) to -inf."""
        stop = start + products.shape[1]
        if self.own_row:
            inside = np.flatnonzero((rows >= start) & (rows < stop))
            products[inside, rows[inside] - start] = -np.inf
        if self.query_codes is not None:
            same = self.query_codes[rows][:, None] == self.bank_codes[start:stop][None, :]
            np.copyto(products, -np.inf, where=same)

    def pairs(self, rows, columns):
        """Boolean mask: which pairs are forbidden."""
        forbidden = np.zeros(len(rows), dtype=bool)
        if self.own_row:
            forbidden |= rows == columns
        if self.query_codes is not None:
            forbidden |= self.query_codes[rows] == self.bank_codes[columns]
        return forbidden


def _even_chunks(todo, query_chunk):
    """Cut queries into chunks of one size, as many as keep all threads busy to the end."""
    n_threads = _openmp_effective_n_threads()
    n_chunks = -(-len(todo) // query_chunk)
    if len(todo) >= _FEWEST_ROWS * n_threads:
        n_chunks = -(-n_chunks // n_threads) * n_threads
    return np.array_split(todo, max(1, n_chunks))


def _search_chunks(queries, bank, k, chunks, forbid, bank_chunk):
    """Search chunk by chunk; several at once where BLAS would use several threads, each with one of its own."""
    n_threads = min(_openmp_effective_n_threads(), len(chunks))
    products = choose_products(sum(map(len, chunks)), *bank.shape)
    local = threading.local()

    def search(rows):
        if not hasattr(local, "buffers"):
            local.buffers = _Buffers(len(chunks[0]), min(bank_chunk, len(bank)))
        block = queries[rows]
        return _search_rows(products(block), block, bank, k, rows, forbid, bank_chunk, local.buffers)

    if n_threads == 1:
        return [search(rows) for rows in chunks]
    with products.one_thread_each(), ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(search, chunks))


class _Buffers:
    """Space for one block of products and its mask, used again for every block."""

    def __init__(self, n_rows, n_columns):
        self.products = np.empty(n_rows * n_columns, dtype=np.float32)
        self.mask = np.empty(n_rows * n_columns, dtype=bool)

    def shaped(self, n_rows, n_columns):
        size = n_rows * n_columns
        return self.products[:size].reshape(n_rows, n_columns), self.mask[:size].reshape(n_rows, n_columns)


def _search_rows(multiply, block, bank, k, rows, forbid, bank_chunk, buffers):
    silent = ~block.any(axis=1)
    candidates = Candidates(k, len(block), multiply.slack, multiply.relative_slack)
    for start in range(0, len(bank), bank_chunk):
        part = bank[start : start + bank_chunk]
        products, mask = buffers.shaped(len(block), len(part))
        multiply.fill(products, part)
        forbid.mark(products, rows, start)
        # every row is as good for a query of zeros: the first k will do
        candidates.offer(products, start, silent, mask)
        if candidates.crowded:
            candidates.settle(cosine_of_pairs(block, bank, *candidates.pairs))
    candidates.compress()
    candidates.settle(cosine_of_pairs(block, bank, *candidates.pairs))
    return candidates.table()
