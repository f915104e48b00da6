import copy

import numpy as np
import pytest
import torch

from skbst.nn import FrameStandardizer, length_mask


@pytest.fixture
def frames():
    generator = torch.Generator().manual_seed(0)
    lengths = torch.tensor([9, 1, 4, 7, 3])
    x = torch.randn(5, 9, 4, generator=generator) * torch.tensor([1.0, 20.0, 0.1, 0.0]) + torch.tensor([0, -60, 5, 3])
    x[~length_mask(lengths, 9)] = float("nan")
    return x, lengths


def test_statistics_are_those_of_the_valid_frames(frames):
    x, lengths = frames
    rows = np.concatenate([clip[:n].numpy() for clip, n in zip(x, lengths)]).astype(np.float64)
    standardizer = FrameStandardizer(4).update(x, lengths)
    np.testing.assert_allclose(standardizer.mean, rows.mean(0), rtol=1e-6)
    np.testing.assert_allclose(standardizer.std, rows.std(0), rtol=1e-6, atol=1e-6)
    assert standardizer.n_frames_seen == lengths.sum()


def test_any_split_into_batches_gives_the_same_statistics(frames):
    x, lengths = frames
    whole, parts = FrameStandardizer(4).update(x, lengths), FrameStandardizer(4)
    for rows in ([0], [1, 2], [3, 4]):
        parts.update(x[rows], lengths[rows])
    torch.testing.assert_close(parts.mean, whole.mean)
    torch.testing.assert_close(parts.std, whole.std)


def test_many_batches_of_far_off_values_lose_no_precision():
    x = 1000.0 + torch.randn(400, 10, 1, generator=torch.Generator().manual_seed(0))
    standardizer = FrameStandardizer(1)
    for batch in x.split(2):
        standardizer.update(batch)
    np.testing.assert_allclose(standardizer.std.item(), x.double().std(correction=0).item(), rtol=1e-4)


def test_output_has_mean_0_std_1_and_zeros_past_the_length(frames):
    x, lengths = frames
    mask = length_mask(lengths, 9)
    y = FrameStandardizer(4).update(x, lengths)(x, lengths)
    assert not y[~mask].any()
    torch.testing.assert_close(y[mask].mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    # the last bin is constant: centred, not scaled
    torch.testing.assert_close(y[mask].std(0, correction=0), torch.tensor([1.0, 1.0, 1.0, 0.0]), atol=1e-5, rtol=0)


def test_identity_before_any_update():
    x = torch.randn(2, 3, 4)
    torch.testing.assert_close(FrameStandardizer(4)(x), x)


def test_set_statistics_takes_numpy():
    standardizer = FrameStandardizer(2).set_statistics(np.array([1.0, 2.0]), [2.0, 4.0])
    assert standardizer(torch.tensor([[[3.0, 6.0]]])).tolist() == [[[1.0, 1.0]]]


def test_state_dict_carries_the_statistics_and_update_goes_on(frames):
    x, lengths = frames
    first = FrameStandardizer(4).update(x[:2], lengths[:2])
    second = FrameStandardizer(4)
    second.load_state_dict(first.state_dict())
    third = copy.deepcopy(second).update(x[2:], lengths[2:])
    torch.testing.assert_close(third.std, FrameStandardizer(4).update(x, lengths).std)
    assert not list(first.parameters())


def test_an_empty_batch_changes_nothing(frames):
    x, lengths = frames
    standardizer = FrameStandardizer(4).update(x, lengths)
    before = standardizer.std.clone()
    standardizer.update(x[:0], lengths[:0]).update(x[:1], torch.tensor([0]))
    assert torch.equal(standardizer.std, before)
