"""Standardised copy and per-dimension scale of an embedding."""

from torch import nn


class InputScale(nn.BatchNorm1d):
    """Batch normalisation without weights that also tells the scale it divided by.

    L2-normalised CLAP vectors have a standard deviation of .044 in each dimension, other embeddings any. Gates need
    inputs near 1, and a learnt residual has to be as large as what it is added to, or the first steps of an optimiser
    drown the embedding.

    Parameters
    ----------
    n_features : int
        Size of the embedding.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn._fusion._input_scale import InputScale
    >>> normal, scale = InputScale(1)(torch.tensor([[-3.0], [3.0]]))
    >>> normal.flatten(), scale
    (tensor([-1.,  1.]), tensor([3.]))
    """

    def __init__(self, n_features):
        super().__init__(n_features, eps=1e-7, affine=False)

    def forward(self, x):
        """Standardise.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_features)
            Embeddings; at least 2 rows in training mode.

        Returns
        -------
        normal : Tensor of shape (n_clips, n_features)
            Mean 0, standard deviation 1: over the batch in training mode, by the running statistics otherwise.

        scale : Tensor of shape (n_features,)
            The standard deviation; no gradient flows through it.
        """
        normal = super().forward(x)
        var = x.detach().var(dim=0, correction=0) if self.training else self.running_var
        return normal, (var + self.eps).sqrt().to(x.dtype)
