"""The whole network of a clip: branch, fusion, adapter, trunk and head."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from skbst.nn._heads._hierarchy import log_aggregate_to_top

__all__ = ["ClipNet"]


class ClipNet(nn.Module):
    """Assemble trunk, head and, where asked for, acoustic branch and text adapter.

    Parameters
    ----------
    trunk : Module
        Takes (audio, text) embeddings, either of which may be None, and more by name where there are any, and gives the
        latent vector; see `HATR`.

    head : Module
        Takes the latent vector and gives second-level logits, or a pair (second-level, top-level).

    standardizer : Module, default=None
        Takes (frames, lengths) and gives standardised frames.

    branch : Module, default=None
        Takes (frames, lengths) and gives one vector per clip.

    fusion : Module, default=None
        Takes (audio embedding, branch vector) and gives the audio embedding enriched; without it the branch vector
        stands in the place of an audio embedding, as the sound's only view.

    adapter : Module, default=None
        Takes the text embedding and gives it adapted.

    prior : Module, default=None
        Takes the embeddings as the trunk does, but as they come, and gives log-probabilities that are added to the
        second-level logits and, summed up by top level, to the top-level ones; its ``certainty`` scales all logits of
        a clip without an embedding. See `LinearPrior`.

    frame_prior : Module, default=None
        Takes (frames, lengths) as the branch does, and gives log-probabilities that are added to those of the prior;
        see `FramePrior`.

    branch_head : Module, default=None
        Takes the branch vector and gives logits that are added to those of the prior, or of the head alone where there
        is none. See `BranchHead`.

    class_prior : Module, default=None
        Takes what is known of the class of a clip before it is heard and the latent vector, and gives what is added to
        the second-level logits; see `ClassPriorEmbedding`.

    late_fusion : bool, default=False
        Whether the branch is an expert of its own: it enriches no embedding and stands in the place of none, and its
        logits are added times ``branch_share``, a number that gradients do not reach. In training beside a frozen
        trunk its logits are all that the network gives, so that it learns from every clip, and not only from those
        that the other views get wrong.

    References
    ----------
    Report, figure 1 (a).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import HATR, BaselineHead, ClipNet
    >>> net = ClipNet(HATR(512, 512), BaselineHead(64, 23)).eval()
    >>> net(audio=torch.zeros(2, 512), text=torch.zeros(2, 512)).shape
    torch.Size([2, 23])
    >>> sum(p.numel() for p in net.parameters())
    7319513
    """

    def __init__(
        self,
        trunk,
        head,
        *,
        standardizer=None,
        branch=None,
        fusion=None,
        adapter=None,
        prior=None,
        frame_prior=None,
        branch_head=None,
        class_prior=None,
        late_fusion=False,
    ):
        super().__init__()
        if branch_head is not None and branch is None:
            raise ValueError("A branch head needs a branch, whose vector it reads.")
        if late_fusion and (branch_head is None or fusion is not None):
            raise ValueError("Late fusion needs a branch head, and no other fusion.")
        self.standardizer = standardizer
        self.branch = branch
        self.fusion = fusion
        self.adapter = adapter
        self.trunk = trunk
        self.head = head
        self.prior = prior
        self.frame_prior = frame_prior
        self.branch_head = branch_head
        self.class_prior = class_prior
        self.late_fusion = late_fusion
        if late_fusion:
            self.register_buffer("branch_share", torch.ones(()))
        self._trunk_is_frozen = False
        self._adapter_waits = False

    def freeze_trunk(self, frozen=True):
        """Keep trunk and head as they are, or let them learn again.

        Frozen they ask for no gradients, and batch normalisation neither changes the statistics that it has nor leaves
        them in training mode. The prior never learns by gradients.
        """
        self._trunk_is_frozen = frozen
        for part in self._trunk_parts():
            part.requires_grad_(not frozen)
        self.train(self.training)

    def hold_adapter(self, held=True):
        """Leave the adapter out, or let it join: held it neither learns nor draws from the generator.

        So a network whose adapter joins late is until then, to the bit, the one without.
        """
        self._adapter_waits = held
        if self.adapter is not None:
            self.adapter.requires_grad_(not held)

    def train(self, mode=True):
        """Set training mode as in any module, but for the batch norms of a frozen trunk."""
        super().train(mode)
        if self._trunk_is_frozen:
            for module in (module for part in self._trunk_parts() for module in part.modules()):
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def _trunk_parts(self):
        return (self.trunk, self.head)

    def embed(self, audio=None, text=None, frames=None, lengths=None, **others):
        """Return the latent vectors before the head, of shape (batch, trunk.out_features).

        Parameters
        ----------
        audio, text : tensor of shape (batch, n_features), default=None
            Embeddings.

        frames : tensor of shape (batch, n_frames, n_bins), default=None
            Spectral frames; raw values where there is a standardizer. None leaves the branch out: the audio embedding
            passes as it is, which is what the fusion does at its initial setting.

        lengths : tensor of shape (batch,), int64, default=None
            How many of the first frames are sound, in [1, n_frames]; None means all.

        **others : tensor of shape (batch, n_features)
            More embeddings by name, which neither branch nor adapter touch.
        """
        frames, lengths = self.standardised(frames, lengths)
        return self._embed(audio, text, self._hear(frames, lengths), others)

    def standardised(self, frames, lengths):
        """Return frames and lengths as branch and frame prior take them; a pair of None where the branch is left out.

        Parameters
        ----------
        frames, lengths : tensor or None
            As in `embed`.
        """
        if self.branch is None or frames is None:
            return None, None
        if lengths is None:
            lengths = frames.new_full((len(frames),), frames.shape[1], dtype=int)
        return frames if self.standardizer is None else self.standardizer(frames, lengths), lengths

    def _hear(self, frames, lengths):
        return None if frames is None else self.branch(frames, lengths)

    def _embed(self, audio, text, z_branch, others):
        if z_branch is not None and not self.late_fusion:
            audio = z_branch if self.fusion is None else self.fusion(audio, z_branch)
        if self.adapter is not None and not self._adapter_waits:
            text = self.adapter(text)
        return self.trunk(audio, text, **others)

    def forward(self, audio=None, text=None, frames=None, lengths=None, prior=None, class_prior=None, **others):
        """Return what the head gives: logits, or a pair of them; same arguments as `embed`.

        Parameters
        ----------
        audio, text, frames, lengths : tensor, default=None
            As in `embed`.

        prior : tensor of shape (batch, n_classes), default=None
            What stands in for the answers of the prior and the frame prior. In training it must be that of priors which
            have not seen the clip, or the network learns to trust them too much.

        class_prior : tensor of shape (batch, n_prior), default=None
            What is known of the class: rows sum to 1, or are 0 where nothing is known. None: nothing is known of any.
            It comes from outside and is an input; `prior` is an answer of the network's own linear models.

        **others : tensor
            As in `embed`.
        """
        return self.embed_forward(audio, text, frames, lengths, prior, class_prior, **others)[1]

    def embed_forward(self, audio=None, text=None, frames=None, lengths=None, prior=None, class_prior=None, **others):
        """Return what `embed` and `forward` give, in one pass; same arguments as `forward`."""
        frames, lengths = self.standardised(frames, lengths)
        z_branch = self._hear(frames, lengths)
        latent = self._embed(audio, text, z_branch, others)
        output = self.head(latent)
        if self.training and self._trunk_is_frozen and self.late_fusion and z_branch is not None:
            return latent, self.in_form_of(output, self.branch_head(z_branch))
        if prior is None:
            prior = self._linear_answer(audio, text, frames, lengths, others)
        scores = self._scores(prior, z_branch)
        output = output if scores is None else self._add(output, scores)
        if self.prior is not None:
            output = _times(self.prior.certainty(audio, text, **others), output)
        return latent, output if class_prior is None else self.told(latent, output, class_prior)

    def told(self, latent, output, class_prior):
        """Return the output with what is known of the class; only the class prior's own numbers learn from it.

        Parameters
        ----------
        latent, output : tensor, or tuple of tensor
            What `embed_forward` gives without a class prior.

        class_prior : tensor of shape (batch, n_prior)
            As in `forward`.
        """
        if self.class_prior is None:
            return output
        scores = self.class_prior(class_prior, latent)
        if not isinstance(output, tuple):
            return output.detach() + scores
        leaf, top = (level.detach() for level in output)
        parents = self.head.parent_of_leaf
        # beside scores of zero, which leave the top level as it is
        none = log_aggregate_to_top(torch.zeros_like(scores), parents, top.shape[1])
        return leaf + scores, top + (log_aggregate_to_top(scores, parents, top.shape[1]) - none)

    def in_form_of(self, output, scores):
        """Return scores of the classes as if they were all that the network says.

        Parameters
        ----------
        output : tensor, or tuple of tensor
            What the head gives; its form alone counts.

        scores : tensor of shape (batch, n_classes)
            Of the second-level classes.
        """
        nothing = tuple(map(torch.zeros_like, output)) if isinstance(output, tuple) else 0
        return self._add(nothing, scores)

    def _linear_answer(self, audio, text, frames, lengths, others):
        """Weighted log-probabilities of the linear models, or None where there are none."""
        answers = [] if self.prior is None else [self.prior(audio, text, **others)]
        if self.frame_prior is not None and frames is not None:
            answers.append(self.frame_prior(frames, lengths))
        return sum(answers) if answers else None

    def _scores(self, prior, z_branch):
        """What linear models and the branch itself say, or None."""
        if self.branch_head is None or z_branch is None:
            return prior
        own = self.branch_head(z_branch)
        if self.late_fusion:
            own = self.branch_share * own
        return own if prior is None else prior + own

    def _add(self, output, scores):
        """Add scores of the classes on both levels."""
        if not isinstance(output, tuple):
            return output + scores
        leaf, top = output
        return leaf + scores, top + log_aggregate_to_top(scores, self.head.parent_of_leaf, top.shape[1])


def _times(factor, output):
    return tuple(factor * level for level in output) if isinstance(output, tuple) else factor * output
