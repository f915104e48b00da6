"""Multi-dilated frequency dynamic convolution encoder of log-Mel frames."""

import math
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional as F

from skbst.nn._branches._clip_strip import ClipStrip
from skbst.nn._branches._frequency_dynamic_conv import MDFD_DILATIONS, FrequencyDynamicConv2d
from skbst.nn._branches._masked_batch_norm import MaskedBatchNorm2d
from skbst.nn._dropout import Dropout
from skbst.nn._masking import check_bins, padding_mask
from skbst.nn._pooling._attention_pooling import AttentionPooling


class LogMelMDFD(nn.Module):
    """Seven blocks of MDFD convolution, batch norm, context gating, dropout and mean pooling; then attention over time.

    A plain convolution makes the first channels. Each block mixes basis kernels by clip and frequency
    (`FrequencyDynamicConv2d`), normalises, gates itself by ``x * sigmoid(W x + b)``, drops and pools. What is left of
    the frequency axis is averaged and the frames are pooled by attention. The last block is undilated, as published:
    its frequency axis is shorter than a dilated kernel. Clips of different lengths run as one strip (`ClipStrip`), so
    that time goes into sound and not into padding.

    The default sizes are small enough for a CPU: 1,013,982 parameters and .25 G multiply-adds for a clip of 501 frames
    of 128 bins. ``LogMelMDFD(128, **LogMelMDFD.PUBLISHED)`` has the published ones: 16,049,868 parameters and 14.9 G.

    Parameters
    ----------
    n_bins : int, default=128
        Bins of a frame.

    widths : sequence of int, default=(11, 22, 44, 88, 88, 88, 88)
        Output channels of the blocks, multiples of 11.

    stem_channels : int, default=8
        Channels of the plain convolution in front.

    stem_stride : tuple of (int, int), default=(2, 2)
        Its stride over time and frequency.

    pooling : sequence of tuple of (int, int), default=((2, 2), (2, 2), (1, 2), (1, 2), (1, 2), (1, 2), (1, 1))
        Mean pooling over time and frequency after each block.

    dilations : sequence of sequences of int, default=MDFD_DILATIONS
        Dilations along frequency of the basis kernels of each dynamic branch.

    temperature : float, default=45.0
        Temperature of the kernel attention.

    dropout : float in [0, 1), default=0.2
        Dropout in each block.

    Attributes
    ----------
    out_features : int
        Size of the output, ``widths[-1]``.

    PUBLISHED : dict
        Keyword arguments of the published encoder.

    References
    ----------
    H. Nam, Y.-H. Park, "Pushing the limit of sound event detection with multi-dilated frequency dynamic convolution",
    arXiv:2406.13312, 2024; A. Miech, I. Laptev, J. Sivic, "Learnable pooling with context gating for video
    classification", arXiv:1706.06905, 2017, eq. (1); report, section 2.1 (log-Mel branch).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import LogMelMDFD
    >>> LogMelMDFD()(torch.randn(3, 101, 128), torch.tensor([101, 50, 1])).shape
    torch.Size([3, 88])
    """

    PUBLISHED: ClassVar[dict] = {
        "widths": (44, 88, 176, 352, 352, 352, 352),
        "stem_channels": 16,
        "stem_stride": (1, 1),
        "pooling": ((2, 2), (2, 2), (1, 2), (1, 2), (1, 2), (1, 2), (1, 2)),
        "dropout": 0.5,
    }

    def __init__(
        self,
        n_bins=128,
        *,
        widths=(11, 22, 44, 88, 88, 88, 88),
        stem_channels=8,
        stem_stride=(2, 2),
        pooling=((2, 2), (2, 2), (1, 2), (1, 2), (1, 2), (1, 2), (1, 1)),
        dilations=MDFD_DILATIONS,
        temperature=45.0,
        dropout=0.2,
    ):
        super().__init__()
        if len(widths) != len(pooling):
            raise ValueError(f"widths and pooling name {len(widths)} and {len(pooling)} blocks; they must be as many.")
        self.n_bins = n_bins
        self.stem = nn.Conv2d(1, stem_channels, 3, stride=stem_stride, padding=1, bias=False)
        self.blocks = nn.ModuleList()
        undilated = [[1] * len(branch) for branch in dilations]
        for i, (width, pool) in enumerate(zip(widths, pooling)):
            dilated = dilations if i < len(widths) - 1 else undilated
            in_channels = widths[i - 1] if i else stem_channels
            convolution = FrequencyDynamicConv2d(in_channels, width, dilations=dilated, temperature=temperature)
            self.blocks.append(_Block(convolution, width, pool, dropout))
        self.time_stride = math.prod([stem_stride[0], *(pool[0] for pool in pooling)])
        self.pooling = AttentionPooling(widths[-1])
        self.out_features = widths[-1]

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
        strip = None
        if padding_mask(lengths, frames.shape[1]) is not None:
            strip = ClipStrip(lengths, self.time_stride)
            frames = strip.pack(frames)
        x = self.stem(frames.unsqueeze(1))
        if strip is not None:
            strip = strip.pooled(self.stem.stride[0])
            x = x.masked_fill(~strip.mask[:, None, :, None], 0.0)
        for block in self.blocks:
            x, strip = block(x, strip)
        x = x.mean(dim=3).transpose(1, 2)
        return self.pooling(x) if strip is None else self.pooling(strip.unpack(x), strip.lengths)


class _Block(nn.Module):
    """Convolution, batch norm, context gating, dropout, mean pooling; zeros between clips stay zero throughout."""

    def __init__(self, convolution, n_channels, pool, dropout):
        super().__init__()
        self.convolution = convolution
        self.norm = MaskedBatchNorm2d(n_channels)
        self.gate = nn.Linear(n_channels, n_channels)
        self.dropout = Dropout(dropout)
        self.pool = pool

    def forward(self, x, strip):
        x = self.norm(self.convolution(x, strip), None if strip is None else strip.mask)
        x = self.dropout(x * torch.sigmoid(self._gate_scores(x)))
        x = mean_pool(x, self.pool, None if strip is None else strip.mask)
        return x, None if strip is None else strip.pooled(self.pool[0])

    def _gate_scores(self, x):
        """``W x + b`` at every point; as a batched product, several times faster than a 1x1 convolution on a CPU."""
        weight, bias = self.gate.weight.expand(len(x), -1, -1), self.gate.bias.unsqueeze(1)
        return torch.baddbmm(bias, weight, x.flatten(2)).view_as(x)


def mean_pool(x, window, mask=None):
    """Mean of the valid frames in each window.

    Parameters
    ----------
    x : Tensor of shape (n_clips, n_channels, n_frames, n_bins)
        Maps, zero in padded frames.

    window : tuple of (int, int)
        Frames and bins of a window. The last windows may be smaller.

    mask : Tensor of shape (n_clips, n_frames), bool, default=None
        True where the frame is valid; None means everywhere.

    Returns
    -------
    x : Tensor of shape (n_clips, n_channels, ceil(n_frames / window[0]), ceil(n_bins / window[1]))
        Zero in windows without a valid frame.
    """
    if window == (1, 1):
        return x
    x = F.avg_pool2d(x, window, ceil_mode=True, count_include_pad=False)
    if mask is None or window[0] == 1:
        return x
    share = F.avg_pool1d(mask.unsqueeze(1).to(x.dtype), window[0], ceil_mode=True, count_include_pad=False)
    return x * torch.where(share > 0, 1 / share, 0).unsqueeze(3)
