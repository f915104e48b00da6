"""Each part of the method has a task that it alone solves, and where it is cut out the task is lost.

The branches have theirs in test_heard.py.
"""

import numpy as np
import torch
from torch import nn

from skbst.features import FeatureBundle
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier, KNNDistillationClassifier, Recipe
from skbst.nn import ClipNet, HighwayGateAdapter
from skbst.systems import make_system, system_1

PAIR = np.array(["fx-a", "m-sp"])
CODES = np.array(["fx-a", "fx-h", "m-si", "m-sp"])


def bundle(**blocks):
    return FeatureBundle({name: rows.astype(np.float32) for name, rows in blocks.items()})


def small(branch=None, head="baseline", **settings):
    return make_system(branch, head, embeddings="builtin", size="small", random_state=0, **settings)[-1]


def test_only_the_text_tells():
    def make(n_rows, seed):
        rng = np.random.default_rng(seed)
        kind = rng.integers(0, 2, n_rows)
        text = rng.normal(size=(n_rows, 16)) + 10 * np.eye(2, 16)[kind]
        return bundle(audio=rng.normal(size=(n_rows, 16)), text=text), PAIR[kind]

    (X, y), (X_new, y_new) = make(180, 0), make(200, 1)
    assert small().fit(X, y).score(X_new, y_new) >= 0.95
    deaf = small().set_params(blocks={"text": None}).fit(X, y)
    assert deaf.score(X_new, y_new) < 0.65
    report = BranchClassifier(max_epochs=20, random_state=0)
    assert report.fit(X, y).score(X_new, y_new) >= 0.95


def sectors(n_rows, seed, n_sectors=16):
    """Directions; the class changes from sector to sector, too often for a network of few clips."""
    rng = np.random.default_rng(seed)
    sector = rng.integers(0, n_sectors, n_rows)
    angle = 2 * np.pi * (sector + rng.uniform(0.2, 0.8, n_rows)) / n_sectors
    return np.column_stack([np.cos(angle), np.sin(angle)]), PAIR[sector % 2]


def test_only_the_neighbours_tell():
    (text, y), (text_new, y_new) = sectors(300, 0), sectors(300, 1)
    blender = small(neighbours=True).fit(bundle(text=text), y)
    assert isinstance(blender, KNNPriorBlender)
    assert blender.score(bundle(text=text_new), y_new) >= 0.95
    assert blender.set_params(alpha=0.0).score(bundle(text=text_new), y_new) < 0.65


def test_only_the_neighbours_of_system_1_tell():
    (text, y), (text_new, y_new) = sectors(300, 0), sectors(300, 1)
    same = np.tile(np.random.default_rng(2).normal(size=(1, 8, 257)), (300, 1, 1))  # nothing to hear
    X, X_new = (bundle(text=rows, log_stft=same) for rows in (text, text_new))
    system = system_1(embeddings="builtin", size="small", random_state=0)[-1]
    system.set_params(estimator__blocks={"audio": None}, estimator__max_epochs=4).fit(X, y)
    assert system.score(X_new, y_new) >= 0.95
    assert system.set_params(alpha=0.0).score(X_new, y_new) < 0.65


def test_only_the_distilled_neighbours_tell():
    """Three labels of ten are wrong; alone a network learns them by heart, a student believes the neighbours."""
    rng = np.random.default_rng(0)
    truth = np.arange(200) % 2
    text = rng.normal(size=(200, 8)) + 3 * np.eye(2, 8)[truth]
    wrong = rng.random(200) < 0.3
    X, y = bundle(text=text), PAIR[np.where(wrong, 1 - truth, truth)]
    recipe = Recipe(input_norm="length", dropout=0.0, label_smoothing=0.0, validation_fraction=None)
    network = BranchClassifier(size="small", recipe=recipe, max_epochs=40, augmentation=None, random_state=0)
    teacher = BranchClassifier(size="small", max_epochs=1, random_state=0)  # found by the text, whatever it says
    student = KNNDistillationClassifier(network, k=80, temperature=1.0, embedding="blocks", teacher=teacher)
    told = student.set_params(distillation_weight=10.0).fit(X, y).predict(X)
    assert np.mean(told[wrong] == PAIR[truth[wrong]]) > 0.8
    alone = student.set_params(distillation_weight=0.0).fit(X, y).predict(X)
    assert np.mean(alone[wrong] == PAIR[truth[wrong]]) < 0.3


def test_only_the_head_of_the_top_level_tells():
    """Soft targets draw the second level to a class under the other top; the top level learns from the labels."""
    rng = np.random.default_rng(0)
    label = np.arange(200) % 4
    X, X_new = (rng.normal(size=(200, 8)).astype(np.float32) + 6 * np.eye(4, 8)[label] for _ in range(2))
    lie = np.eye(4)[(label + 2) % 4]
    soft = 0.6 * lie + 0.4 * np.eye(4)[label]
    top = np.array([code.split("-")[0] for code in CODES[label]])

    def fit(head, beta=1.0):
        recipe = Recipe(beta=beta, validation_fraction=None)
        model = BranchClassifier(None, head, size="small", recipe=recipe, max_epochs=30, random_state=0)
        return model.set_params(distillation_weight=20.0, augmentation=None).fit(X, CODES[label], soft_targets=soft)

    def told(model):
        return model.top_classes_[model.predict_top_proba(X_new).argmax(axis=1)]

    lcl, gc = fit("lcl"), fit("gc")
    assert np.mean(lcl.predict_top(X_new) == top) > 0.95
    assert np.mean(lcl.predict(X_new) == CODES[label]) > 0.95
    # the top-down correction cut out: what the leaves say alone
    assert np.mean(fit("lcl", beta=0.0).predict_top(X_new) == top) < 0.05
    # GC's parallel layer, against the sums of its leaves
    assert np.mean(told(gc) == top) > 0.95
    leaves = gc.taxonomy_.aggregate(gc.predict_proba(X_new))
    assert np.mean(gc.top_classes_[leaves.argmax(axis=1)] == top) < 0.05
    assert np.mean(gc.predict_top(X_new) == top) < 0.05  # that of the predicted class, whatever the parallel layer says


class FixedReading(nn.Module):
    """A trunk that learns nothing: it hands on the first number of the text."""

    def forward(self, audio, text):
        return text[:, :1]


def test_only_the_refinement_of_the_text_tells():
    """Two signs tell the class by their product, and a fixed reading of the text sees one of them."""
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(300, 12, generator=generator)
    target = (text[:, 0] * text[:, 1] > 0).float()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        adapter = HighwayGateAdapter(12)
    net = ClipNet(FixedReading(), nn.Identity(), adapter=adapter)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(600):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(text=text)[:, 0], target).backward()
        optimizer.step()
    net.eval()
    right = ((net(text=text)[:, 0] > 0) == (target > 0)).float().mean()
    net.hold_adapter()
    without = ((net(text=text)[:, 0] > 0) == (target > 0)).float().mean()
    assert right >= 0.95
    assert without < 0.65


def test_the_adapter_of_a_fitted_network_is_heard():
    rng = np.random.default_rng(0)
    kind = np.arange(180) % 2
    text = rng.normal(size=(180, 16)) + 2 * np.eye(2, 16)[kind]
    X = bundle(text=text, audio=rng.normal(size=(180, 16)), log_stft=rng.normal(size=(180, 8, 257)))
    # late and beside linear models it has less to do
    networks = {
        1e-6: small("log-stft"),
        1e-3: BranchClassifier("log-stft", size="small", max_epochs=10, random_state=0),
    }
    for least, model in networks.items():
        proba = model.fit(X, PAIR[kind]).predict_proba(X)
        model.net_.module_.hold_adapter()
        assert np.abs(model.predict_proba(X) - proba).max() > least


def test_a_late_adapter_leaves_the_first_epochs_alone():
    """The same network as without branch and adapter, to the bit, until they join: a difference is what they did."""
    rng = np.random.default_rng(0)
    kind = np.arange(120) % 2
    X = bundle(text=rng.normal(size=(120, 8)), audio=rng.normal(size=(120, 8)), log_stft=rng.normal(size=(120, 6, 257)))
    recipe = Recipe.small().set_params(branch_start=3, branch_max_epochs=4, max_epochs=3)
    settings = {"size": "small", "recipe": recipe, "random_state": 0}
    alone, late = (BranchClassifier(branch, **settings).fit(X, PAIR[kind]) for branch in (None, "log-stft"))
    for part in ("trunk", "head"):
        states = [getattr(model.net_.module_, part).state_dict() for model in (alone, late)]
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
