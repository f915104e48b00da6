"""Ctrl-C while callbacks run ends whatever fits the network, and leaves no half of it behind."""

import os
import signal

import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback

from skbst.conformal import HierarchicalConformalClassifier
from skbst.curation import LabelAudit
from skbst.ensemble import FoldEnsembleClassifier, HierarchicalVotingClassifier
from skbst.model_selection import KNNBlendSearchCV
from skbst.neighbors import KNNPriorBlender
from skbst.neural import KNNDistillationClassifier
from tests.neural.conftest import make_bundle, make_network


class Interrupt(Callback):
    """Interrupts the second fit, so that one has succeeded before; the hook is called by callbacks of callbacks."""

    n_fits = 0

    def on_epoch_end(self, net, **kwargs):
        Interrupt.n_fits += 1
        if Interrupt.n_fits == 2:
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):
                pass


class Outer(Callback):
    """A callback that calls another one."""

    def on_epoch_end(self, net, **kwargs):
        Interrupt().on_epoch_end(net)


AROUND = {
    "cross-validation": lambda net, X, y: cross_val_score(net, X, y, cv=2, error_score=0.0),
    "grid": lambda net, X, y: GridSearchCV(net, {"random_state": [0, 1]}, cv=2, error_score=0.0).fit(X, y),
    "blend search": lambda net, X, y: KNNBlendSearchCV(
        KNNPriorBlender(net), {"alpha": [0.1], "k": [2]}, cv=2, error_score=0.0
    ).fit(X, y),
    "folds": lambda net, X, y: FoldEnsembleClassifier(net, cv=2).fit(X, y),
    "vote": lambda net, X, y: HierarchicalVotingClassifier([("a", net), ("b", net)]).fit(X, y),
    "conformal": lambda net, X, y: HierarchicalConformalClassifier(net, cv=2).fit(X, y),
    "audit": lambda net, X, y: LabelAudit(net, cv=2).fit(X, y),
    "pipeline": lambda net, X, y: cross_val_score(make_pipeline(FunctionTransformer(), net), X, y, cv=2),
    "distillation": lambda net, X, y: cross_val_score(KNNDistillationClassifier(net, k=2), X, y, cv=2, error_score=0.0),
}


@pytest.mark.parametrize("callback", [Interrupt, Outer])
@pytest.mark.parametrize("kind", AROUND)
def test_an_interrupt_in_a_callback_ends_what_stands_around_the_network(kind, callback):
    X, y = make_bundle(60)
    Interrupt.n_fits = 0
    net = make_network(size="small", max_epochs=1, validation_fraction=None, callbacks=[callback()], random_state=0)
    with pytest.raises(KeyboardInterrupt):
        AROUND[kind](net, X.select(["clap_audio"]), y)
    assert Interrupt.n_fits == 2
