"""What a network of the report adds and how it is trained, as one named thing."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

from sklearn.base import BaseEstimator

from skbst._sklearn import Interval, StrOptions
from skbst._versioned import DocumentedMixin
from skbst.exceptions import FewClipsWarning

__all__ = ["Recipe", "most_epochs", "resolve_recipe", "warn_of_few_clips"]

# 652 clips are measured to be too few for the report's recipe (docs/guide/neural.rst), its own 8,000 are enough
_FEW_CLIPS = 2000


class Recipe(DocumentedMixin, BaseEstimator):
    """Parts beside branch and head, and the plan of training.

    ``Recipe()`` is the report's. ``Recipe.small()`` is for few clips and a CPU: it adds to the report's parts what the
    table of the guide lists. `skbst.neural.BranchClassifier` takes ``"report"``, ``"small"`` or a recipe of your own; a
    search reaches its numbers as ``recipe__dropout`` and so on.

    Parameters
    ----------
    input_norm : {"batch", "length", "auto"}, default="batch"
        What embeddings pass before the first layer: the official baseline's batch normalisation, or
        `skbst.nn.LengthScale`. "auto" takes the second for the blocks of a bundle and the first for a plain array,
        which may be of any scale.

    linear_prior : bool, default=False
        Whether the network adds to what linear models of the embeddings say, one model per embedding, solved inside
        `fit`; see `skbst.nn.LinearPrior`. A branch that is the sound's only view has one, too, of statistics of its
        frames; see `skbst.nn.FramePrior`.

    branch_logits : bool, default=False
        Whether a branch also adds logits of its own to those of the linear models; see `skbst.nn.BranchHead`.

    adapter : bool or "auto", default="auto"
        Whether the text embedding passes a highway gate adapter; "auto" with ``branch="log-stft"`` only.

    dropout : float in [0, 1), default=0.1
        Dropout of trunk and head.

    weight_decay : float, default=1e-5
        Weight decay of AdamW.

    schedule : {"cosine", "step"}, default=None
        Learning rate over the epochs: constant, down a cosine to zero at the last epoch (and before that at
        `branch_start`), or halved every 20.

    label_smoothing : float in [0, 1), default=0.05
        Share of each target that is spread over all classes.

    top_loss_weight : float, default=1.0
        Weight (lambda) of the top-level loss of the GC and LCL heads.

    beta : float, default=1.0
        Weight of the top level in the LCL head's top-down correction.

    max_epochs : int, default=100
        Most passes over the training part.

    branch_max_epochs : int or None, default=None
        The same for a network with a branch; None takes `max_epochs`. A branch that joins late (`branch_start`) has
        160 steps at least, and on fewer than 256 clips more epochs for it.

    branch_start : int, default=0
        First epochs that leave the acoustic branch out. It starts as nothing (the fusion passes the embedding on), so
        these epochs train the rest of the same network at a small part of the cost. Early stopping begins after them.
        A branch that is the sound's only view waits where `freeze_trunk` is on and there is another view, such as text:
        there it joins by late fusion, as an expert of its own (`skbst.nn.ClipNet`), and has `branch_max_epochs` after
        these. Elsewhere it never waits.

    freeze_trunk : bool, default=False
        Whether trunk and head stay as the first `branch_start` epochs have made them, so that the others train
        the branch and its fusion alone.

    min_delta : float, default=0.001
        Least improvement of the validation accuracy, absolute, that resets the patience.

    validation_fraction : float in (0, 1) or None, default=0.2
        Share of the rows held out for early stopping; None trains on all rows to the last epoch.

    refit : bool, default=False
        Whether early stopping only tells how long: the network is trained beside each of the folds of the rows that
        `validation_fraction` makes (five of 0.2), and then on all rows for the mean of their best epochs. Costs one
        fit per fold more.

    References
    ----------
    Report, sections 2.1, 2.2 and 3.1.

    Examples
    --------
    >>> from skbst.neural import BranchClassifier, Recipe
    >>> Recipe.small().linear_prior
    True
    >>> BranchClassifier("mfcc", recipe=Recipe.small()).set_params(recipe__dropout=0.2).recipe.dropout
    0.2
    """

    _parameter_constraints: ClassVar[dict] = {
        "input_norm": [StrOptions({"auto", "length", "batch"})],
        "linear_prior": ["boolean"],
        "branch_logits": ["boolean"],
        "adapter": ["boolean", StrOptions({"auto"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "schedule": [StrOptions({"cosine", "step"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "top_loss_weight": [Interval(Real, 0, None, closed="left")],
        "beta": [Interval(Real, 0, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "branch_max_epochs": [Interval(Integral, 1, None, closed="left"), None],
        "branch_start": [Interval(Integral, 0, None, closed="left")],
        "freeze_trunk": ["boolean"],
        "min_delta": [Interval(Real, 0, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "refit": ["boolean"],
    }

    def __init__(
        self,
        *,
        input_norm="batch",
        linear_prior=False,
        branch_logits=False,
        adapter="auto",
        dropout=0.1,
        weight_decay=1e-5,
        schedule=None,
        label_smoothing=0.05,
        top_loss_weight=1.0,
        beta=1.0,
        max_epochs=100,
        branch_max_epochs=None,
        branch_start=0,
        freeze_trunk=False,
        min_delta=0.001,
        validation_fraction=0.2,
        refit=False,
    ):
        self.input_norm = input_norm
        self.linear_prior = linear_prior
        self.branch_logits = branch_logits
        self.adapter = adapter
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.label_smoothing = label_smoothing
        self.top_loss_weight = top_loss_weight
        self.beta = beta
        self.max_epochs = max_epochs
        self.branch_max_epochs = branch_max_epochs
        self.branch_start = branch_start
        self.freeze_trunk = freeze_trunk
        self.min_delta = min_delta
        self.validation_fraction = validation_fraction
        self.refit = refit

    def __setstate__(self, state):
        """Take the defaults for what a recipe that was saved earlier did not have."""
        super().__setstate__({**Recipe().get_params(), **state})

    @property
    def _epochs_with_branch(self):
        return self.max_epochs if self.branch_max_epochs is None else self.branch_max_epochs

    @classmethod
    def small(cls):
        """Return the recipe of the small systems: for few clips, for embeddings of any kind, minutes on a CPU.

        Returns
        -------
        recipe : Recipe
        """
        return cls(
            input_norm="auto",
            linear_prior=True,
            # through a nearly closed gate and a frozen trunk a branch is not heard; its own logits are
            branch_logits=True,
            dropout=0.3,
            schedule="cosine",
            max_epochs=40,
            branch_max_epochs=50,
            branch_start=40,
            freeze_trunk=True,
            validation_fraction=None,  # few clips leave none for early stopping
        )


def resolve_recipe(recipe):
    """Recipe of a name, or a checked one of the user's own."""
    if not isinstance(recipe, Recipe):
        return {"report": Recipe, "small": Recipe.small}[recipe]()
    recipe._validate_params()
    return recipe


def most_epochs(max_epochs, recipe, architecture):
    """Passes over the training part: the estimator's own number, or the recipe's for a network of this description."""
    if max_epochs != "auto":
        return max_epochs
    epochs = recipe.max_epochs if architecture["branch"] is None else recipe._epochs_with_branch
    return recipe.branch_start + epochs if architecture.get("late_fusion") else epochs


def warn_of_few_clips(n_rows, size, recipe):
    """Warn whoever calls `fit` where a linear model is better than this network."""
    if size == "report" and not recipe.linear_prior and n_rows < _FEW_CLIPS:
        warnings.warn(
            f"{n_rows} distinct clips are few for the report's network and recipe, which were made for thousands: "
            "on so few a linear model is better. Take size='small', recipe='small'.",
            FewClipsWarning,
            stacklevel=4,
        )
