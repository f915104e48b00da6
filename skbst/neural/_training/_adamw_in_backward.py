"""AdamW that takes each large step during the backward pass."""

import torch
from torch.optim import AdamW
from torch.optim.adamw import adamw

__all__ = ["AdamWInBackward"]

# 21 of the 98 parameters of the official network, which hold 98.9 % of its numbers
_LARGE = 2**14


class AdamWInBackward(AdamW):
    """`torch.optim.AdamW`, fused, that updates a large parameter as soon as its gradient is complete.

    At that moment gradient and parameter are still in the processor's cache, and the gradient's memory serves the next
    one; what that is worth on a CPU stands in docs/guide/neural.rst. Results are the same to the bit. Small parameters
    wait for `step`. Nobody else sees the large gradients, so this is not for training that clips or inspects them.

    Parameters
    ----------
    params : iterable of Parameter
        What is optimised; one group.

    **kwargs
        Of `torch.optim.AdamW`.

    Examples
    --------
    >>> import torch
    >>> from skbst.neural._training._adamw_in_backward import AdamWInBackward
    >>> layer = torch.nn.Linear(256, 256)
    >>> optimizer = AdamWInBackward(layer.parameters(), lr=1e-3)
    >>> before = layer.weight.detach().clone()
    >>> layer(torch.ones(1, 256)).sum().backward()
    >>> bool((layer.weight != before).all()), layer.weight.grad is None, layer.bias.grad is None
    (True, True, False)
    """

    def __init__(self, params, **kwargs):
        super().__init__(params, **{**kwargs, "fused": True})
        (group,) = self.param_groups
        large = [each for each in group["params"] if each.requires_grad and each.numel() >= _LARGE]
        self._hooks = [parameter.register_post_accumulate_grad_hook(self._update) for parameter in large]

    def close(self):
        """Let go of the parameters: backward passes after this only make gradients."""
        for hook in self._hooks:
            hook.remove()

    @torch.no_grad()
    def _update(self, parameter):
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        (group,) = self.param_groups
        beta1, beta2 = group["betas"]
        # torch's functional form; an AdamW of its own for each parameter costs more (docs/guide/neural.rst)
        adamw(
            [parameter],
            [parameter.grad],
            [state["exp_avg"]],
            [state["exp_avg_sq"]],
            [],
            [state["step"]],
            fused=True,
            amsgrad=False,
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )
        parameter.grad = None
