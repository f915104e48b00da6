"""The systems as the report has them, from clips to class codes: a few steps each."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skbst.datasets import load_bsd, make_bst_clips
from skbst.exceptions import DataFormatError, FewClipsWarning
from skbst.neural import BranchClassifier, KNNDistillationClassifier
from skbst.persistence import load_model, save_model
from skbst.systems import baseline, system_1, system_2, system_3, system_4

BUILDERS = {
    "baseline": baseline,
    "system_1": system_1,
    "system_2": system_2,
    "system_3": system_3,
    "system_4": system_4,
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    root = tmp_path_factory.mktemp("report") / "clips"
    kinds = {"fx-a": 1, "fx-h": 1, "m-sp": 1}
    make_bst_clips(root, n_clips=24, max_duration=0.4, class_weights=kinds, random_state=0)
    return load_bsd(root)


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return tmp_path_factory.mktemp("frames")


def few_steps(system):
    """One epoch a fit, of half a second of sound: the network and its training are the report's."""
    names = system.get_params()
    system.set_params(**{name: 1 for name in names if name.endswith("max_epochs") and "recipe" not in name})
    return system.set_params(**{name: 0.5 for name in names if name.endswith("__duration")})


def networks_of(system):
    """All fitted networks in a system."""
    found, todo = [], [system[-1]]
    while todo:
        model = todo.pop()
        if isinstance(model, BranchClassifier):
            found.append(model)
        else:
            inner = getattr(model, "estimators_", None) or [getattr(model, "student_", None) or model.estimator_]
            todo += inner
    return found


@pytest.fixture(scope="module")
def fitted(clips, frames):
    made = {}

    def fit(name):
        if name not in made:
            extra = {"cv": 2} if name in ("system_3", "system_4") else {}
            system = few_steps(BUILDERS[name](embeddings="builtin", store=frames, random_state=0, **extra))
            with pytest.warns(FewClipsWarning, match="size='small', recipe='small'"):
                made[name] = system.fit(clips.data, clips.target)
        return made[name]

    return fit


@pytest.mark.parametrize("name", BUILDERS)
def test_from_clips_to_class_codes(name, clips, fitted, tmp_path):
    system = fitted(name)
    proba = system.predict_proba(clips.data)
    assert proba.shape == (24, 3)
    assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
    assert_array_equal(system.predict(clips.data), system.classes_[proba.argmax(axis=1)])
    tops = [code.split("-")[0] for code in system.predict(clips.data)]
    assert_array_equal(system.predict_top(clips.data), tops)
    if name in ("baseline", "system_1"):  # the others are many times this large
        again = load_model(save_model(system, tmp_path / "model"))
        assert_allclose(again.predict_proba(clips.data.iloc[:3]), proba[:3], atol=1e-5)


@pytest.mark.parametrize(("name", "n_networks"), {"system_1": 1, "system_2": 4, "system_3": 8, "system_4": 12}.items())
def test_networks_have_the_widths_of_the_report(name, n_networks, fitted):
    networks = networks_of(fitted(name))
    assert len(networks) == n_networks
    for network in networks:
        module = network.net_.module_
        assert module.trunk.out_features == 64
        assert module.prior is None
        assert module.branch_head is None
        assert (module.adapter is None) == (network.branch != "log-stft")
        if network.branch is not None:
            # its own parameters (docs/guide/neural.rst: the whole networks have 13.5, 8.7 and 8.1 million)
            least = {"log-stft": 3e6, "log-mel": 1e6, "mfcc": 2e5}[network.branch]
            assert sum(weight.numel() for weight in module.branch.parameters()) > least


def test_system_2_trains_on_everything(fitted, clips):
    """Early stopping beside folds tells how long, and in the end no row is held out."""
    for network in networks_of(fitted("system_2")):
        assert len(network.fold_best_epochs_) >= 4  # of eight rows a class the last may be empty
        assert network.n_iter_ == round(np.mean(network.fold_best_epochs_))
        assert network.history_["valid_acc"].isna().all()
    for network in networks_of(fitted("system_3")):
        assert network.history_["valid_acc"].notna().all()
    small = system_2(embeddings="builtin", size="small", random_state=0)
    for name, model in small[-1].estimators:
        model = model.estimator if isinstance(model, KNNDistillationClassifier) else model
        assert model.recipe == "small", name


def test_frames_are_heard(fitted, clips):
    """Other frames, other answers, after a few steps already."""
    for name in ("system_1", "system_2", "system_3", "system_4"):
        system = fitted(name)
        bundle = system[0].transform(clips.data)
        proba = system[-1].predict_proba(bundle)
        for block in set(bundle.names) & {"log_stft", "log_mel", "mfcc"}:
            other = bundle.with_block(block, np.zeros_like(bundle[block]), lengths=bundle.lengths(block))
            assert np.abs(system[-1].predict_proba(other) - proba).max() > 0, (name, block)


def test_groups_stay_together_in_the_folds(clips, frames):
    """Where all rows are one uploader's there is nothing to stop on: the networks are told."""
    system = few_steps(system_2(embeddings="builtin", modalities="text", random_state=0))
    with pytest.warns(FewClipsWarning), pytest.raises(DataFormatError, match="No row is left for validation"):
        system.fit(clips.data, clips.target, groups=np.zeros(24))
