"""Dropout that spends fewer random numbers on a CPU."""

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["Dropout"]

_LEVELS = 1 << 16


class Dropout(nn.Dropout):
    """`torch.nn.Dropout`, with four masks from each 64-bit draw on a CPU.

    There the generator is most of the cost of dropout, and dropout up to a fifth of a training step. The probability is
    rounded to a multiple of 2^-16 and survivors are scaled by the inverse of the rounded one. Other devices, and
    compiled graphs, take torch's own.

    Parameters
    ----------
    p : float in [0, 1), default=0.1
        Probability that an element becomes zero.

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import Dropout
    >>> _ = torch.manual_seed(0)
    >>> Dropout(0.5)(torch.ones(1000)).unique()
    tensor([0., 2.])
    """

    def __init__(self, p=0.1):
        super().__init__(p)

    def forward(self, x):
        """Drop.

        Parameters
        ----------
        x : Tensor
            Any shape.

        Returns
        -------
        x : Tensor, same shape
            As it came in eval mode.
        """
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu" or torch.compiler.is_compiling():
            return F.dropout(x, self.p)
        return x * _keep_mask(x, self.p)


def _keep_mask(x, p):
    """Zeros with probability p and ``1 / (1 - p)`` elsewhere, with the shape and dtype of x."""
    n_dropped = min(round(p * _LEVELS), _LEVELS - 1)
    draws = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    draws = draws.view(torch.int16)[: x.numel()].view(x.shape)
    keep = torch.empty(x.shape, dtype=x.dtype)
    torch.ge(draws, n_dropped - _LEVELS // 2, out=keep)
    return keep.mul_(_LEVELS / (_LEVELS - n_dropped))
