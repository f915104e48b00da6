"""
Cross-validation and searches on a dask cluster
===============================================

Everything that is parallel here goes through joblib, and joblib's workers can be those of a dask cluster: the folds of
a cross-validation, of a blend search and of a grid search then run on whatever machines the cluster has. Without
arguments this starts two worker processes on this machine and makes its own clips (made sounds: the scores say nothing
about real ones); ``--check`` runs everything once more without the cluster and compares every figure::

    python examples/search_on_dask.py --check
    python examples/search_on_dask.py --dask tcp://scheduler:8786 --data path/to/BSD10k-v1.2 --folds 5 --epochs 40

The workers of a cluster see the same files under the same paths, have one thread each, and import torch before their
first job: ``dask worker tcp://scheduler:8786 --nthreads 1 --preload skbst.neural``.
"""

import argparse
import contextlib
import tempfile
from collections import Counter
from pathlib import Path

import dask
import joblib
import numpy as np
from distributed import Client, LocalCluster, get_task_stream
from sklearn.model_selection import GridSearchCV, cross_validate

from skbst.datasets import load_bsd, make_bst_clips
from skbst.metrics import hierarchical_f1_scorer
from skbst.model_selection import KNNBlendSearchCV, OfficialKFold
from skbst.systems import make_system


def evaluate(data, target, *, folds, epochs):
    """Mean hF of the folds, and of each cell of two searches; nothing in here knows about dask."""
    system = make_system(neighbours=True, embeddings="builtin", size="small", random_state=0)
    system.set_params(classifier__estimator__max_epochs=epochs)
    settings = {"cv": OfficialKFold(folds), "scoring": hierarchical_f1_scorer}
    found = {"cross_validate": cross_validate(system, data, target, **settings)["test_score"]}
    # a fit for each fold, whatever the number of cells
    cells = {"classifier__alpha": [0.0, 0.2, 0.4], "classifier__k": [3, 10]}
    search = KNNBlendSearchCV(system, cells, **settings).fit(data, target)
    found["KNNBlendSearchCV"] = search.cv_results_["mean_test_score"]
    # a fit for each fold and cell
    cells = {"classifier__estimator__lr": [1e-3, 3e-3]}
    search = GridSearchCV(system, cells, refit=False, **settings).fit(data, target)
    found["GridSearchCV"] = search.cv_results_["mean_test_score"]
    return found


@contextlib.contextmanager
def connected(address):
    """Client of a running scheduler, or of two worker processes that end with it."""
    # on a busy machine, importing torch takes longer than the scheduler waits by default
    patience = {f"distributed.comm.timeouts.{name}": "300s" for name in ("tcp", "connect")}
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(patience))
        if address == "local":
            workers = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "preload": ["skbst.neural"]}
            address = stack.enter_context(LocalCluster(**workers, dashboard_address=None))
        yield stack.enter_context(Client(address))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dask", default="local", help="address of a scheduler; default: two processes here")
    parser.add_argument("--data", type=Path, help="folder in the layout of BSD10k; default: made clips")
    parser.add_argument("--clips", type=int, default=92, help="how many clips are made")
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--check", action="store_true", help="compare with a run without the cluster")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        root = given.data or make_bst_clips(
            folder, n_clips=given.clips, class_weights="balanced", max_duration=0.5, random_state=0
        )
        data, target = load_bsd(root, return_X_y=True)
        options = {"folds": given.folds, "epochs": given.epochs}
        with connected(given.dask) as client:
            with get_task_stream(client) as stream, joblib.parallel_config("dask"):
                found = evaluate(data, target, **options)
            jobs = Counter(task["worker"] for task in stream.data)
        for name, scores in found.items():
            print(f"{name:18s} hF " + " ".join(f"{100 * score:.1f}" for score in scores))
        print(f"{len(jobs)} workers ran {sum(jobs.values())} tasks.")
        if given.check:
            alone = evaluate(data, target, **options)
            different = [name for name in found if not np.allclose(found[name], alone[name], rtol=0, atol=1e-12)]
            if different:
                raise SystemExit(f"Without the cluster other figures came out of {different}.")
            print("Without the cluster every figure is the same.")


if __name__ == "__main__":
    main()
