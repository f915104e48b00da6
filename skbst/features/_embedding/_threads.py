"""Clips side by side, each on one thread.

The last bits of a matrix product depend on how many threads share it and on what else stands in the batch. One clip
at a time on one thread gives the same bytes in every company, and is no slower: the clips of a batch run in parallel.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from skbst._torch import one_torch_thread

__all__ = ["map_clips", "quiet_inference"]


@contextmanager
def quiet_inference(device):
    """No gradients, no autocast, no reduced precision, whatever the caller has switched on."""
    import torch

    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        stack.enter_context(torch.autocast(device.type, enabled=False))
        if device.type == "cuda":
            # these flags are global, and are put back safely because one call runs at a time there
            exact = {"enabled": True, "benchmark": False, "deterministic": True, "allow_tf32": False}
            stack.enter_context(torch.backends.cudnn.flags(**exact))
        yield


def n_threads(n_jobs):
    """Resolve `n_jobs`: None takes as many threads as torch may use here, a negative number counts from all cores."""
    import torch
    from joblib import cpu_count

    if n_jobs is None:
        return max(1, torch.get_num_threads())
    return max(1, cpu_count() + 1 + n_jobs) if n_jobs < 0 else n_jobs


def map_clips(function, items, *, n_jobs=None, device):
    """Call `function` on each item, in order, every call on one torch thread.

    Parameters
    ----------
    function : callable
        Gets one item.

    items : sequence
        What it gets.

    n_jobs : int, default=None
        How many calls run at the same time; None takes torch's number of threads.

    device : torch.device
        Where tensors live; anything but a CPU runs one call at a time.

    Returns
    -------
    results : list
    """
    import torch

    n_workers = 1 if device.type != "cpu" else min(n_threads(n_jobs), len(items))

    def call(item):
        with quiet_inference(device):
            return function(item)

    with one_torch_thread():
        if n_workers <= 1:
            return [call(item) for item in items]
        with ThreadPoolExecutor(n_workers, "skbst-embed", initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(call, items))
