"""What linear models of the embeddings say, before the network."""

import math

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["LinearPrior"]


class LinearPrior(nn.Module):
    r"""Class log-probabilities of one linear model per embedding, joined with a weight each.

    .. math::

        \log p(c) = \sum_v s_v \max\bigl(\log \mathrm{softmax}_c(W_v \bar x_v + b_v),\ \log \epsilon\bigr),
        \quad \bar x = x / \lVert x \rVert

    On few clips a linear model of good embeddings is hard to beat, and a dozen layers take thousands of steps to find
    it. A network that adds to these numbers has to learn only what they miss. An embedding of zeros is missing: its
    model says nothing of the clip, and the others speak with its weight as well, so that they stand to what the network
    adds as ever; `certainty` tells how much too sure that is. Nothing here is trained by gradients: the parameters ask
    for none, are solved elsewhere, and all zero in a new module.

    Parameters
    ----------
    n_audio, n_text : int or None
        Widths of the embeddings; None leaves one out.

    n_classes : int
        Number of second-level classes.

    others : mapping of str to int, default=None
        Names and widths of more embeddings.

    unit_length : bool, default=True
        Whether each embedding is divided by its norm first.

    min_proba : float, default=1e-4
        The least a model may say of a class, epsilon above; so no model can rule a class out.

    References
    ----------
    Wolpert, "Stacked generalization", Neural Networks 5, 1992; Ting and Witten, "Issues in stacked generalization",
    JAIR 10, 1999 (weights that are not negative).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import LinearPrior
    >>> prior = LinearPrior(4, None, 2)
    >>> prior(torch.ones(1, 4))
    tensor([[0., 0.]])
    >>> _ = prior.models["audio"].weight.copy_(torch.eye(2, 4)), prior.models["audio"].share.fill_(1.0)
    >>> prior(torch.tensor([[3.0, 0.0, 4.0, 0.0]])).exp()
    tensor([[0.6457, 0.3543]])
    """

    def __init__(self, n_audio, n_text, n_classes, *, others=None, unit_length=True, min_proba=1e-4):
        super().__init__()
        widths = {"audio": n_audio, "text": n_text, **(others or {})}
        self.models = nn.ModuleDict(
            {name: _LinearModel(width, n_classes) for name, width in widths.items() if width is not None}
        )
        self.unit_length = unit_length
        self.lowest = math.log(min_proba)

    def forward(self, audio=None, text=None, **others):
        """Return the weighted log-probabilities of shape (n_clips, n_classes); `others` are embeddings by name."""
        given = {"audio": audio, "text": text, **others}
        return self.join({name: self.log_proba(name, given[name]) for name in self.models}, self._there(given))

    def join(self, answers, there):
        """Weigh the answers of the models.

        Parameters
        ----------
        answers : dict of str to Tensor of shape (n_clips, n_classes)
            Log-probabilities of each model.

        there : dict of str to Tensor of shape (n_clips,), bool
            Which clips have the embedding. Of a clip that has none, the models say what they say of zeros.

        Returns
        -------
        log_proba : Tensor of shape (n_clips, n_classes)
        """
        weights, _ = self._weights(there)
        return sum(weights[:, i, None] * answers[name] for i, name in enumerate(self.models))

    def certainty(self, audio=None, text=None, **others):
        """Return how sure to be of the network's answer, of shape (n_clips, 1), in [0, 1]; arguments as in `forward`.

        1 where no embedding is missing. Elsewhere the weight that the models would have without those that are missing
        to the weight of all: scores times this number are as sure as the models that are left, and as right.
        """
        weights, as_ever = self._weights(self._there({"audio": audio, "text": text, **others}))
        alone = torch.minimum(weights, self._stacked("lone_share")).sum(dim=1, keepdim=True)
        total = self._stacked("share").sum().clamp(min=torch.finfo(alone.dtype).tiny)
        return torch.where(as_ever, 1.0, alone / total)

    def _there(self, given):
        return {name: given[name].any(dim=-1) for name in self.models}

    def _stacked(self, number):
        return torch.stack([getattr(model, number) for model in self.models.values()])

    def _weights(self, there):
        """Weight of each model for each clip, and for which clips all speak with their shares."""
        there, shares = torch.stack([there[name] for name in self.models], dim=1), self._stacked("share")
        counted = there * shares
        # where those that count are missing, the others count by what they are worth without them
        lone_shares = self._stacked("lone_share").nan_to_num(posinf=0.0)
        counted = torch.where(counted.any(dim=1, keepdim=True), counted, there * lone_shares)
        heard = counted.sum(dim=1, keepdim=True)
        as_ever = there.all(dim=1, keepdim=True) | (heard == 0)
        louder = shares.sum() / heard.clamp(min=torch.finfo(heard.dtype).tiny)
        return torch.where(as_ever, shares, louder * counted), as_ever

    def log_proba(self, name, x):
        """Log-probabilities of the model of one embedding, before its weight; same arguments as `forward`."""
        model = self.models[name]
        x = F.normalize(x, dim=-1) if self.unit_length else x
        return F.linear(x, model.weight, model.bias).log_softmax(dim=-1).clamp(min=self.lowest)


class _LinearModel(nn.Module):
    """Parameters of one model, without gradients."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        sizes = {"weight": (n_classes, n_features), "bias": (n_classes,), "share": ()}
        for name, size in sizes.items():
            self.register_parameter(name, nn.Parameter(torch.zeros(size), requires_grad=False))
        self.register_buffer("lone_share", torch.zeros(()))

    def _load_from_state_dict(self, state_dict, prefix, *arguments):
        # networks saved before it was known leave all of the others' weight to what is there
        state_dict.setdefault(prefix + "lone_share", torch.full_like(self.lone_share, torch.inf))
        super()._load_from_state_dict(state_dict, prefix, *arguments)
