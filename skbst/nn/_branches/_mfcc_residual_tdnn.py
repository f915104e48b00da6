"""Residual time-delay network over MFCC frames."""

import torch
from torch import nn
from torch.nn import functional as F

from skbst.nn._branches._frame_packing import FramePacking
from skbst.nn._dropout import Dropout
from skbst.nn._masking import check_bins, trim_padding
from skbst.nn._pooling._mean_max_pooling import MeanMaxPooling


class MFCCResidualTDNN(nn.Module):
    """Time-delay network with residual blocks of growing dilation and mean-max pooling.

    A convolution over five frames, blocks ``y = x + dropout(relu(BN(conv(x))))`` over three frames at dilations 1, 2, 3
    and 4, a 1x1 aggregation, then the mean and the maximum over time side by side. Each output frame sees 25 input
    frames. Only valid frames are computed and enter the batch statistics; convolutions see zeros past a clip's end.

    At the default sizes with 13 coefficients the module has 222,848 parameters and costs .11 G multiply-adds for a clip
    of 501 frames.

    Parameters
    ----------
    n_bins : int, default=13
        Coefficients of a frame.

    n_channels : int, default=128
        Width of the network.

    dilations : sequence of int, default=(1, 2, 3, 4)
        Dilation of each residual block.

    n_aggregated : int, default=None
        Width after the aggregation; None takes ``n_channels``.

    dropout : float in [0, 1), default=0.1
        Dropout in the residual blocks.

    Attributes
    ----------
    out_features : int
        Size of the output, ``2 * n_aggregated``.

    References
    ----------
    D. Snyder et al., "X-vectors: robust DNN embeddings for speaker recognition", ICASSP 2018, table 1; B. Desplanques,
    J. Thienpondt, K. Demuynck, "ECAPA-TDNN", Interspeech 2020 (residual blocks, dilations 2, 3, 4); report, section 2.1
    (MFCC branch).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import MFCCResidualTDNN
    >>> branch = MFCCResidualTDNN(13, n_channels=16)
    >>> branch(torch.randn(3, 501, 13), torch.tensor([501, 200, 1])).shape
    torch.Size([3, 32])
    """

    def __init__(self, n_bins=13, *, n_channels=128, dilations=(1, 2, 3, 4), n_aggregated=None, dropout=0.1):
        super().__init__()
        self.n_bins = n_bins
        n_aggregated = n_aggregated or n_channels
        self.stem = _TimeDelayLayer(n_bins, n_channels, (-2, -1, 0, 1, 2))
        self.blocks = nn.ModuleList(_TimeDelayLayer(n_channels, n_channels, (-d, 0, d)) for d in dilations)
        self.dropout = Dropout(dropout)
        self.aggregation = _TimeDelayLayer(n_channels, n_aggregated, (0,))
        self.pooling = MeanMaxPooling()
        self.out_features = 2 * n_aggregated

    def forward(self, frames, lengths=None):
        """Encode.

        Parameters
        ----------
        frames : Tensor of shape (n_clips, n_frames, n_bins)
            Standardised frames.

        lengths : Tensor of shape (n_clips,), int, default=None
            Valid frames of each clip, at least 1; None means all.

        Returns
        -------
        z : Tensor of shape (n_clips, out_features)
        """
        check_bins(self, frames, self.n_bins)
        frames = trim_padding(frames, lengths)
        packing = FramePacking(lengths, *frames.shape[:2])
        x = self.stem(packing.pack(frames), packing)
        for block in self.blocks:
            x = x + self.dropout(block(x, packing))
        return self.pooling(packing.unpack(self.aggregation(x, packing)), lengths)


class _TimeDelayLayer(nn.Module):
    """Convolution over the frames at some distances in time, batch norm, ReLU; on packed rows."""

    def __init__(self, in_features, out_features, offsets):
        super().__init__()
        self.offsets = offsets
        self.linear = nn.Linear(len(offsets) * in_features, out_features, bias=False)
        self.norm = nn.BatchNorm1d(out_features)

    def forward(self, x, packing):
        if len(self.offsets) > 1:
            index = packing.neighbours(self.offsets, x.device)
            x = F.pad(x, (0, 0, 0, 1)).index_select(0, index.flatten()).view(len(x), -1)
        return torch.relu(self.norm(self.linear(x)))
