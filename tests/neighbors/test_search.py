import numpy as np
import pytest

from skbst.exceptions import DataFormatError
from skbst.neighbors import leave_one_out_prior, top_k_cosine
from skbst.neighbors._products import BFloat16Products, Float32Products, choose_products
from skbst.neighbors._rows import normalized_rows
from skbst.neighbors._search import _even_chunks


def reference(queries, bank, k, forbidden=None):
    """All cosines in float64, a stable sort, one query after the other."""
    queries, bank = np.asarray(queries, float), np.asarray(bank, float)
    values, indices = np.full((len(queries), k), -np.inf), np.full((len(queries), k), -1)
    for i, query in enumerate(queries):
        norms = np.linalg.norm(bank, axis=1) * np.linalg.norm(query)
        cosines = np.divide(bank @ query, norms, out=np.zeros(len(bank)), where=norms > 0)
        if forbidden is not None:
            cosines[forbidden[i]] = -np.inf
        order = [j for j in np.argsort(-cosines, kind="stable") if cosines[j] > -np.inf][:k]
        values[i, : len(order)], indices[i, : len(order)] = cosines[order], order
    return values, indices


def assert_same_neighbours(found, expected):
    """Equal but for the order of what float32 cannot tell apart."""
    (values, indices), (expected_values, expected_indices) = found, expected
    np.testing.assert_allclose(values, expected_values, atol=1e-6)
    swapped = indices != expected_indices
    assert swapped.mean() < 0.002
    gaps = np.abs(np.diff(np.maximum(expected_values, -9), axis=1, append=-99, prepend=9))
    assert (np.minimum(gaps[:, :-1], gaps[:, 1:])[swapped] < 1e-6).all()


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return rng.standard_normal((150, 24)), rng.standard_normal((2600, 24))


@pytest.mark.parametrize("k", [1, 7, 40])
def test_matches_sorting_all_cosines(rows, k):
    values, indices = top_k_cosine(*rows, k)
    assert values.dtype == np.float32
    assert indices.dtype == np.int64
    assert_same_neighbours((values, indices), reference(*rows, k))


def test_same_bytes_for_any_chunks_and_company(rows):
    queries, bank = rows
    values, indices = top_k_cosine(queries, bank, 9)
    for settings in [
        {"query_chunk": 1, "bank_chunk": 137},
        {"query_chunk": 17, "bank_chunk": 1031},
        {"bank_chunk": 5000},
    ]:
        again = top_k_cosine(queries[:40], bank, 9, **settings)
        np.testing.assert_array_equal(again[0], values[:40])
        np.testing.assert_array_equal(again[1], indices[:40])


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_same_bytes_for_any_number_of_threads(rows, monkeypatch, n_threads):
    queries, bank = np.tile(rows[0], (2, 1)), rows[1]
    expected = top_k_cosine(queries, bank, 9)
    monkeypatch.setattr("skbst.neighbors._search._openmp_effective_n_threads", lambda: n_threads)
    for query_chunk in (50, 2048):
        found = top_k_cosine(queries, bank, 9, query_chunk=query_chunk)
        assert found[0].tobytes() == expected[0].tobytes()
        assert found[1].tobytes() == expected[1].tobytes()


@pytest.mark.parametrize(("n_rows", "n_threads", "lengths"), [
    (2000, 1, [2000]), (2000, 2, [1000, 1000]), (5000, 2, [1250] * 4), (5000, 1, [1667, 1667, 1666]),
    (100, 2, [100]), (0, 2, [0]), (3000, 32, [94] * 24 + [93] * 8),
])  # fmt: skip
def test_chunks_keep_all_threads_busy(monkeypatch, n_rows, n_threads, lengths):
    monkeypatch.setattr("skbst.neighbors._search._openmp_effective_n_threads", lambda: n_threads)
    chunks = _even_chunks(np.arange(n_rows), 2048)
    assert [len(chunk) for chunk in chunks] == lengths
    np.testing.assert_array_equal(np.concatenate(chunks), np.arange(n_rows))


def test_fewer_neighbours_are_a_prefix_of_more(rows):
    few, many = top_k_cosine(*rows, 4), top_k_cosine(*rows, 30)
    np.testing.assert_array_equal(few[0], many[0][:, :4])
    np.testing.assert_array_equal(few[1], many[1][:, :4])


def test_lengths_of_rows_do_not_matter(rows):
    queries, bank = (x.astype(np.float32) for x in rows)
    np.testing.assert_array_equal(top_k_cosine(queries * 8, bank * 0.25, 5)[1], top_k_cosine(queries, bank, 5)[1])


def test_ties_go_to_the_lower_position():
    bank = np.tile(np.eye(3), (700, 1))
    values, indices = top_k_cosine(np.eye(3) * 5, bank, 4, query_chunk=2, bank_chunk=600)
    np.testing.assert_array_equal(indices, np.arange(3)[:, None] + 3 * np.arange(4))
    np.testing.assert_array_equal(values, 1)


def test_ties_of_arbitrary_vectors():
    rng = np.random.default_rng(1)
    few = rng.standard_normal((5, 33))
    bank = few[rng.integers(0, 5, 3000)]
    _, indices = top_k_cosine(few, bank, 12, bank_chunk=400)
    for i in range(5):
        np.testing.assert_array_equal(indices[i], np.flatnonzero((bank == few[i]).all(axis=1))[:12])


def test_rows_of_zeros():
    bank = np.array([[0.0, 0], [-1, 0], [0, 0], [1, 0]])
    values, indices = top_k_cosine([[0.0, 0], [2, 0]], bank, 3)
    np.testing.assert_array_equal(indices, [[0, 1, 2], [3, 0, 2]])
    np.testing.assert_array_equal(values, [[0, 0, 0], [1, 0, 0]])


def test_many_silent_queries_against_a_long_bank(rows):
    queries = rows[0].copy()
    queries[::3] = 0
    values, indices = top_k_cosine(queries, rows[1], 6, query_chunk=64, bank_chunk=500)
    assert_same_neighbours((values, indices), reference(queries, rows[1], 6))


def test_fewer_rows_than_neighbours():
    values, indices = top_k_cosine([[1.0, 0]], [[1.0, 0], [0, 1]], 4)
    np.testing.assert_array_equal(indices, [[0, 1, -1, -1]])
    np.testing.assert_array_equal(values, [[1, 0, -np.inf, -np.inf]])


def test_leaves_the_row_itself_out(rows):
    bank = rows[1][:700]
    values, indices = top_k_cosine(bank, bank, 3, exclude_self=True, query_chunk=200, bank_chunk=300)
    assert_same_neighbours((values, indices), reference(bank, bank, 3, np.eye(700, dtype=bool)))


def test_leaves_the_own_group_out(rows):
    queries, bank = rows
    rng = np.random.default_rng(2)
    names = np.array(["ann", "bob", "eve", "", None], dtype=object)
    query_groups, bank_groups = names[rng.integers(0, 5, len(queries))], names[rng.integers(0, 5, len(bank))]
    forbidden = np.array([[a == b and a not in ("", None) for b in bank_groups] for a in query_groups])
    values, indices = top_k_cosine(queries, bank, 5, query_groups=query_groups, bank_groups=bank_groups, bank_chunk=700)
    assert_same_neighbours((values, indices), reference(queries, bank, 5, forbidden))


def test_no_neighbour_left():
    values, indices = top_k_cosine([[1.0]], [[1.0], [2.0]], 2, query_groups=["a"], bank_groups=["a", "a"])
    np.testing.assert_array_equal(indices, [[-1, -1]])
    assert (values == -np.inf).all()


def test_missing_groups_match_nothing():
    _, indices = top_k_cosine([[1.0]], [[1.0], [2.0]], 1, query_groups=[np.nan], bank_groups=[np.nan, "a"])
    np.testing.assert_array_equal(indices, [[0]])


def test_huge_and_tiny_rows():
    rows = normalized_rows(np.array([[3e30, 4e30], [3e-30, 4e-30], [0, 0], [3, 4]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.6, 0.8], [0, 0], [0.6, 0.8]], rtol=1e-6)


def test_input_is_left_as_it_was(rows):
    queries, bank = (x.astype(np.float32) for x in rows)
    before = queries.copy(), bank.copy()
    top_k_cosine(queries, bank, 3, normalize=False)
    top_k_cosine(queries, bank, 3)
    np.testing.assert_array_equal(queries, before[0])
    np.testing.assert_array_equal(bank, before[1])


def test_memory_does_not_hold_the_table_of_all_products():
    tracemalloc = pytest.importorskip("tracemalloc")
    rng = np.random.default_rng(3)
    queries = rng.standard_normal((1000, 4), dtype=np.float32)
    bank = rng.standard_normal((60000, 4), dtype=np.float32)
    tracemalloc.start()
    top_k_cosine(queries, bank, 5, query_chunk=128, bank_chunk=4096)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12e6  # the table of all products would hold 240 MB


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (([[1.0, 2]], [[1.0]]), {}, "Queries have 2 features, but the bank has 1"),
        (([[1.0]], [[1.0], [2]]), {"exclude_self": True}, "got 1 and 2 rows"),
        (([[1.0]], [[1.0]]), {"query_groups": ["a"]}, "Groups of the query are given, but not those of the bank"),
        (([[np.nan]], [[1.0]]), {}, "NaN"),
    ],
)
def test_bad_input_is_refused(arguments, settings, message):
    with pytest.raises(ValueError, match=message):
        top_k_cosine(*arguments, 1, **settings)


def test_wrong_number_of_groups():
    with pytest.raises(ValueError, match="inconsistent"):
        top_k_cosine([[1.0]], [[1.0]], 1, query_groups=["a", "b"], bank_groups=["a"])


def test_data_format_error_is_what_callers_can_catch():
    with pytest.raises(DataFormatError):
        top_k_cosine([[1.0, 2]], [[1.0]], 1)


def test_k_far_beyond_the_bank_takes_no_memory():
    with pytest.raises(DataFormatError, match=r"k=100000000 .* the bank has 2 rows.* at most 2\."):
        top_k_cosine([[1.0]], [[1.0], [2.0]], 10**8)
    values, indices = top_k_cosine([[1.0]], [[1.0], [2.0]], 10**6)
    assert (indices[0, :2].tolist(), set(indices[0, 2:])) == ([0, 1], {-1})
    assert np.isneginf(values[0, 2:]).all()
    prior = leave_one_out_prior([[1.0, 0], [1, 1], [0, 1]], np.array([0, 1, 1]), 2, k=10**9)
    np.testing.assert_array_equal(prior, leave_one_out_prior([[1.0, 0], [1, 1], [0, 1]], np.array([0, 1, 1]), 2, k=2))


def test_a_bank_without_rows():
    values, indices = top_k_cosine(np.ones((3, 2)), np.ones((0, 2)), 4)
    assert (indices == -1).all()
    assert np.isneginf(values).all()


@pytest.fixture
def use_bfloat16(monkeypatch):
    # any processor can multiply bfloat16, if not faster
    monkeypatch.setattr("skbst.neighbors._search.choose_products", lambda *size: BFloat16Products)


def clustered_rows():
    rng = np.random.default_rng(5)
    centres = rng.standard_normal((12, 40))
    near = centres[rng.integers(0, 12, 3000)] + 1e-3 * rng.standard_normal((3000, 40))
    near[::50] = near[7]
    near[3::97] = 0
    return near[:200], near


@pytest.mark.parametrize("make_rows", [clustered_rows, None])
@pytest.mark.parametrize("k", [1, 20])
def test_bfloat16_proposals_give_the_same_bytes(rows, request, make_rows, k):
    queries, bank = rows if make_rows is None else make_rows()
    bank = bank.astype(np.float32)
    groups = {"query_groups": np.arange(len(queries)) % 7, "bank_groups": np.arange(len(bank)) % 7}
    settings = [{}, {"bank_chunk": 300, "query_chunk": 33}, groups]
    expected = [top_k_cosine(queries, bank, k, **kwargs) for kwargs in settings]
    request.getfixturevalue("use_bfloat16")
    for kwargs, (values, indices) in zip(settings, expected):
        found = top_k_cosine(queries, bank, k, **kwargs)
        assert found[0].tobytes() == values.tobytes()
        assert found[1].tobytes() == indices.tobytes()


def test_bfloat16_products_are_within_their_slack():
    rng = np.random.default_rng(0)
    # numbers just above the middle between two of bfloat16 are rounded worst, all in one direction
    worst = np.full((4, 64), 0.125 * (1 + 2.0**-8 + 2.0**-20), dtype=np.float32)
    sparse = np.eye(4, 64, dtype=np.float32) * np.float32(1 - 2.0**-9)
    rows = np.vstack([worst, sparse, normalized_rows(rng.standard_normal((300, 64)))]).astype(np.float32)
    rows /= np.maximum(1, np.linalg.norm(rows, axis=1, keepdims=True))
    multiply = BFloat16Products(rows)
    products = np.empty((len(rows), len(rows)), dtype=np.float32)
    multiply.fill(products, rows)
    off = np.abs(products - rows.astype(float) @ rows.T.astype(float))
    allowed = (multiply.slack[:, None] + multiply.relative_slack * np.abs(products)) / 2
    assert (off <= allowed).all()
    assert (off > allowed / 3).any()  # a bound that could not be much lower


def test_small_searches_do_not_load_torch():
    assert choose_products(1000, 1000, 512) is Float32Products


def test_read_only_maps_are_searched(tmp_path, rows, use_bfloat16):
    queries, bank = rows
    unit = normalized_rows(bank)
    np.save(tmp_path / "bank.npy", unit)
    mapped = np.load(tmp_path / "bank.npy", mmap_mode="r")
    found = top_k_cosine(queries, mapped, 5, normalize=False)
    np.testing.assert_array_equal(found[1], top_k_cosine(queries, unit, 5, normalize=False)[1])
