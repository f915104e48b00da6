"""Join an acoustic branch with the CLAP audio embedding."""

import torch
from torch import nn

from skbst.nn._fusion._input_scale import InputScale

_NORMS = {"batch": lambda n_features: nn.BatchNorm1d(n_features, eps=1e-7, affine=False), "layer": nn.LayerNorm}


class GatedResidualFusion(nn.Module):
    """Add what a branch has learnt to an embedding, dimension by dimension, through a gate.

    ``g = sigmoid(W_g [z_clap / s ; z_branch] + b)`` and ``z = z_clap + s * g * (W z_branch)``.

    ``s`` is the standard deviation of ``z_clap`` per dimension (in the gate, ``z_clap`` is centred too) and
    ``z_branch`` is standardised over clips, so that gate and residual work in units of 1 whatever the scale of
    embedding and branch. ``W`` starts at zero: at its initial setting the module is exactly the identity on ``z_clap``.
    Its first gradient goes to ``W``, and reaches the branch from the second step on.

    Parameters
    ----------
    n_embedding : int
        Size of the embedding.

    n_branch : int
        Size of the branch's output.

    gate_bias : float, default=-2.0
        Initial ``b``; -2 opens the gate to .12.

    branch_norm : {"batch", "layer"}, default="batch"
        What ``z_branch`` is standardised over: the clips of a batch (by running statistics in evaluation), or the
        dimensions of each clip. A mean of tokens is much the same for all clips: in log-STFT branches that had not
        begun to hear, clips differed from their mean by a two-hundredth of it. A layer norm leaves that as it is, and
        what tells clips apart is lost beside what they have in common (docs/guide/neural.rst).

    References
    ----------
    Report, section 2.1 and figure 1 (b).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import GatedResidualFusion
    >>> z_clap, z_branch = torch.randn(4, 512), torch.randn(4, 256)
    >>> fusion = GatedResidualFusion(512, 256)
    >>> torch.equal(fusion(z_clap, z_branch), z_clap)
    True
    """

    def __init__(self, n_embedding, n_branch, *, gate_bias=-2.0, branch_norm="batch"):
        super().__init__()
        self.embedding_scale = InputScale(n_embedding)
        self.branch_norm = _NORMS[branch_norm](n_branch)
        self.gate = nn.Linear(n_embedding + n_branch, n_embedding)
        self.projection = nn.Linear(n_branch, n_embedding, bias=False)
        nn.init.constant_(self.gate.bias, gate_bias)
        nn.init.zeros_(self.projection.weight)
        self.out_features = n_embedding

    def forward(self, z_clap, z_branch):
        """Fuse.

        Parameters
        ----------
        z_clap : Tensor of shape (n_clips, n_embedding)
            Embeddings.

        z_branch : Tensor of shape (n_clips, n_branch)
            Branch outputs.

        Returns
        -------
        z : Tensor of shape (n_clips, n_embedding)
        """
        normal, scale = self.embedding_scale(z_clap)
        z_branch = self.branch_norm(z_branch)
        gate = torch.sigmoid(self.gate(torch.cat([normal, z_branch], dim=1)))
        return z_clap + scale * gate * self.projection(z_branch)
