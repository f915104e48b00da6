"""Additive attention over time."""

import torch
from torch import nn

from skbst.nn._masking import padding_mask, zero_padding


class AttentionPooling(nn.Module):
    """Weighted mean over time whose weights are learnt from the frames.

    ``a_t = softmax_t(v' tanh(W h_t + b))`` over the valid frames, ``z = sum_t a_t h_t``.

    Parameters
    ----------
    n_features : int
        Size of a frame ``h_t``.

    n_hidden : int, default=64
        Rows of ``W``.

    References
    ----------
    D. Bahdanau, K. Cho, Y. Bengio, "Neural machine translation by jointly learning to align and translate", ICLR
    2015, appendix A.1.2, with a constant query; report, section 2.1 (log-Mel branch).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import AttentionPooling
    >>> pooling = AttentionPooling(8)
    >>> pooling(torch.ones(2, 5, 8), torch.tensor([5, 1])).shape
    torch.Size([2, 8])
    """

    def __init__(self, n_features, n_hidden=64):
        super().__init__()
        self.projection = nn.Linear(n_features, n_hidden)
        self.score = nn.Linear(n_hidden, 1, bias=False)

    def forward(self, x, lengths=None):
        """Pool over time.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_frames, n_features)
            Sequences.

        lengths : Tensor of shape (n_clips,), int, default=None
            Valid frames of each clip, at least 1; None means all.

        Returns
        -------
        z : Tensor of shape (n_clips, n_features)
        """
        mask = padding_mask(lengths, x.shape[1])
        x = zero_padding(x, mask)
        weights = self.weights(x, mask)
        return torch.bmm(weights.unsqueeze(1), x).squeeze(1)

    def weights(self, x, mask=None):
        """Attention of each frame; rows sum to 1 and padded frames get 0.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_frames, n_features)
            Sequences.

        mask : Tensor of shape (n_clips, n_frames), bool, default=None
            True where the frame is valid; None means everywhere.

        Returns
        -------
        weights : Tensor of shape (n_clips, n_frames)
        """
        scores = self.score(torch.tanh(self.projection(x))).squeeze(2)
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        return scores.softmax(dim=1)
