"""Adapt the text embedding to the task through a highway gate."""

import torch
from torch import nn

from skbst.nn._fusion._input_scale import InputScale


class HighwayGateAdapter(nn.Module):
    """Gated residual refinement of an embedding.

    ``t' = t + s * g * dt`` with ``dt = W_2 gelu(W_1 t / s)`` and ``g = sigmoid(W_T t / s + b_T)``: equation (1) of the
    report with the transform gate of highway networks.

    ``s`` is the standard deviation of ``t`` per dimension (inside, ``t`` is centred too), so that gate and residual
    work in units of 1 whatever the scale of the embedding. ``W_2`` starts at zero: at its initial setting the module
    is exactly the identity.

    Parameters
    ----------
    n_features : int
        Size of the embedding.

    n_hidden : int, default=None
        Rows of ``W_1``; None takes ``n_features // 2``, at least 1.

    gate_bias : float, default=-2.0
        Initial ``b_T``; between -4 and -1 the embedding is carried through at first.

    dropout : float in [0, 1), default=0.1
        Dropout inside ``dt``, before ``W_2``.

    References
    ----------
    Report, section 2.1, eq. (1); R. K. Srivastava, K. Greff, J. Schmidhuber, "Highway networks", arXiv:1505.00387,
    2015, section 2 (transform gate) and 2.2 (negative bias).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import HighwayGateAdapter
    >>> t = torch.randn(4, 512)
    >>> torch.equal(HighwayGateAdapter(512)(t), t)
    True
    """

    def __init__(self, n_features, *, n_hidden=None, gate_bias=-2.0, dropout=0.1):
        super().__init__()
        n_hidden = n_hidden or max(n_features // 2, 1)
        self.input_scale = InputScale(n_features)
        self.inner = nn.Linear(n_features, n_hidden)
        self.activation = nn.GELU()
        self.dropout = nn.Dropout(dropout)
        self.outer = nn.Linear(n_hidden, n_features, bias=False)
        self.gate = nn.Linear(n_features, n_features)
        nn.init.constant_(self.gate.bias, gate_bias)
        nn.init.zeros_(self.outer.weight)
        self.out_features = n_features

    def forward(self, t):
        """Adapt.

        Parameters
        ----------
        t : Tensor of shape (n_clips, n_features)
            Embeddings.

        Returns
        -------
        t : Tensor, same shape
        """
        normal, scale = self.input_scale(t)
        residual = self.outer(self.dropout(self.activation(self.inner(normal))))
        return t + scale * torch.sigmoid(self.gate(normal)) * residual
