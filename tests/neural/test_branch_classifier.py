import pickle
import pickletools
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from skorch.callbacks import Callback

from skbst.exceptions import DataFormatError, FewClipsWarning
from skbst.features import FeatureBundle
from skbst.neighbors import KNNPriorBlender
from skbst.neural import BranchClassifier
from skbst.taxonomy import BST, Taxonomy
from tests.neural.conftest import make_network

HEADS = ["baseline", "flat", "gc", "lcl"]
NETWORKS = [*[(None, head) for head in HEADS], ("log-stft", "lcl"), ("log-mel", "gc"), ("mfcc", "baseline")]


def small(branch=None, head="baseline", **kwargs):
    settings = {"size": "small", "max_epochs": 3, "random_state": 0}
    return make_network(branch, head, **{**settings, **kwargs})


@pytest.fixture(scope="module")
def fitted(clips):
    return {network: small(*network).fit(*clips) for network in NETWORKS}


@pytest.mark.parametrize(
    ("branch", "head"),
    [*((None, head) for head in HEADS), ("log-stft", "flat"), ("log-mel", "baseline"), ("mfcc", "lcl"), ("mfcc", "gc")],
)
def test_every_network_learns_64_clips_by_heart(clips, branch, head):
    X, y = clips[0][:64], np.random.default_rng(1).permutation(clips[1][:64])  # nothing but the heart can know these
    model = small(
        branch,
        head,
        linear_prior=False,
        max_epochs=100,
        schedule="cosine",
        lr=3e-3,
        dropout=0.0,
        batch_size=16,
        validation_fraction=None,
        augmentation=None,
        label_smoothing=0.0,
    )
    assert model.fit(X, y).score(X, y) == 1.0


def test_public_attributes(clips, fitted):
    model = fitted[None, "baseline"]
    assert model.classes_.tolist() == ["fx-a", "fx-h", "m-si", "m-sp", "ss-n"]
    assert model.top_classes_.tolist() == ["fx", "m", "ss"]
    assert model.taxonomy_ == BST.reorder(model.classes_)
    assert model.n_iter_ == len(model.history_) == 3
    assert model.history_.columns.tolist() == ["epoch", "train_loss", "valid_loss", "valid_acc", "lr", "seconds"]
    assert model.n_features_in_ == clips[0].shape[1]
    embedding = model.embed(clips[0])
    assert (embedding.shape, embedding.dtype) == ((150, 5), np.float32)


def test_embedding_is_the_latent_vector_or_with_a_prior_the_scores(clips, fitted):
    X, y = clips
    model = fitted["mfcc", "baseline"]
    scores = model.decision_function(X)
    np.testing.assert_allclose(model.embed(X), scores - scores.mean(axis=1, keepdims=True), atol=1e-5)
    bare = clone(model).set_params(recipe__linear_prior=False, max_epochs=1).fit(X, y)
    net, inputs = bare.net_.module_.eval(), {"audio": "clap_audio", "text": "clap_text"}
    assert bare.embed(X).shape == (150, net.trunk.out_features)
    batch = {name: torch.from_numpy(X[block][:40]) for name, block in inputs.items()}
    frames = torch.from_numpy(X["mfcc"][:40]), torch.from_numpy(X.lengths("mfcc")[:40])
    with torch.no_grad():
        latent = net.embed(**batch, frames=frames[0], lengths=frames[1])
    np.testing.assert_allclose(bare.embed(X[:40]), latent.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("linear_prior", [False, True])
@pytest.mark.parametrize("head", ["baseline", "gc", "lcl"])
def test_neighbours_take_one_pass_of_the_network(clips, head, linear_prior):
    X, y = clips
    model = small("mfcc", head, linear_prior=linear_prior, max_epochs=1, validation_fraction=None)
    blender = KNNPriorBlender(model, alpha=0.5).fit(X, y)
    network = blender.estimator_
    embedding, proba = network.embed_predict_proba(X)
    np.testing.assert_array_equal(embedding, network.embed(X))
    np.testing.assert_array_equal(proba, network.predict_proba(X))
    expected = 0.5 * proba + 0.5 * blender.neighbour_proba(X)
    passes = []
    branch = network.net_.module_.branch
    branch.register_forward_hook(lambda module, args, output: passes.append(len(output)))
    np.testing.assert_allclose(blender.predict_proba(X), expected, rtol=0, atol=1e-12)
    assert sum(passes) == len(y)


@pytest.mark.parametrize(("branch", "head"), NETWORKS)
def test_outputs_agree_with_each_other(clips, fitted, branch, head):
    X, model = clips[0], fitted[branch, head]
    proba, logits = model.predict_proba(X), model.decision_function(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    # the logarithm of a probability next to 1 is known to the last bit of the 1
    np.testing.assert_allclose(np.log(proba), model.predict_log_proba(X), atol=1e-15)
    np.testing.assert_allclose(torch.tensor(logits).softmax(1), proba)
    np.testing.assert_array_equal(model.classes_[proba.argmax(axis=1)], model.predict(X))
    top = model.predict_top_proba(X)
    np.testing.assert_allclose(top.sum(axis=1), 1, rtol=1e-12)
    assert np.allclose(top, model.taxonomy_.aggregate(proba)) == (head != "gc")


def test_lcl_corrects_by_its_top_level(clips, fitted):
    X, model = clips[0], clone(fitted[None, "lcl"]).set_params(recipe__beta=0.0).fit(*clips)
    plain = model.predict_proba(X)
    corrected = model.set_params(recipe__beta=1000.0).predict_proba(X)
    assert abs(plain - corrected).max() > 0.1
    # a very sure top level leaves one top-level class
    assert (model.taxonomy_.aggregate(corrected).max(axis=1) > 0.95).mean() > 0.9


@pytest.mark.parametrize("head", HEADS)
def test_two_classes_give_one_logit(clips, head):
    X, y = clips
    two = np.flatnonzero(np.isin(y, ["fx-a", "m-sp"]))
    model = small(head=head).fit(X[two], y[two])
    logit = model.decision_function(X)
    assert logit.shape == (150,)
    np.testing.assert_allclose(1 / (1 + np.exp(-logit)), model.predict_proba(X)[:, 1])


def test_integer_labels_get_the_flat_tree(clips):
    X, y = clips
    model = small(head="lcl").fit(X, np.unique(y, return_inverse=True)[1] * 10)
    assert model.classes_.tolist() == [0, 10, 20, 30, 40]
    assert model.predict(X).dtype == model.classes_.dtype
    assert model.predict_top_proba(X).shape == (150, 5)


def test_given_taxonomy(clips):
    tree = Taxonomy({"fx-a": "a", "fx-h": "a", "m-si": "a", "m-sp": "b", "ss-n": "b"})
    model = small(head="gc", taxonomy=tree).fit(*clips)
    assert model.top_classes_.tolist() == ["a", "b"]
    with pytest.raises(DataFormatError, match="not leaves of the taxonomy"):
        small(taxonomy=Taxonomy({"fx-a": "a"})).fit(*clips)


@pytest.mark.parametrize("network", [(None, "baseline"), ("log-stft", "lcl"), ("log-mel", "gc"), ("mfcc", "baseline")])
def test_two_fits_are_the_same(clips, fitted, network):
    again = clone(fitted[network]).fit(*clips)
    expected = fitted[network].predict_proba(clips[0])
    np.testing.assert_array_equal(again.predict_proba(clips[0]), expected)
    other = clone(again).set_params(random_state=1).fit(*clips)
    assert not np.array_equal(other.predict_proba(clips[0]), expected)


def test_threads_around_do_not_matter(clips, fitted):
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        again = clone(fitted[None, "baseline"]).fit(*clips)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(again.predict_proba(clips[0]), fitted[None, "baseline"].predict_proba(clips[0]))


def test_processes_do_not_matter(clips):
    one, two = (cross_val_predict(small(), *clips, cv=2, n_jobs=n, method="predict_proba") for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_global_generators_are_left_alone(clips):
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    small(max_epochs=1).fit(*clips)
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


def test_order_of_rows_does_not_matter(clips, fitted):
    X, y = clips
    order = np.random.default_rng(0).permutation(len(y))
    again = clone(fitted[None, "baseline"]).fit(X[order], y[order])
    np.testing.assert_array_equal(again.predict_proba(X), fitted[None, "baseline"].predict_proba(X))


@pytest.mark.parametrize("network", NETWORKS)
def test_pickles_hold_arrays_and_no_torch(clips, fitted, network):
    model = fitted[network]
    data = pickle.dumps(model)
    names = {arg for opcode, arg, _ in pickletools.genops(data) if isinstance(arg, str)}
    assert not [name for name in names if name.split(".")[0] in ("torch", "skorch")]
    loaded = pickle.loads(data)
    np.testing.assert_array_equal(loaded.predict_proba(clips[0]), model.predict_proba(clips[0]))
    pd.testing.assert_frame_equal(loaded.history_, model.history_)
    assert "net_" in vars(model)


def test_pickles_load_in_a_fresh_process(clips, fitted, tmp_path):
    model = fitted["log-stft", "lcl"]
    (tmp_path / "model.pkl").write_bytes(pickle.dumps((model, clips[0], model.predict_proba(clips[0]))))
    code = (
        "import pickle, numpy as np\n"
        f"model, X, proba = pickle.load(open({str(tmp_path / 'model.pkl')!r}, 'rb'))\n"
        "np.testing.assert_array_equal(model.predict_proba(X), proba)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_model_for_a_missing_gpu_loads_on_the_cpu(clips, fitted, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    state = {**fitted[None, "baseline"].__getstate__(), "device": "cuda"}
    model = make_network()
    with pytest.warns(UserWarning, match="the CPU is used"):
        model.__setstate__(state)
    np.testing.assert_array_equal(model.predict(clips[0]), fitted[None, "baseline"].predict(clips[0]))


@pytest.mark.parametrize(("branch", "head"), NETWORKS)
def test_answers_do_not_depend_on_the_batch(clips, fitted, branch, head):
    X, model = clips[0], fitted[branch, head]
    whole = model.decision_function(X)
    tolerance = {"rtol": 0, "atol": 1e-12} if branch is None else {"rtol": 1e-6, "atol": 1e-6}
    for rows in ([3], [149, 3], np.arange(40), np.arange(150)[::-1]):
        np.testing.assert_allclose(model.decision_function(X[rows]), whole[rows], **tolerance)


def test_memory_maps_and_half_precision_are_read_as_arrays(clips, tmp_path):
    X, y = clips
    frames = np.memmap(tmp_path / "frames", dtype=np.float32, mode="w+", shape=X.block_shape("log_stft"))
    frames[:] = X["log_stft"]
    half = {name: X[name].astype(np.float16) for name in ("clap_audio", "clap_text")}
    lengths = {"log_stft": X.lengths("log_stft")}
    mapped = FeatureBundle({**half, "log_stft": frames}, lengths=lengths)
    in_memory = FeatureBundle(
        {**{name: block.astype(np.float32) for name, block in half.items()}, "log_stft": X["log_stft"]}, lengths=lengths
    )
    expected = small("log-stft", max_epochs=1).fit(in_memory, y).predict_proba(in_memory)
    np.testing.assert_array_equal(small("log-stft", max_epochs=1).fit(mapped, y).predict_proba(mapped), expected)


def test_padding_does_not_matter(clips, fitted):
    X, y = clips
    frames = X["log_stft"].copy()
    frames[np.arange(24) >= X.lengths("log_stft")[:, None]] = 1e4
    blocks = {"clap_audio": X["clap_audio"], "clap_text": X["clap_text"], "log_stft": frames}
    other = FeatureBundle(blocks, lengths={"log_stft": X.lengths("log_stft")})
    again = small("log-stft", "lcl").fit(other, y)
    expected = fitted["log-stft", "lcl"].predict_proba(X)
    np.testing.assert_allclose(again.predict_proba(other), expected, rtol=1e-4, atol=1e-6)


def test_search_and_cross_validation_take_bundles(clips):
    search = GridSearchCV(small(max_epochs=2), {"head": ["flat", "gc"], "branch": [None, "log-stft"]}, cv=2)
    search.fit(*clips)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    scores = cross_validate(small(max_epochs=2), *clips, cv=2, scoring="neg_log_loss")
    assert np.isfinite(scores["test_score"]).all()


def test_a_plain_array_is_one_audio_embedding(clips):
    X, y = clips
    model = small().fit(X["clap_audio"], y)
    # an array may be of any scale
    alone = small(blocks={"text": None}, input_norm="batch").fit(X.select(["clap_audio"]), y)
    np.testing.assert_array_equal(model.predict_proba(X["clap_audio"]), alone.predict_proba(X))


def test_the_official_network_to_the_parameter(clips):
    X = FeatureBundle({"clap_audio": np.eye(50, 512) + 0.1, "clap_text": np.eye(50, 512) + 0.1})
    y = np.tile(BST.leaves, 3)[:50]
    with pytest.warns(FewClipsWarning, match="50 distinct clips"):
        model = BranchClassifier(max_epochs=1).fit(X, y)
    assert sum(p.numel() for p in model.net_.module_.parameters()) == 7_319_513


@pytest.mark.parametrize(("head", "expected"), [("flat", 7_323_673), ("gc", 7_318_494), ("lcl", 7_326_814)])
def test_parameters_of_whole_networks(head, expected):
    rng = np.random.default_rng(0)
    X = FeatureBundle({name: rng.normal(size=(46, 512)).astype(np.float32) for name in ("clap_audio", "clap_text")})
    y = np.repeat(BST.leaves, 2)
    settings = {"max_epochs": 1, "validation_fraction": None, "random_state": 0}
    counts = {}
    for prior in (False, True):
        model = make_network(head=head, input_norm="batch", linear_prior=prior, **settings).fit(X, y)
        counts[prior] = sum(parameter.numel() for parameter in model.net_.module_.parameters())
    assert counts[False] == expected
    assert counts[True] == expected + 2 * (512 * 23 + 23 + 1)


def test_the_adapter_is_a_choice(clips):
    X, y = clips
    settings = {"max_epochs": 1, "validation_fraction": None}
    choices = {(None, "auto"): False, (None, True): True, ("log-stft", "auto"): True, ("log-stft", False): False}
    for (branch, adapter), expected in choices.items():
        net = small(branch, adapter=adapter, **settings).fit(X, y).net_.module_
        assert (net.adapter is not None) == expected


def test_text_alone(clips):
    X, y = clips
    model = small(blocks={"audio": None}).fit(X, y)
    assert model.net_.module_.trunk.audio_encoder is None
    np.testing.assert_array_equal(model.predict(X), model.predict(X.select(["clap_text"])))


def test_nan_is_named_by_block_and_row(clips):
    X, y = clips
    text = X["clap_text"].copy()
    text[[7, 20], 3] = np.nan
    with pytest.raises(
        DataFormatError, match=r"'clap_text' has NaN or infinite values in 2 of 150 rows \(first: row 7\)"
    ):
        small().fit(FeatureBundle({"clap_audio": X["clap_audio"], "clap_text": text}), y)


def test_nan_in_frames_is_named(clips):
    X, y = clips
    frames = X["log_stft"].copy()
    frames[5, 2, 1] = np.inf
    with pytest.raises(DataFormatError, match=r"'log_stft' has NaN or infinite values in .* row 5"):
        small("log-stft").fit(FeatureBundle({"clap_audio": X["clap_audio"], "log_stft": frames}), y)


@pytest.mark.parametrize("branch", ["log-stft", "log-mel", "mfcc"])
def test_nan_in_frames_never_becomes_a_class(clips, branch):
    X, y = clips
    block = branch.replace("-", "_")
    model = small(branch, max_epochs=1).fit(X, y)
    frames = X[block].copy()
    frames[5, 1] = np.nan
    broken = X.with_block(block, frames, lengths=X.lengths(block))
    message = rf"Block '{block}' has NaN, infinite or far too large values in 1 of 150 rows \(first: row 5\)"
    for method in ("predict", "predict_proba", "decision_function", "embed"):
        with pytest.raises(DataFormatError, match=message):
            getattr(model, method)(broken)
    frames[5, 1], frames[5, X.lengths(block)[5] :] = X[block][5, 1], np.nan
    padded = X.with_block(block, frames, lengths=X.lengths(block))
    np.testing.assert_array_equal(model.predict(padded), model.predict(X))


def test_nan_in_a_validation_row_is_told(clips):
    X, y = clips
    groups = np.arange(150) // 5

    class Rows(Callback):
        def on_epoch_begin(self, net, dataset_train, dataset_valid, **kwargs):
            self.valid = dataset_valid.rows

    seen = Rows()
    small("mfcc", max_epochs=1, callbacks=[seen]).fit(X, y, groups=groups)
    frames = X["mfcc"].copy()
    frames[seen.valid[0], 0, 0] = np.nan
    with pytest.raises(FloatingPointError, match="valid_loss is nan in epoch 1"):
        small("mfcc", max_epochs=1).fit(X.with_block("mfcc", frames, lengths=X.lengths("mfcc")), y, groups=groups)


def test_missing_blocks_are_named_with_what_is_there(clips):
    X, y = clips
    with pytest.raises(DataFormatError, match=r"reads the block 'log_stft', but the bundle has \['clap_audio'\]"):
        small("log-stft").fit(X.select(["clap_audio"]), y)
    with pytest.raises(DataFormatError, match=r"blocks names 'words' \(text\), which is not in the bundle"):
        small(blocks={"text": "words"}).fit(X, y)
    with pytest.raises(DataFormatError, match=r"No embedding to learn from: the bundle has \['log_stft'\]"):
        small().fit(X.select(["log_stft"]), y)
    with pytest.raises(DataFormatError, match=r"lacks the block\(s\) \['clap_text'\]"):
        small(max_epochs=1).fit(X, y).predict(X.select(["clap_audio"]))


def test_wrong_shapes(clips, fitted):
    X, y = clips
    with pytest.raises(DataFormatError, match="to be an embedding"):
        small(blocks={"audio": "log_stft"}).fit(X, y)
    with pytest.raises(DataFormatError, match="n_frames, n_bins"):
        small("log-stft", blocks={"frames": "clap_audio"}).fit(X, y)
    wide = FeatureBundle({"clap_audio": np.ones((2, 13)), "clap_text": np.ones((2, 8))})
    with pytest.raises(DataFormatError, match=r"rows of shape \(13,\); fitted on \(12,\)"):
        fitted[None, "baseline"].predict(wide)
    with pytest.raises(DataFormatError, match="150 rows and y has 3"):
        small().fit(X, y[:3])
    with pytest.raises(DataFormatError, match="0 rows"):
        small().fit(X[[]], y[[]])


def test_bundle_and_array_are_not_mixed_up(clips, fitted):
    X, y = clips
    with pytest.raises(DataFormatError, match="needs a FeatureBundle; got ndarray"):
        small("log-stft").fit(X["clap_audio"], y)
    with pytest.raises(DataFormatError, match="Expected a FeatureBundle"):
        fitted[None, "baseline"].predict(X["clap_audio"])
    with pytest.raises(DataFormatError, match="Fitted on a 2-D array"):
        small(max_epochs=1).fit(X["clap_audio"], y).predict(X)


def test_labels_that_cannot_be_learnt(clips):
    X, y = clips
    with pytest.raises(ValueError, match="y is None"):
        small().fit(X, None)
    with pytest.raises(DataFormatError, match=r"1 of 150 labels are missing \(first: row 4\)"):
        small().fit(X, np.r_[y[:4], [None], y[5:]].astype(object))
    with pytest.raises(DataFormatError, match="at least 2 classes; got 1 class"):
        small().fit(X, np.full(150, "fx-a"))
    with pytest.raises(ValueError, match="Unknown label type"):
        small().fit(X, np.linspace(0, 1, 150))
    single = np.r_[["ss-u"], y[1:]]
    with pytest.raises(DataFormatError, match=r"single sample \(ss-u\)"):
        small().fit(X, single)
    assert "ss-u" in small(validation_fraction=None, max_epochs=1).fit(X, single).classes_
