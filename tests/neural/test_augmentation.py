import numpy as np
import pytest
import torch

from skbst.neural._training._augmentation import make_augmentation
from skbst.nn import FrameStandardizer
from tests.neural.conftest import make_network


@pytest.fixture
def batch():
    torch.manual_seed(0)
    inputs = {
        "audio": torch.randn(6, 200),
        "text": torch.randn(6, 200),
        "frames": torch.randn(6, 40, 5),
        "lengths": torch.tensor([40, 40, 30, 20, 10, 1]),
    }
    return inputs, {"target": torch.arange(6) % 3, "weight": torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 3.0])}


def make(augmentation, branch="mfcc"):
    standardizer = FrameStandardizer(5).set_statistics(torch.full((5,), 7.0), torch.ones(5))
    return make_augmentation(augmentation, branch=branch, standardizer=standardizer, n_classes=3)


def test_defaults():
    assert list(make("default", branch=None).modules) == ["embedding_noise", "embedding_masking"]
    assert list(make("default").modules) == ["time_crop", "time_masking", "embedding_noise", "embedding_masking"]
    assert make(None) is None


def test_embeddings_are_masked_apart(batch):
    inputs, target = make("default", branch=None)(*batch)
    hidden = {name: inputs[name] == 0 for name in ("audio", "text")}
    assert all(0 < mask.float().mean() < 0.7 for mask in hidden.values())
    assert not torch.equal(hidden["audio"], hidden["text"])
    torch.testing.assert_close(
        inputs["audio"][~hidden["audio"]], batch[0]["audio"][~hidden["audio"]], atol=1e-3, rtol=0
    )
    assert target is batch[1]
    assert torch.equal(batch[0]["frames"], inputs["frames"])


def test_masked_frames_become_the_mean_frame(batch):
    inputs, _ = make({"time_masking": {"max_share": 0.5}})(*batch)
    hidden = (inputs["frames"] == 7.0).all(dim=2)
    assert hidden.any()
    assert torch.equal(inputs["frames"][~hidden], batch[0]["frames"][~hidden])


def test_crops_shorten(batch):
    inputs, _ = make({"time_crop": {"min_share": 0.1}})(*batch)
    assert (inputs["lengths"] <= batch[0]["lengths"]).all()
    assert inputs["lengths"].sum() < batch[0]["lengths"].sum()


def test_patches_mix_targets_by_weight(batch):
    inputs, target = make({"crop_and_patch": {"beta": 1.0}})(*batch)
    assert target["target"].shape == (6, 3)
    torch.testing.assert_close(target["target"].sum(dim=1), torch.ones(6))
    # every clip gives its first patch to itself and the others to some clip once
    torch.testing.assert_close((target["target"] * target["weight"][:, None]).sum(), target["weight"].sum())
    assert not torch.equal(inputs["audio"], batch[0]["audio"])


def test_soft_targets_are_mixed_like_targets(batch):
    inputs, target = batch
    soft = torch.nn.functional.one_hot(target["target"], 3).float()
    _, mixed = make({"crop_and_patch": {}})(inputs, {**target, "soft_target": soft})
    torch.testing.assert_close(mixed["soft_target"], mixed["target"])


def test_unknown_names_are_told(clips):
    with pytest.raises(ValueError, match=r"\['speed'\]; known are \['crop_and_patch'"):
        make_network(size="small", augmentation={"speed": {}}).fit(*clips)


@pytest.mark.parametrize("head", ["flat", "lcl"])
def test_fit_with_every_augmentation(clips, head):
    every = {
        name: {} for name in ("crop_and_patch", "time_crop", "time_masking", "embedding_noise", "embedding_masking")
    }
    settings = {"size": "small", "max_epochs": 2, "random_state": 0}
    varied, plain = (
        make_network("mfcc", head, augmentation=augmentation, **settings).fit(*clips) for augmentation in (every, None)
    )
    assert not np.array_equal(varied.predict_proba(clips[0]), plain.predict_proba(clips[0]))


@pytest.mark.parametrize(("augmentation", "message"), [
    ({"embedding_noise": {"sd": 1}}, r"augmentation\['embedding_noise'\] takes a dict of \['std'\]; got \{'sd': 1\}"),
    ({"embedding_noise": 3}, "takes a dict"),
    ({"embedding_noise": {"std": -1}}, "std must not be negative"),
    ({"embedding_masking": {"max_share": 7}}, "Shares must be"),
    ({"crop_and_patch": {"beta": 0}}, "beta must be above 0"),
    ({"time_crop": {"min_share": 0}}, "min_share must lie in"),
    ({"time_masking": {"max_share": 1.5}}, "TimeMasking needs"),
])  # fmt: skip
def test_settings_are_checked(augmentation, message):
    with pytest.raises(ValueError, match=message):
        make_augmentation(augmentation, branch=None, standardizer=None, n_classes=3)
