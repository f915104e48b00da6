"""Transformer encoder of log-STFT frames."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from skbst.nn._branches._clip_strip import ClipStrip
from skbst.nn._branches._frame_packing import FramePacking
from skbst.nn._dropout import Dropout
from skbst.nn._masking import check_bins, masked_mean, padding_mask


class LogSTFTTransformer(nn.Module):
    """Convolutional stem, pre-norm Transformer layers, mean over time.

    Convolutions over time with stride 2 each make one token of four frames (40 ms at a hop of 10 ms). Tokens are
    normalised, or the positions would drown them at first, and sinusoidal positions are added. ``n_layers`` times
    ``x = x + attention(norm(x))`` and ``x = x + feedforward(norm(x))`` follow, then a last norm and the mean over the
    valid tokens. The convolutions see zeros past a clip's end, and only valid tokens are computed.

    At the default sizes with 257 bins the module has 5,134,080 parameters and costs .72 G multiply-adds for a clip of
    501 frames.

    Parameters
    ----------
    n_bins : int, default=257
        Bins of a frame.

    d_model : int, default=256
        Size of a token, even; also `out_features`.

    n_layers : int, default=6
        Transformer layers.

    n_heads : int, default=4
        Attention heads; divides ``d_model``.

    d_feedforward : int, default=1024
        Hidden size of the feed-forward part.

    stem_stride : int, default=4
        Frames of a token, a power of 2: the stem has as many convolutions as it has factors.

    dropout : float in [0, 1), default=0.1
        Dropout of the tokens that enter and of what attention and feed-forward part add to them.

    Attributes
    ----------
    out_features : int
        Size of the output.

    References
    ----------
    A. Vaswani et al., "Attention is all you need", NeurIPS 2017, sections 3.2, 3.3, 3.5 and 5.4; R. Xiong et al., "On
    layer normalization in the Transformer architecture", ICML 2020 (pre-norm); report, section 2.1 (log-STFT branch).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import LogSTFTTransformer
    >>> branch = LogSTFTTransformer(257, d_model=32, n_layers=2, n_heads=2, d_feedforward=64)
    >>> branch(torch.randn(3, 501, 257), torch.tensor([501, 200, 1])).shape
    torch.Size([3, 32])
    """

    def __init__(
        self, n_bins=257, *, d_model=256, n_layers=6, n_heads=4, d_feedforward=1024, stem_stride=4, dropout=0.1
    ):
        super().__init__()
        self.n_bins = n_bins
        if stem_stride < 2 or stem_stride & (stem_stride - 1):
            raise ValueError(f"stem_stride must be 2 or a higher power of 2; got {stem_stride}.")
        if d_model % n_heads or d_model % 2:
            raise ValueError(f"d_model must be even and a multiple of n_heads; got {d_model} and {n_heads} heads.")
        widths = [n_bins] + [d_model] * (stem_stride.bit_length() - 2)
        self.stem = nn.ModuleList(_StridedConvolution(width, d_model) for width in widths)
        self.stem_stride = stem_stride
        self.token_norm = nn.LayerNorm(d_model)
        self.dropout = Dropout(dropout)
        self.layers = nn.ModuleList(_Layer(d_model, n_heads, d_feedforward, dropout) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model)
        self.out_features = d_model
        for layer in self.layers:
            layer.scale_residuals(1 / math.sqrt(2 * n_layers))

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
        tokens, packing = self._tokens(frames, lengths)
        positions = sinusoidal_positions(packing.n_frames, self.out_features, device=tokens.device, dtype=tokens.dtype)
        positions = packing.pack(positions.expand(len(frames), -1, -1))
        x = self.dropout(self.token_norm(tokens) + positions)
        for layer in self.layers:
            x = layer(x, packing)
        return masked_mean(packing.unpack(self.norm(x)), packing.mask)

    def _tokens(self, x, lengths):
        """Valid tokens as rows, clip after clip, and where they stand."""
        n_clips, strip = len(x), None
        if padding_mask(lengths, x.shape[1]) is not None:
            strip = ClipStrip(lengths, self.stem_stride)
            x = strip.pack(x)
        for convolution in self.stem:
            x = convolution(x)
            if strip is not None:
                strip = strip.pooled(2)
                x = x.masked_fill(~strip.mask.unsqueeze(2), 0.0)
        if strip is None:
            return x.flatten(0, 1), FramePacking(None, n_clips, x.shape[1])
        return x[strip.mask], FramePacking(strip.lengths, n_clips, int(strip.lengths.max()))


def sinusoidal_positions(n_positions, n_features, *, device=None, dtype=None):
    """Sines and cosines of the position at geometrically spaced wavelengths.

    ``p[t, i] = sin(t / 10000^(2i/n))`` for the first half of the features, cosines for the second.

    Parameters
    ----------
    n_positions : int
        Length of the sequence.

    n_features : int
        Size of a token, even.

    device : torch.device, default=None
        Where; torch's default if None.

    dtype : torch.dtype, default=None
        As what; torch's default if None.

    Returns
    -------
    positions : Tensor of shape (n_positions, n_features)
        In [-1, 1].

    Examples
    --------
    >>> from skbst.nn import sinusoidal_positions
    >>> sinusoidal_positions(2, 2)
    tensor([[0.0000, 1.0000],
            [0.8415, 0.5403]])
    """
    half = n_features // 2
    rates = torch.exp(torch.arange(half, device=device) * (-math.log(10000.0) / half))
    angles = torch.arange(n_positions, device=device).unsqueeze(1) * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1).to(dtype)


class _StridedConvolution(nn.Module):
    """Convolution over three frames, stride 2, then GELU; written as a matrix product because frames are rows."""

    def __init__(self, in_features, out_features):
        super().__init__()
        self.linear = nn.Linear(3 * in_features, out_features)

    def forward(self, x):
        x = F.pad(x, (0, 0, 1, x.shape[1] % 2))
        windows = torch.cat([x[:, 0:-2:2], x[:, 1:-1:2], x[:, 2::2]], dim=2)
        return F.gelu(self.linear(windows))


class _Layer(nn.Module):
    """Pre-norm self-attention and feed-forward network, each with its residual."""

    def __init__(self, d_model, n_heads, d_feedforward, dropout):
        super().__init__()
        self.n_heads = n_heads
        self.attention_norm = nn.LayerNorm(d_model)
        self.query_key_value = nn.Linear(d_model, 3 * d_model)
        self.attention_out = nn.Linear(d_model, d_model)
        self.feedforward_norm = nn.LayerNorm(d_model)
        self.feedforward_in = nn.Linear(d_model, d_feedforward)
        self.feedforward_out = nn.Linear(d_feedforward, d_model)
        self.dropout = Dropout(dropout)

    def scale_residuals(self, factor):
        """Shrink the layers that write to the residual stream, so that its variance does not grow with depth."""
        with torch.no_grad():
            self.attention_out.weight.mul_(factor)
            self.feedforward_out.weight.mul_(factor)

    def forward(self, x, packing):
        x = x + self.dropout(self._attend(self.attention_norm(x), packing))
        hidden = F.gelu(self.feedforward_in(self.feedforward_norm(x)))
        return x + self.dropout(self.feedforward_out(hidden))

    def _attend(self, x, packing):
        heads = packing.unpack(self.query_key_value(x))
        heads = heads.unflatten(2, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        key_mask = None if packing.mask is None else packing.mask[:, None, None, :]
        context = F.scaled_dot_product_attention(*heads, attn_mask=key_mask)
        return self.attention_out(packing.pack(context.transpose(1, 2).flatten(2)))
