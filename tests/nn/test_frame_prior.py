"""Statistics of frames, against loops over each clip, and the linear model of them."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.fft import dct

from skbst.nn import (
    HATR,
    BaselineHead,
    BranchHead,
    ClipNet,
    FramePrior,
    FrameStandardizer,
    LinearPrior,
    MFCCResidualTDNN,
)


def described(frames):
    """The statistics of one clip, (n_frames, n_bins) float64, by definition."""
    n_frames, n_bins = frames.shape
    x = frames if n_bins <= 20 else dct(frames, axis=1, norm="ortho")[:, :20]
    mean = x.mean(axis=0)
    steps = np.abs(np.diff(x, axis=0)).mean(axis=0) if n_frames > 1 else np.zeros(x.shape[1])
    numbers = [mean, np.log(x.std(axis=0) + 0.05), np.log(steps + 0.02)]
    power = np.abs(np.fft.rfft(x - mean, 512, axis=0)) ** 2 / n_frames
    frequency = np.fft.rfftfreq(512)
    edges = (0.003, 0.01, 0.02, 0.04, 0.08, 0.13, 0.22, 0.5)
    bands = [power[(frequency >= low) & (frequency < high)].mean(axis=0) for low, high in pairwise(edges)]
    return np.concatenate([*numbers, *(np.log(band + 0.01) for band in bands), envelope(x[:, 0]), [np.log(n_frames)]])


def envelope(level):
    below, rises = level.max() - level, (np.diff(level) > 0.5).sum()
    near = [(below < distance).mean() for distance in (0.5, 1, 2)]
    middle = np.sort(below)[(len(level) - 1) // 2]
    rate = rises / max(len(level) - 1, 1)
    return [level.argmax() / len(level), *near, np.log1p(rises), rate, middle, below[0], below[-1]]


@pytest.mark.parametrize("n_bins", [13, 20, 64])
def test_statistics_are_those_of_each_clip_by_itself(n_bins):
    generator = torch.Generator().manual_seed(0)
    frames, lengths = torch.randn(5, 40, n_bins, generator=generator), torch.tensor([40, 17, 5, 2, 1])
    statistics = FramePrior(n_bins, 2).statistics
    found = statistics(frames, lengths)
    assert found.shape == (5, statistics.out_features)
    for row, clip, length in zip(found, frames, lengths):
        np.testing.assert_allclose(row, described(clip[:length].double().numpy()), atol=2e-4)
    # whatever stands past the end
    mask = torch.arange(40) < lengths[:, None]
    padded = torch.nn.functional.pad(torch.where(mask[:, :, None], frames, torch.nan), (0, 0, 0, 30), value=9.0)
    torch.testing.assert_close(statistics(padded, lengths), found)


def test_clips_longer_than_the_shortest_transform_are_described_whole():
    frames = torch.zeros(1, 2000, 1)
    frames[0, 1800:, 0] = torch.sin(torch.arange(200.0))
    bands = FramePrior(1, 2).statistics(frames, torch.tensor([2000]))[0, 3:10]
    assert bands.argmax() == 5  # a cycle of 2 pi frames: .159 of a cycle a frame


def test_the_network_adds_what_it_says_and_training_what_stands_in_for_it():
    torch.manual_seed(0)
    branch, frame_prior, prior = MFCCResidualTDNN(6, n_channels=4), FramePrior(6, 3), LinearPrior(None, 5, 3)
    parts = {"branch": branch, "standardizer": FrameStandardizer(6), "branch_head": BranchHead(8, 3)}
    net = ClipNet(
        HATR(None, 5, width=8, n_blocks=1),
        BaselineHead(4, 3),
        late_fusion=True,
        prior=prior,
        frame_prior=frame_prior,
        **parts,
    ).eval()
    text, frames, lengths = torch.randn(2, 5), torch.randn(2, 12, 6), torch.tensor([12, 4])
    silent = net(text=text, frames=frames, lengths=lengths)
    model = frame_prior.linear.models["frames"]
    torch.nn.init.normal_(model.weight)
    model.share.fill_(0.5)
    own = net(text=text, frames=frames, lengths=lengths) - silent
    torch.testing.assert_close(own, frame_prior(frames, lengths))
    assert own.abs().max() > 0.1
    # without frames nothing is added, and the answers of others stand in for all linear models
    torch.testing.assert_close(net(text=text), silent)
    told = net(text=text, frames=frames, lengths=lengths, prior=torch.ones(2, 3))
    torch.testing.assert_close(told, silent + 1)
