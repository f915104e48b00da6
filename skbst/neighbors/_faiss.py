"""faiss' flat index as the engine of `top_k_cosine`."""

import numpy as np

from skbst._optional import require
from skbst.neighbors._candidates import Candidates, cosine_of_pairs, rounding_slack

__all__ = ["search_faiss"]

_MORE = 16


def search_faiss(queries, bank, k, forbid, similarities, indices):
    """Fill the two tables where faiss' answer is proved to be complete.

    faiss proposes a few rows more than asked for; their similarities are computed as in the exact engine. A query is
    settled if the worst proposal is worse than its k-th best by more than rounding can explain.

    Parameters
    ----------
    queries, bank : ndarray, float32
        Normalised rows.

    k : int
        Number of neighbours.

    forbid : object
        Has ``pairs(rows, columns)``: which pairs do not count.

    similarities, indices : ndarray of shape (n_queries, k)
        Filled in place.

    Returns
    -------
    todo : ndarray of int
        Queries that are left to the exact engine (many ties, or many neighbours of the own group).
    """
    faiss = require("faiss", extra="faiss", needed_by='top_k_cosine(engine="faiss")')
    if not len(queries) or not len(bank):
        return np.arange(len(queries))
    index = faiss.IndexFlatIP(bank.shape[1])
    index.add(bank)
    n_proposed = min(k + _MORE, len(bank))
    proposed, columns = index.search(queries, n_proposed)
    columns = np.sort(columns, axis=1)
    rows, rank = np.divmod(np.arange(columns.size), n_proposed)
    allowed = ~forbid.pairs(rows, columns.ravel())
    candidates = Candidates(k, len(queries), rounding_slack(queries.shape[1]))
    candidates.add(rows[allowed], columns.ravel()[allowed], 0.0, rank[allowed])
    candidates.settle(cosine_of_pairs(queries, bank, *candidates.pairs))
    similarities[:], indices[:] = candidates.table()
    if n_proposed == len(bank):
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero(proposed[:, -1] >= similarities[:, -1] - candidates.slack)
