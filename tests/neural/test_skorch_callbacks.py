"""Callbacks of skorch find in the inner net what skorch promises them."""

import os
import signal

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, make_scorer
from skorch.callbacks import BatchScoring, Callback, Checkpoint, EarlyStopping, EpochScoring

from skbst.metrics import hierarchical_f1_scorer
from tests.neural.conftest import make_network

HOOKS = ("on_train_begin", "on_epoch_begin", "on_batch_begin", "on_batch_end", "on_epoch_end", "on_train_end")


@pytest.fixture(scope="module")
def rows():
    kind = np.arange(80) % 4
    X = np.random.default_rng(0).normal(size=(80, 4)) + np.eye(4)[kind]
    return X, np.array(["fx-a", "fx-h", "m-sp", "ss-n"])[kind]


def fit(rows, *callbacks, head="lcl", **parameters):
    model = make_network(size="small", head=head, callbacks=list(callbacks), random_state=0)
    return model.set_params(**{"max_epochs": 3, **parameters}).fit(*rows)


@pytest.mark.parametrize("head", ["baseline", "gc", "lcl"])
@pytest.mark.parametrize("use_caching", [True, False])
def test_accuracy_of_the_validation_part(head, use_caching, rows):
    scoring = EpochScoring("accuracy", name="accuracy", lower_is_better=False, use_caching=use_caching)
    model = fit(rows, scoring, head=head)
    assert [row["accuracy"] for row in model.net_.history] == pytest.approx(model.history_["valid_acc"].tolist())


@pytest.mark.parametrize(
    ("scoring", "low", "high"),
    [
        (make_scorer(accuracy_score), 0, 1),
        (hierarchical_f1_scorer, 0, 1),
        ("neg_log_loss", -10, 0),
        ("balanced_accuracy", 0, 1),
        ("roc_auc_ovr", 0, 1),
        pytest.param(lambda net, X, y: len(net.predict(X)) / 80, 0.2, 0.2, id="function"),
    ],
    ids=str,
)
def test_other_scores(scoring, low, high, rows):
    model = fit(rows, EpochScoring(scoring, name="score"))
    assert all(low <= row["score"] <= high for row in model.net_.history)


def test_scores_of_batches_and_of_the_training_part(rows):
    X, y = rows
    model = fit(
        (X + 3 * np.eye(4)[np.arange(80) % 4], y),  # easy, and the linear prior does not know it before the first epoch
        BatchScoring("accuracy", name="batch", lower_is_better=False),
        EpochScoring("accuracy", name="train", on_train=True, lower_is_better=False),
        max_epochs=25,
        recipe__linear_prior=False,
    )
    assert model.net_.history[-1]["train"] > model.net_.history[0]["train"]
    assert model.net_.history[-1]["batch"] == pytest.approx(model.history_["valid_acc"].iloc[-1])


def test_checkpoints_and_early_stopping(rows, tmp_path):
    checkpoint = Checkpoint(dirname=str(tmp_path), f_optimizer=None, f_criterion=None)
    model = fit(rows, checkpoint, EarlyStopping(monitor="valid_loss", patience=1, threshold=10.0), max_epochs=50)
    assert model.n_iter_ < 5
    assert (tmp_path / "params.pt").is_file()


@pytest.mark.parametrize("hook", HOOKS)
def test_ctrl_c_in_a_callback_ends_everything(hook, rows):
    class Slow(Callback):
        pass

    def interrupt(self, net, **kwargs):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass

    setattr(Slow, hook, interrupt)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(rows, Slow())
    assert signal.getsignal(signal.SIGINT) is handler
    assert fit(rows).n_iter_ == 3
