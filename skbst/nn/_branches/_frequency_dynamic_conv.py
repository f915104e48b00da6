"""Convolution whose kernel depends on the frequency, at several dilations."""

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

__all__ = ["FrequencyDynamicConv2d", "MDFD_DILATIONS"]

MDFD_DILATIONS = ((1, 1, 1, 1),) * 5 + ((1, 1, 2, 3), (1, 2, 2, 3), (1, 2, 3, 3))


class FrequencyDynamicConv2d(nn.Module):
    """Multi-dilated frequency dynamic convolution (MDFD), with FDY convolution as a special case.

    A dynamic branch mixes ``K`` basis kernels with weights that depend on the clip and on the frequency,

    ``y(t, f) = sum_k pi_k(f) (W_k * x)(t, f)``, ``pi(f) = softmax(a(f) / temperature)``,

    ``a`` from the mean of ``x`` over the valid frames through Conv1d(3) - BN - ReLU - Conv1d(1) along frequency. Each
    basis kernel has its own dilation along frequency. The branches and a static convolution fill the output channels,
    static ones first.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels.

    branch_channels : int, default=None
        Output channels of each dynamic branch; None takes ``out_channels // 11``, the published share. What the
        branches leave is static.

    dilations : sequence of sequences of int, default=MDFD_DILATIONS
        For each branch the dilation of each of its kernels: 5 x (1,1,1,1), (1,1,2,3), (1,2,2,3), (1,2,3,3).
        ``((1, 1, 1, 1),)`` with ``branch_channels=out_channels`` is FDY convolution.

    temperature : float, default=45.0
        Divisor of ``a``: 45 in MDFD, 31 in FDY.

    reduction : int, default=4
        The attention's hidden layer has ``max(in_channels // reduction, 4)`` channels for each branch.

    Notes
    -----
    Convolving first with all kernels of one dilation and mixing afterwards costs K convolutions; building the kernel of
    each clip and frequency first would cost about one, and as many weight tensors as there are clips and bins. The
    second order needs 2.3 times fewer multiply-adds with the published dilations. Measured on a CPU it was slower below
    88 input channels, no faster at 88 to 176 and 1.3 times faster at 352, for up to six times the memory. So the
    convolutions come first; their mixture is written to neither stack nor expand what they give, which had cost more
    than the convolutions.

    References
    ----------
    H. Nam, S.-H. Kim, B.-Y. Ko, Y.-H. Park, "Frequency dynamic convolution", Interspeech 2022, section 2 (FDY); H. Nam,
    Y.-H. Park, "Pushing the limit of sound event detection with multi-dilated frequency dynamic convolution",
    arXiv:2406.13312, 2024, sections 2 and 3 (MDFD).

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import FrequencyDynamicConv2d
    >>> FrequencyDynamicConv2d(16, 22)(torch.randn(2, 16, 50, 32)).shape
    torch.Size([2, 22, 50, 32])
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        *,
        branch_channels=None,
        dilations=MDFD_DILATIONS,
        temperature=45.0,
        reduction=4,
    ):
        super().__init__()
        branch_channels = branch_channels or out_channels // 11
        n_branches, n_kernels = len(dilations), len(dilations[0])
        n_static = out_channels - n_branches * branch_channels
        if branch_channels < 1 or n_static < 0:
            raise ValueError(
                f"{n_branches} branches of {branch_channels} channels do not fit in {out_channels} channels."
            )
        self.temperature = temperature
        self.slots = _slots_by_dilation(dilations)
        order = [branch * n_kernels + kernel for slots in self.slots.values() for branch, kernel in slots]
        self.register_buffer("order", torch.tensor(order), persistent=False)
        self.weight = nn.Parameter(torch.empty(n_branches, n_kernels, branch_channels, in_channels, 3, 3))
        self.static_weight = nn.Parameter(torch.empty(n_static, in_channels, 3, 3))
        n_hidden = max(in_channels // reduction, 4) * n_branches
        self.attention = nn.Sequential(
            nn.Conv1d(in_channels, n_hidden, 3, padding=1, bias=False),
            nn.BatchNorm1d(n_hidden),
            nn.ReLU(),
            nn.Conv1d(n_hidden, n_branches * n_kernels, 1, groups=n_branches),
        )
        self._initialise(in_channels)

    def _initialise(self, in_channels):
        for weight in (self.weight, self.static_weight):
            nn.init.normal_(weight, std=(2 / (9 * in_channels)) ** 0.5)
        for layer in (self.attention[0], self.attention[3]):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.attention[3].bias)

    def forward(self, x, strip=None):
        """Convolve.

        Parameters
        ----------
        x : Tensor of shape (n_clips, in_channels, n_frames, n_bins)
            Maps.

        strip : ClipStrip, default=None
            Where the clips stand if ``x`` is one strip of clips, of shape (1, in_channels, n_strip_frames, n_bins) and
            with zeros between them.

        Returns
        -------
        y : Tensor of shape (n_clips, out_channels, n_frames, n_bins)
            On a strip, the frame behind a clip holds what leaks over its end.
        """
        kernels = self.weight.flatten(0, 1).index_select(0, self.order).split([len(s) for s in self.slots.values()])
        basis = []
        for dilation, kernel in zip(self.slots, kernels):
            kernel = kernel.flatten(0, 1)
            if dilation == 1:
                kernel = torch.cat([kernel, self.static_weight])
            if dilation >= x.shape[3]:
                kernel, dilation = kernel[..., 1:2], 0  # the outer taps see only zeros
            basis.append(F.conv2d(x, kernel, padding=(1, dilation), dilation=(1, max(dilation, 1))))
        mixture = self.mixture_weights(x, strip).to(basis[0].dtype)
        mix = _mix if torch.compiler.is_compiling() else _Mixture.apply
        clips = None if strip is None else strip.clip_of_frame
        return mix(mixture, clips, tuple(self.slots.values()), self.weight.shape[2], *basis)

    def mixture_weights(self, x, strip=None):
        """Weights ``pi`` of the basis kernels.

        Parameters
        ----------
        x, strip
            As in `forward`.

        Returns
        -------
        pi : Tensor of shape (n_clips, n_branches, n_kernels, n_bins)
            In [0, 1]; sums over the kernels are 1.
        """
        scores = self.attention(x.mean(dim=2) if strip is None else strip.time_mean(x))
        return (scores.unflatten(1, self.weight.shape[:2]) / self.temperature).softmax(dim=2)


def _slots_by_dilation(dilations):
    """Map each dilation, 1 first, to the (branch, kernel) pairs that have it."""
    slots = {dilation: [] for dilation in sorted({1}.union(*dilations))}
    for branch, row in enumerate(dilations):
        for kernel, dilation in enumerate(row):
            slots[dilation].append((branch, kernel))
    return slots


def _parts(maps, slots, n_channels):
    """Pairs of a (branch, kernel) slot and its channels in the output of one convolution."""
    return zip(slots, maps[:, : len(slots) * n_channels].split(n_channels, dim=1))


def _spread(weights, clips):
    """Weights of one slot, of shape (n_clips, n_bins), shaped for the maps that they multiply."""
    return weights[:, None, None] if clips is None else weights.index_select(0, clips)[None, None]


def _gather(products, weights, clips):
    """Sum over time what `_spread` had spread: the gradient of ``weights``."""
    if clips is None:
        return products.sum(dim=1)
    return torch.zeros_like(weights).index_add_(0, clips, products[0])


def _mix(mixture, clips, slots_of_basis, n_channels, *basis):
    """Static channels, then ``sum_k pi_k y_k`` of each branch; static channels stand behind the first basis."""
    branches = [0] * mixture.shape[1]
    for maps, slots in zip(basis, slots_of_basis):
        for (branch, kernel), part in _parts(maps, slots, n_channels):
            branches[branch] = branches[branch] + part * _spread(mixture[:, branch, kernel], clips)
    return torch.cat([basis[0][:, len(slots_of_basis[0]) * n_channels :], *branches], dim=1)


class _Mixture(torch.autograd.Function):
    """`_mix` that reads each basis map once, forward and backward, and keeps nothing but its inputs."""

    @staticmethod
    def forward(ctx, mixture, clips, slots_of_basis, n_channels, *basis):
        first, n_mixed = basis[0], len(slots_of_basis[0]) * n_channels
        n_static = first.shape[1] - n_mixed
        out = first.new_zeros(len(first), n_static + mixture.shape[1] * n_channels, *first.shape[2:])
        out[:, :n_static] = first[:, n_mixed:]
        branches = out[:, n_static:].split(n_channels, dim=1)
        for maps, slots in zip(basis, slots_of_basis):
            for (branch, kernel), part in _parts(maps, slots, n_channels):
                branches[branch].addcmul_(part, _spread(mixture[:, branch, kernel], clips))
        ctx.save_for_backward(mixture, clips, *basis)
        ctx.slots_of_basis, ctx.n_channels, ctx.n_static = slots_of_basis, n_channels, n_static
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        mixture, clips, *basis = ctx.saved_tensors
        mixture_grad, basis_grads = torch.empty_like(mixture), [torch.empty_like(maps) for maps in basis]
        basis_grads[0][:, basis[0].shape[1] - ctx.n_static :] = grad[:, : ctx.n_static]
        branch_grads = grad[:, ctx.n_static :].split(ctx.n_channels, dim=1)
        for maps, maps_grad, slots in zip(basis, basis_grads, ctx.slots_of_basis):
            grad_parts = maps_grad[:, : len(slots) * ctx.n_channels].split(ctx.n_channels, dim=1)
            for ((branch, kernel), part), part_grad in zip(_parts(maps, slots, ctx.n_channels), grad_parts):
                weights = mixture[:, branch, kernel]
                torch.mul(branch_grads[branch], _spread(weights, clips), out=part_grad)
                products = (branch_grads[branch] * part).sum(dim=1)
                mixture_grad[:, branch, kernel] = _gather(products, weights, clips)
        return mixture_grad, None, None, None, *basis_grads
