"""Blocks of inner products that propose neighbours, and how far each may be off."""

from functools import cache

import numpy as np

from skbst._sklearn import _get_threadpool_controller
from skbst.neighbors._candidates import rounding_slack

__all__ = ["BFloat16Products", "Float32Products", "choose_products", "has_fast_bfloat16"]

# below so many multiply-adds the search is over before torch is loaded
_WORTH_TORCH = 2**32
# largest relative error of rounding to bfloat16, which has 8 significant bits
_UNIT = 2.0**-8


class Float32Products:
    """Matrix products in float32.

    Parameters
    ----------
    block : ndarray of shape (n_rows, n_features), float32
        Queries of norm 1 or 0.
    """

    relative_slack = 0.0

    def __init__(self, block):
        self.block = block
        self.slack = rounding_slack(block.shape[1])

    def fill(self, products, part):
        """Write ``block @ part.T`` into `products`."""
        np.matmul(self.block, part.T, out=products)

    @staticmethod
    def one_thread_each():
        """Context in which several threads may multiply, each alone."""
        return _get_threadpool_controller().limit(limits=1, user_api="blas")


class BFloat16Products:
    r"""Matrix products of rows rounded to bfloat16, which some processors multiply at twice the speed.

    With :math:`\hat q, \hat b` the rounded rows, :math:`u = 2^{-8}` and rows of norm at most 1,

    .. math::

        |q \cdot b - \hat q \cdot \hat b| \le \lVert q - \hat q \rVert + u \lVert \hat q \rVert ,

    by Cauchy and Schwarz; the result is rounded once more, by at most :math:`u |\hat q \cdot \hat b|`. Both ends of a
    comparison can be off, hence twice these numbers.

    Parameters
    ----------
    block : ndarray of shape (n_rows, n_features), float32
        Queries of norm 1 or 0.
    """

    relative_slack = np.float32(2 * _UNIT)

    def __init__(self, block):
        import torch

        rows = torch.from_numpy(block)
        self.rounded = rows.bfloat16()
        again = self.rounded.float()
        # a little more than 2 covers the sum itself, which is in float32
        lost = (rows - again).norm(dim=1) + _UNIT * again.norm(dim=1)
        self.slack = (2.01 * lost).numpy() + rounding_slack(block.shape[1])

    def fill(self, products, part):
        """Write the products of the rounded rows into `products`."""
        import torch

        # torch warns of arrays it must not write to, such as a read-only map, though it never writes to these
        rows = torch.from_numpy(np.require(part, requirements=["C", "W"])).bfloat16()
        torch.from_numpy(products).copy_(self.rounded @ rows.T)

    @staticmethod
    def one_thread_each():
        """Context in which several threads may multiply, each alone."""
        from skbst._torch import one_torch_thread

        return one_torch_thread()


def choose_products(n_queries, n_bank, n_features):
    """The class of products for a search of this size on this processor."""
    large = n_queries * n_bank * n_features >= _WORTH_TORCH
    return BFloat16Products if large and has_fast_bfloat16() else Float32Products


@cache
def has_fast_bfloat16():
    """Whether the processor has instructions for products of bfloat16."""
    import torch

    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
