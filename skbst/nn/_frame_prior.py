"""What a kernel model of the frames says, before the network."""

import math

import torch
from torch import nn

from skbst.nn._branches._frame_standardizer import FrameStandardizer
from skbst.nn._linear_prior import LinearPrior
from skbst.nn._pooling._frame_statistics import FrameStatistics

# of the kernel, for statistics of deviation 1 and divided by their number; .25 and 1 are level (docs/guide/neural.rst)
_GAMMA = 0.5
# cosines and sines; with 512 MFCC alone loses two points of hF there
_N_FEATURES = 1024
# standard deviations, as in `AudioStatisticsFeaturizer`: no single number takes a sound away from all others
_LARGEST = 5.0


class FramePrior(nn.Module):
    r"""Class log-probabilities of a kernel model of frame statistics, times its weight.

    On few clips a convex model of means, deviations and modulation of the frames and of the envelope hears more than a
    branch that learns from nothing. The statistics are standardised, a fixed random map takes them to where inner
    products are about :math:`\exp(-\gamma \lVert x - x' \rVert^2)`, and a linear model reads that. As in `LinearPrior`
    its parameters are solved elsewhere, and all zero in a new module.

    Parameters
    ----------
    n_bins : int
        Bins of a frame.

    n_classes : int
        Number of second-level classes.

    Attributes
    ----------
    statistics : Module
        Takes (standardised frames, lengths) and gives one row of numbers per clip.

    standardizer : FrameStandardizer
        Of these rows; learns by `update`.

    linear : LinearPrior
        The model of what `features` gives, the embedding "frames".

    References
    ----------
    A. Rahimi and B. Recht, "Random features for large-scale kernel machines", NIPS 2007.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import FramePrior
    >>> prior = FramePrior(13, 2)
    >>> prior.statistics(torch.randn(1, 501, 13), torch.tensor([501])).shape
    torch.Size([1, 140])
    >>> prior(torch.randn(1, 501, 13), torch.tensor([501]))
    tensor([[0., 0.]])
    """

    def __init__(self, n_bins, n_classes):
        super().__init__()
        self.statistics = FrameStatistics(n_bins)
        n_statistics = self.statistics.out_features
        self.standardizer = FrameStandardizer(n_statistics)
        # the same for every seed of a network: what it adds is no reason for two fits to differ
        frequencies = torch.randn(n_statistics, _N_FEATURES // 2, generator=torch.Generator().manual_seed(0))
        self.register_buffer("frequencies", frequencies * math.sqrt(2 * _GAMMA / n_statistics))
        self.linear = LinearPrior(None, None, n_classes, others={"frames": _N_FEATURES})

    def features(self, statistics):
        """Return rows of length 1, of shape (n_clips, 1024).

        Parameters
        ----------
        statistics : Tensor of shape (n_clips, n_statistics)
            As `statistics` gives them.
        """
        rows = self.standardizer(statistics[:, None])[:, 0].clamp(-_LARGEST, _LARGEST)
        angles = rows @ self.frequencies
        return torch.cat([angles.cos(), angles.sin()], dim=1) / math.sqrt(_N_FEATURES // 2)

    def forward(self, frames, lengths):
        """Return the weighted log-probabilities of shape (n_clips, n_classes).

        Parameters
        ----------
        frames : Tensor of shape (n_clips, n_frames, n_bins)
            Standardised frames.

        lengths : Tensor of shape (n_clips,), int
            Valid frames of each clip, at least 1.
        """
        return self.linear(frames=self.features(self.statistics(frames, lengths)))
