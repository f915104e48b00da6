import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_recall_fscore_support
from sklearn.model_selection import cross_val_score

from skbst.exceptions import DataFormatError
from skbst.metrics import (
    hierarchical_accuracy_score,
    hierarchical_classification_report,
    hierarchical_f1_score,
    hierarchical_f1_scorer,
    hierarchical_precision_recall_fscore_support,
    hierarchical_precision_score,
    hierarchical_recall_score,
    hierarchical_scores_from_confusion,
    pair_confusion,
    top_level_accuracy_score,
)
from skbst.taxonomy import BST, Taxonomy

GOLDEN_TRUE = ["fx-a", "fx-a", "fx-h", "ss-n"]
GOLDEN_PRED = ["fx-h", "fx-h", "fx-h", "ss-n"]


def random_labels(n, seed, leaves=BST.leaves):
    rng = np.random.default_rng(seed)
    y_true = rng.choice(leaves, n)
    return y_true, np.where(rng.random(n) < 0.5, y_true, rng.choice(leaves, n))


def slow_scores(y_true, y_pred, top_weight, never_predicted, weights):
    """The definition, one row at a time."""

    def credit(g, p):
        return 1.0 if g == p else top_weight / 2 if g.split("-")[0] == p.split("-")[0] else 0.0

    rows = list(zip(y_true, y_pred, weights))
    per_class = []
    for c in sorted(set(y_true)):
        predicted = [(credit(g, p), w) for g, p, w in rows if p == c]
        true = [(credit(g, p), w) for g, p, w in rows if g == c]
        if predicted:
            precision = sum(x * w for x, w in predicted) / sum(w for _, w in predicted)
        elif never_predicted is None:
            continue
        else:
            precision = never_predicted
        recall = sum(x * w for x, w in true) / sum(w for _, w in true)
        both = precision + recall
        per_class.append((precision, recall, 2 * precision * recall / both if both else 0.0))
    return np.mean(per_class, axis=0)


@pytest.mark.parametrize(
    ("zero_division", "expected"),
    [(np.nan, (0.791667, 1.0, 0.868421)), (0.0, (0.527778, 0.791667, 0.578947)), (1.0, (0.861111, 0.791667, 0.760766))],
)
def test_golden(zero_division, expected):
    scores = hierarchical_precision_recall_fscore_support(GOLDEN_TRUE, GOLDEN_PRED, zero_division=zero_division)
    assert_allclose(scores[:3], expected, atol=5e-7)
    singles = (hierarchical_precision_score, hierarchical_recall_score, hierarchical_f1_score)
    assert [s(GOLDEN_TRUE, GOLDEN_PRED, zero_division=zero_division) for s in singles] == list(scores[:3])


@pytest.mark.parametrize("zero_division", [np.nan, 0.0, 1.0])
@pytest.mark.parametrize("top_weight", [0, 0.75, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_agrees_with_the_definition_row_by_row(zero_division, top_weight, weighted):
    y_true, y_pred = random_labels(60, seed=3)
    weights = np.random.default_rng(0).integers(1, 4, 60) if weighted else np.ones(60)
    expected = slow_scores(y_true, y_pred, top_weight, None if np.isnan(zero_division) else zero_division, weights)
    scores = hierarchical_precision_recall_fscore_support(
        y_true, y_pred, top_weight=top_weight, zero_division=zero_division, sample_weight=weights
    )
    assert_allclose(scores[:3], expected, rtol=1e-12)


def test_integer_weights_are_repetitions():
    y_true, y_pred = random_labels(40, seed=1)
    weights = np.random.default_rng(1).integers(0, 4, 40)
    repeated = [np.repeat(y, weights) for y in (y_true, y_pred)]
    for score in (hierarchical_f1_score, hierarchical_accuracy_score, top_level_accuracy_score):
        assert_allclose(score(y_true, y_pred, taxonomy=BST, sample_weight=weights), score(*repeated, taxonomy=BST))


def test_without_top_credit_it_is_plain_f1():
    y_true, y_pred = random_labels(500, seed=2)
    ours = hierarchical_precision_recall_fscore_support(
        y_true, y_pred, top_weight=0, zero_division=0.0, average=None, labels=BST.leaves
    )
    theirs = precision_recall_fscore_support(y_true, y_pred, labels=BST.leaves, zero_division=0)
    for mine, reference in zip(ours, theirs):
        assert_allclose(mine, reference)
    flat = Taxonomy.flat(BST.leaves)
    assert_allclose(hierarchical_f1_score(y_true, y_pred, taxonomy=flat), f1_score(y_true, y_pred, average="macro"))


def test_full_top_weight_scores_the_parent_as_half():
    assert hierarchical_recall_score(["fx-a"], ["fx-h"], top_weight=1.0, zero_division=0.0) == 0.5


def test_a_perfect_system_scores_one_and_order_does_not_matter():
    y_true, y_pred = random_labels(300, seed=5)
    order = np.random.default_rng(0).permutation(300)
    assert hierarchical_f1_score(y_true, y_true) == 1.0
    assert hierarchical_accuracy_score(y_true, y_true) == 1.0
    assert_allclose(hierarchical_f1_score(y_true, y_pred), hierarchical_f1_score(y_true[order], y_pred[order]))


def test_macro_runs_over_the_classes_of_y_true_only():
    scores = hierarchical_precision_recall_fscore_support(["fx-a", "fx-a"], ["fx-a", "m-sp"], average=None)
    assert_allclose(scores, [[1.0], [0.5], [2 / 3], [2]])
    both = hierarchical_precision_recall_fscore_support(
        ["fx-a", "fx-a"], ["fx-a", "m-sp"], labels=["m-sp", "fx-a"], average=None
    )
    assert_allclose(both, [[0, 1], [np.nan, 0.5], [np.nan, 2 / 3], [0, 2]])


def test_weighted_average():
    precision, _, f1, support = hierarchical_precision_recall_fscore_support(GOLDEN_TRUE, GOLDEN_PRED, average=None)
    kept = ~np.isnan(precision)
    expected = np.average(f1[kept], weights=support[kept])
    assert_allclose(hierarchical_f1_score(GOLDEN_TRUE, GOLDEN_PRED, average="weighted"), expected)


def test_nothing_left_to_average_is_nan():
    assert np.isnan(hierarchical_f1_score(["fx-a"], ["fx-h"]))


def test_accuracies_by_hand():
    y_true = ["fx-a", "fx-a", "fx-a", "ss-n", "sp-s"]
    y_pred = ["fx-a", "fx-h", "m-sp", "ss-n", "sp-c"]
    assert_allclose(hierarchical_accuracy_score(y_true, y_pred), np.mean([1.5 / 3, 1, 0.5]))
    assert_allclose(hierarchical_accuracy_score(y_true, y_pred, average="micro"), (1.5 + 1 + 0.5) / 5)
    in_both = y_true[:2] + y_true[3:4], y_pred[:1] * 2 + y_pred[3:4]
    assert_allclose(hierarchical_accuracy_score(*in_both, top_credit=0), balanced_accuracy_score(*in_both))
    assert_allclose(top_level_accuracy_score(y_true, y_pred), 4 / 5)
    assert_allclose(top_level_accuracy_score(y_true + ["fx-h"], y_pred + ["fx-h"], average="macro"), (2 / 3 + 3) / 4)
    assert_allclose(
        top_level_accuracy_score(y_true + ["fx-h"], y_pred + ["fx-h"], average="macro-top"), (3 / 4 + 2) / 3
    )


def test_batched_confusions_score_like_single_ones():
    confusion, tree = pair_confusion(*random_labels(200, seed=7))
    stack = np.stack([confusion, confusion.T, 2 * confusion])
    together = hierarchical_scores_from_confusion(stack, tree.parent_of_leaf)
    for i, single in enumerate(stack):
        for all_scores, scores in zip(together, hierarchical_scores_from_confusion(single, tree.parent_of_leaf)):
            assert_allclose(all_scores[i], scores)


@pytest.mark.parametrize("container", [list, np.array, pd.Series, lambda y: pd.Series(y).astype("category")])
def test_any_container_of_labels(container):
    y_true, y_pred = random_labels(50, seed=4)
    reference = hierarchical_f1_score(y_true, y_pred)
    assert hierarchical_f1_score(container(y_true.tolist()), container(y_pred.tolist())) == reference


def test_labels_that_are_no_codes_score_on_the_flat_tree():
    assert hierarchical_f1_score([0, 1, 1], [0, 1, 0], zero_division=0.0) == f1_score(
        [0, 1, 1], [0, 1, 0], average="macro"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["fx-a", "fx-zz"], ["fx-a", "fx-a"]), "1 of 2 labels are not leaves of the taxonomy.*fx-zz"),
        (([], []), "nothing to score"),
        (([["fx-a"]], [["fx-a"]]), "1-D"),
    ],
)
def test_bad_labels(arguments, message):
    with pytest.raises(DataFormatError, match=message):
        hierarchical_f1_score(*arguments, taxonomy=BST)


def test_bad_lengths_weights_and_parameters():
    with pytest.raises(ValueError, match="inconsistent numbers"):
        hierarchical_f1_score(["fx-a"], ["fx-a", "fx-a"])
    with pytest.raises(DataFormatError, match="finite and not negative"):
        hierarchical_f1_score(["fx-a"], ["fx-a"], sample_weight=[-1])
    with pytest.raises(ValueError, match="zero_division"):
        hierarchical_f1_score(["fx-a"], ["fx-a"], zero_division=0.5)
    with pytest.raises(DataFormatError, match="labels is empty"):
        hierarchical_f1_score(["fx-a"], ["fx-a"], labels=[])


@pytest.mark.parametrize("score", [hierarchical_f1_score, hierarchical_accuracy_score, top_level_accuracy_score])
def test_weights_that_are_all_zero(score):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataFormatError, match=r"all 2 weights are 0.*one above 0"):
            score(GOLDEN_TRUE[:2], GOLDEN_PRED[:2], sample_weight=[0, 0])
    with pytest.raises(DataFormatError, match=r"1-D, one weight a row; got shape \(2, 1\)"):
        score(GOLDEN_TRUE[:2], GOLDEN_PRED[:2], sample_weight=[[1], [1]])


@pytest.mark.parametrize("wrong", ["fx-zz", "FX-A", None, np.nan, pd.NA])
def test_a_wrong_code_is_no_plain_f1(wrong):
    y_true, y_pred = ["fx-a", "fx-h", "ss-n", "fx-a"], ["fx-a", "fx-a", "ss-n", wrong]
    for score in (hierarchical_f1_score, hierarchical_accuracy_score, top_level_accuracy_score):
        with pytest.raises(DataFormatError, match=r"fx-zz|FX-A|1 of 4 labels are missing"):
            score(y_true, y_pred)


def test_scorer_works_in_cross_validation():
    rng = np.random.default_rng(0)
    y = np.repeat(["fx-a", "fx-h", "m-sp"], 20)
    X = rng.normal(size=(60, 2)) + 3 * np.eye(3)[:, :2].repeat(20, axis=0)
    scores = cross_val_score(LogisticRegression(), X, y, scoring=hierarchical_f1_scorer, cv=3)
    model = LogisticRegression().fit(X, y)
    assert_allclose(hierarchical_f1_scorer(model, X, y), hierarchical_f1_score(y, model.predict(X)))
    assert scores.min() > 0.5


def test_report_counts_and_names_what_is_left_out():
    report = hierarchical_classification_report(GOLDEN_TRUE, GOLDEN_PRED, output_dict=True)
    assert report["classes"]["fx-a"]["mistaken_for"] == "fx-h"
    assert report["classes"]["fx-a"]["mistaken_share"] == 1.0
    assert_allclose(report["classes"]["fx-a"]["hR"], 0.375)
    assert report["top_levels"]["fx"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 3.0}
    assert_allclose(report["overall"]["hierarchical_f1"], 0.868421, atol=5e-7)
    text = hierarchical_classification_report(GOLDEN_TRUE, GOLDEN_PRED)
    assert "never predicted: fx-a" in text
    assert "86.84" in text


@pytest.mark.parametrize("digits", [0, 1, 2, 5])
def test_report_stands_in_columns(digits):
    y_true = GOLDEN_TRUE + ["is-e"] * 12 + ["fx-m"]
    y_pred = GOLDEN_PRED + ["is-e"] * 9 + ["m-m"] * 3 + ["fx-m"]
    text = hierarchical_classification_report(y_true, y_pred, digits=digits)
    head, *rows = text.split("\n\n")[0].split("\n")
    ends = [head.index(name) + len(name) for name in ("hP", "hR", "hF", "support")]
    assert len(rows) == 8
    assert {len(row.split("  fx-h (")[0].split("  m-m (")[0]) for row in rows} == {ends[-1]}
    for row in rows:
        # one number ends below each name, with a space before it
        cells = [row[start:end] for start, end in zip([27, *ends], ends)]
        assert all(cell.startswith(" ") and cell.split() == [cell.strip()] for cell in cells)
    assert rows[0].startswith("is Instrument samples ")
    assert rows[1][: ends[0]].endswith(f"{100:.{digits}f}")
    mistaken = next(row for row in rows if row.startswith("  is-e"))
    assert mistaken.index("m-m (25%)") == head.index("most mistaken for")


def test_report_in_full():
    text = hierarchical_classification_report(GOLDEN_TRUE, GOLDEN_PRED, digits=1)
    assert text.split("\n") == [
        "                                hP     hR     hF  support  most mistaken for",
        "fx Sound effects             100.0  100.0  100.0        3",
        "  fx-h Human sounds and ac…   58.3  100.0   73.7        1",
        "  fx-a Animals                  --   37.5     --        2  fx-h (100%)",
        "ss Soundscapes               100.0  100.0  100.0        1",
        "  ss-n Nature                100.0  100.0  100.0        1",
        "",
        "hierarchical (top weight 0.75)  79.2 100.0  86.8",
        "hierarchical accuracy           83.3",
        "accuracy                        50.0  (balanced 66.7)",
        "top-level accuracy             100.0  (over classes 100.0)",
        "left out of the means, never predicted: fx-a",
    ]


def test_report_where_nothing_can_be_averaged():
    text = hierarchical_classification_report(["fx-a"], ["m-sp"])
    assert "nan" not in text


@pytest.mark.parametrize(("zero_division", "expected"), [(np.nan, np.nan), (0.0, 0.0), (1.0, 1.0)])
def test_report_of_top_levels_knows_zero_division(zero_division, expected):
    report = hierarchical_classification_report(
        ["fx-a", "ss-n"], ["fx-a", "fx-a"], zero_division=zero_division, output_dict=True
    )
    assert_allclose(report["top_levels"]["ss"]["precision"], expected)
    assert_allclose(report["classes"]["ss-n"]["hP"], expected)


@pytest.mark.parametrize("options", [{"digits": -1}, {"digits": 1.5}, {"output_dict": "yes"}, {"top_weight": 3}])
def test_report_checks_its_parameters(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        hierarchical_classification_report(GOLDEN_TRUE, GOLDEN_PRED, **options)


@pytest.mark.data
def test_published_figures_of_the_official_evaluation(data_root):
    folder = data_root / "bsd10k-v1.2-public-runs"
    predictions = pd.read_csv(folder / "predictions.csv.gz")
    published = pd.read_csv(folder / "results.csv").set_index(["run", "mode", "fold"])
    assert len(published) == 539
    for key, part in predictions.groupby(["run", "mode", "fold"]):
        y_true, y_pred = part["ground_truth"].to_numpy(), part["prediction"].to_numpy()
        precision, recall, f1, _ = hierarchical_precision_recall_fscore_support(y_true, y_pred, taxonomy=BST)
        ours = {
            "accuracy": hierarchical_accuracy_score(y_true, y_pred, taxonomy=BST, top_credit=0, average="micro"),
            "top_accuracy": top_level_accuracy_score(y_true, y_pred, taxonomy=BST),
            "macro_accuracy": hierarchical_accuracy_score(y_true, y_pred, taxonomy=BST, top_credit=0),
            "macro_top_accuracy": top_level_accuracy_score(y_true, y_pred, taxonomy=BST, average="macro"),
            "hierarchical_accuracy": hierarchical_accuracy_score(y_true, y_pred, taxonomy=BST),
            "hierarchical_precision": precision,
            "hierarchical_recall": recall,
            "hierarchical_f1": f1,
        }
        expected = published.loc[key]
        assert_allclose(
            [100 * value for value in ours.values()],
            expected[list(ours)].to_numpy(float),
            atol=0.00501,
            err_msg=str(key),
        )


def test_labels_that_are_bytes_are_text():
    truth, predicted = np.array(["fx-a", "m-sp", "fx-o", "m-sp"]), np.array(["fx-o", "m-sp", "fx-o", "m-si"])
    expected = hierarchical_f1_score(truth, predicted)
    assert hierarchical_f1_score(truth.astype("S"), predicted.astype("S")) == expected
    assert hierarchical_f1_score(truth, [label.encode() for label in predicted]) == expected
