"""Who computes the parts: this process, or the workers of a dask cluster."""

import contextlib

import joblib

from skbst._optional import require

__all__ = ["workers"]

# seconds that a busy machine may take until a worker answers
_PATIENCE = {"distributed.comm.timeouts.tcp": "300s", "distributed.comm.timeouts.connect": "300s"}


@contextlib.contextmanager
def workers(dask, shared):
    """Context that gives the number of jobs; with dask, joblib's workers are those of the cluster.

    Parameters
    ----------
    dask : str or None
        Address of a scheduler; "local" starts two worker processes here; None computes in this process.

    shared : list
        What each worker gets once, and not with every part.
    """
    if dask is None:
        yield 1
        return
    config = require("dask.config", extra="dask", needed_by="dask=")
    distributed = require("dask.distributed", extra="dask", needed_by="dask=")
    with contextlib.ExitStack() as stack:
        if dask == "local":
            stack.enter_context(config.set(_PATIENCE))
            # what takes long to import is there before a worker reports, whom the scheduler would give up otherwise
            cluster = distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, dashboard_address=None, preload=["skbst.neural"]
            )
            dask = stack.enter_context(cluster)
        stack.enter_context(distributed.Client(dask))
        stack.enter_context(joblib.parallel_config("dask", scatter=shared))
        yield -1
