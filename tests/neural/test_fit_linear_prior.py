import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from skbst.neural._training._fit_linear_prior import fit_linear_prior
from skbst.nn import LinearPrior
from tests.neural.conftest import make_network


def make_rows(n_samples=120, n_classes=4, seed=0):
    rng = np.random.default_rng(seed)
    target = np.arange(n_samples) % n_classes
    audio = (np.eye(n_classes, 10)[target] + 0.8 * rng.normal(size=(n_samples, 10))).astype(np.float32)
    text = (np.eye(n_classes, 7)[target] + 0.4 * rng.normal(size=(n_samples, 7))).astype(np.float32)
    return {"audio": audio, "text": text}, target


def fit(embeddings, target, *, weight=None, groups=None, unit_length=True, n_classes=None, seed=0):
    n_classes = n_classes or target.max() + 1
    widths = [embeddings[name].shape[1] if name in embeddings else None for name in ("audio", "text")]
    prior = LinearPrior(*widths, n_classes, unit_length=unit_length)
    weight = np.ones(len(target)) if weight is None else weight
    rng = np.random.RandomState(seed)
    held_out = fit_linear_prior(prior, embeddings, target, weight, groups=groups, rng=rng, n_threads=1)
    return prior, held_out


def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def says(prior, name, rows):
    return prior.log_proba(name, torch.from_numpy(rows)).numpy()


@pytest.mark.parametrize("n_classes", [2, 4])
def test_each_model_is_logistic_regression_on_rows_of_length_one(n_classes):
    embeddings, target = make_rows(n_classes=n_classes)
    prior, _ = fit(embeddings, target)
    for name, rows in embeddings.items():
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        peer = LogisticRegression(C=10.0, max_iter=300).fit(unit, target)
        np.testing.assert_allclose(np.exp(says(prior, name, rows)), peer.predict_proba(unit), atol=2e-3)


def test_rows_of_any_scale_are_standardised():
    embeddings, target = make_rows()
    moved = {name: 1000 * rows + 7 for name, rows in embeddings.items()}
    prior, held_out = fit(embeddings, target, unit_length=False)
    prior_moved, held_out_moved = fit(moved, target, unit_length=False)
    np.testing.assert_allclose(held_out_moved, held_out, atol=0.02)
    np.testing.assert_allclose(
        says(prior_moved, "text", moved["text"]), says(prior, "text", embeddings["text"]), atol=0.02
    )


def test_answers_are_of_models_that_have_not_seen_the_row():
    embeddings, target = make_rows()
    rows = embeddings["audio"]
    prior, held_out = fit({"audio": rows}, target, seed=3)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    expected = np.empty_like(held_out)
    folds = StratifiedKFold(5, shuffle=True, random_state=np.random.RandomState(3)).split(rows, target)
    for known, unknown in folds:
        peer = LogisticRegression(C=10.0, max_iter=300).fit(unit[known], target[known])
        expected[unknown] = np.maximum(peer.predict_log_proba(unit[unknown]), np.log(1e-4))
    share = float(prior.models["audio"].share)
    assert share > 0.2
    np.testing.assert_allclose(held_out, share * expected, atol=0.02)


def test_groups_stand_in_one_fold():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 4)
    target = groups % 3
    # an uploader's clips are alike, and say nothing of the class beyond the uploader
    rows = (rng.normal(size=(30, 20))[groups] + 0.01 * rng.normal(size=(120, 20))).astype(np.float32)
    _, apart = fit({"audio": rows}, target)
    _, together = fit({"audio": rows}, target, groups=groups)
    assert (apart.argmax(axis=1) == target).mean() > 0.95
    assert (together.argmax(axis=1) == target).mean() < 0.6


def test_shares_are_the_most_likely_ones():
    embeddings, target = make_rows()
    rng = np.random.default_rng(1)
    embeddings["audio"] = rng.normal(size=embeddings["audio"].shape).astype(np.float32)
    prior, held_out = fit(embeddings, target)
    shares = [float(model.share) for model in prior.models.values()]
    assert shares[0] < 0.2 < shares[1]
    assert min(shares) >= 0
    best = log_loss(target, softmax(held_out))
    for factor in (0.5, 2.0):
        assert log_loss(target, softmax(factor * held_out)) > best


def test_a_lone_model_has_the_share_that_is_most_likely_alone():
    embeddings, target = make_rows()
    prior, _ = fit(embeddings, target)
    for name, rows in embeddings.items():
        alone, _ = fit({name: rows}, target)
        assert float(prior.models[name].lone_share) == float(alone.models[name].share)
        assert prior.models[name].lone_share > prior.models[name].share


def test_weights_are_repetitions():
    embeddings, target = make_rows()
    weight = np.where(np.arange(120) < 40, 2.0, 1.0)
    twice = np.r_[np.arange(120), np.arange(40)]
    by_weight, _ = fit(embeddings, target, weight=weight)
    by_rows, _ = fit({name: rows[twice] for name, rows in embeddings.items()}, target[twice])
    np.testing.assert_allclose(by_weight.models["text"].weight, by_rows.models["text"].weight, atol=0.02)


def test_a_class_of_one_row_keeps_the_lowest_probability_in_its_own_fold():
    embeddings, target = make_rows()
    target = target.copy()
    target[target == 3] = 0
    target[0] = 3
    prior, held_out = fit(embeddings, target)
    assert held_out[0].argmin() == 3
    assert says(prior, "text", embeddings["text"])[0, 3] > prior.lowest
    assert np.isfinite(held_out).all()


def test_without_two_rows_of_a_class_there_is_no_prior():
    embeddings, _ = make_rows(4)
    prior, held_out = fit(embeddings, np.arange(4))
    assert not held_out.any()
    assert not any(model.share for model in prior.models.values())


def test_a_network_starts_where_linear_models_are(make_clips):
    X, y = make_clips(400, spread=1.5)
    settings = {"size": "small", "max_epochs": 1, "validation_fraction": None, "lr": 1e-5, "random_state": 0}
    with_prior, without = (
        make_network(linear_prior=prior, **settings).fit(X[:200], y[:200]).score(X[200:], y[200:])
        for prior in (True, False)
    )
    both = np.hstack([X["clap_audio"], X["clap_text"]])
    linear = LogisticRegression().fit(both[:200], y[:200]).score(both[200:], y[200:])
    assert with_prior > linear - 0.03
    assert without < linear - 0.3
