"""What is known of a clip before it is heard, as an input of the network."""

import torch
from torch import nn

__all__ = ["ClassPriorEmbedding"]

# Adam moves a number by the learning rate a step, and E starts at zero. With 1 an oracle was believed for .90 and .95
# of made clips after the 500 steps of 200 clips, with 10 and with 40 for all.
_STEP = 10.0


class ClassPriorEmbedding(nn.Module):
    r"""Embed a distribution over classes, for a layer that reads it beside the fused embedding, and as logits.

    .. math:: m = q'E, \qquad W [z ; m] + b = (W_z z + b) + W_m m, \qquad o = V m

    The layer that reads the fused embedding :math:`z` reads :math:`[z ; m]` instead. Its two halves are kept apart, the
    left one in the trunk and the right one here, so that nothing is rounded otherwise where m is zero. The logits
    :math:`o` are added to the head's: through a trunk that starts from nothing, on few clips, a prior is not heard (an
    oracle was believed for .66 of made clips, with logits of its own for all).

    ``E`` starts at zero, and a row of zeros (nothing is known) always has ``m = 0``: at first, and on such rows for
    ever, the network is the one without a prior, to the bit. The first gradient goes to ``E``, and reaches ``W_m`` and
    ``V`` from the second step.

    Parameters
    ----------
    n_prior : int
        Width of the prior, one column a class.

    n_classes : int
        Number of second-level classes.

    n_fused : int
        Width of the layer that reads the fused embedding; ``fused_features`` of `HATR`.

    n_embedding : int, default=32
        Width of ``m``.

    References
    ----------
    "m = q'E, concatenated": a language model's class probabilities in the systems that won Task 1 of the DCASE 2026
    Challenge; the zeros and the logits are ours.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import ClassPriorEmbedding
    >>> beside, logits = ClassPriorEmbedding(23, 23, 256)(torch.full((2, 23), 1 / 23))
    >>> beside.shape, logits.shape, bool(beside.any() or logits.any())
    (torch.Size([2, 256]), torch.Size([2, 23]), False)
    """

    def __init__(self, n_prior, n_classes, n_fused, *, n_embedding=32):
        super().__init__()
        self.embedding = nn.Parameter(torch.zeros(n_prior, n_embedding))
        self.projection = nn.Linear(n_embedding, n_fused, bias=False)
        self.classifier = nn.Linear(n_embedding, n_classes, bias=False)

    def forward(self, q):
        """Embed.

        Parameters
        ----------
        q : Tensor of shape (n_clips, n_prior)
            Rows sum to 1, or are 0 where nothing is known.

        Returns
        -------
        beside : Tensor of shape (n_clips, n_fused)
            What is added to the output of the layer that reads the fused embedding.

        logits : Tensor of shape (n_clips, n_classes)
            What is added to the second-level logits.
        """
        m = _STEP * (q @ self.embedding)
        return self.projection(m), self.classifier(m)
