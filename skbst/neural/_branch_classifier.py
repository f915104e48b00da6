"""The network of the report as a scikit-learn classifier."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state

from skbst._sklearn import Interval, StrOptions, _fit_context
from skbst._versioned import VersionedMixin
from skbst.neural._architecture import BRANCHES, HEADS, SIZES, describe
from skbst.neural._callbacks import EpochEvents
from skbst.neural._checks import check_rows, check_training_data
from skbst.neural._network_answers import NetworkAnswersMixin
from skbst.neural._session import borrowed_threads, resolve_device, seeded
from skbst.neural._training import history_frame, split_rows, train
from skbst.taxonomy import Taxonomy, TopLevelMixin

__all__ = ["BranchClassifier"]


class BranchClassifier(
    NetworkAnswersMixin, TopLevelMixin, VersionedMixin, CallbackSupportMixin, ClassifierMixin, BaseEstimator
):
    """The network of the report: CLAP embeddings, an acoustic branch, a head.

    Embeddings of sound and text pass the trunk of the official baseline (`skbst.nn.HATR`). With a branch, one
    spectral feature is encoded too and joins the audio embedding through a gate. The head makes class
    probabilities, with or without knowledge of the tree. Training follows the report: AdamW, early stopping
    on an inner validation part, the best weights restored.

    Parameters
    ----------
    branch : {"log-stft", "log-mel", "mfcc"}, default=None
        Acoustic branch; None uses the embeddings alone.

    head : {"baseline", "flat", "gc", "lcl"}, default="baseline"
        Baseline's classifier, flat head, global classifier, local classifiers per level.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    audio_block : str or None, default="auto"
        Block of the audio embedding; "auto" takes "clap_audio" or else "audio", None leaves it out.

    text_block : str or None, default="auto"
        Block of the text embedding; "auto" takes "clap_text" or else "text" where there is one.

    branch_block : str, default="auto"
        Block of the branch's frames; "auto" takes "log_stft", "log_mel" or "mfcc".

    size : {"report", "small"}, default="report"
        The report's widths, or the same network small enough for a CPU in minutes.

    adapter : bool or "auto", default="auto"
        Whether the text embedding passes a highway gate adapter; "auto" with ``branch="log-stft"`` only.

    input_norm : {"auto", "length", "batch"}, default="auto"
        What embeddings pass before the first layer: `skbst.nn.LengthScale`, or the baseline's batch normalisation.
        "auto" takes the first for the blocks of a bundle and the second for a plain array, which may be of any scale.

    linear_prior : bool, default=True
        Whether the network adds to what linear models of the embeddings say, one model per embedding, solved inside
        `fit`; see `skbst.nn.LinearPrior`. ``input_norm="batch", linear_prior=False`` is the network of the official
        baseline to the parameter.

    branch_logits : bool, default=False
        Whether the branch also adds logits of its own to those of the linear models (`skbst.nn.BranchHead`), by which
        it learns much faster than through the trunk, and also what is true of one uploader's recordings only. Without
        a linear prior there is nothing to add to.

    dropout : float in [0, 1), default=0.1
        Dropout of trunk and head.

    lr : float, default=1e-3
        Learning rate of AdamW.

    weight_decay : float, default=1e-5
        Weight decay of AdamW.

    max_epochs : int, default=100
        Most passes over the training part.

    batch_size : int or "auto", default="auto"
        Rows of a batch; "auto" is 64, or 32 with a branch, and down to 16 where an epoch would have fewer
        than 16 batches.

    branch_start : int, default=0
        First epochs that leave the acoustic branch out. It starts as nothing (the fusion passes the embedding on), so
        these epochs train the rest of the same network at a small part of the cost. Early stopping begins after them.

    freeze_trunk : bool, default=False
        Whether trunk, adapter and head stay as the first `branch_start` epochs have made them, so that the others train
        the branch and its fusion alone. On few clips the trunk would go on to learn these by heart.

    patience : int, "auto" or None, default="auto"
        Stop after so many epochs in which the validation accuracy has not passed its best by more than
        `min_delta`; "auto" is 15, or 6 with a branch; None never stops early.

    min_delta : float, default=0.001
        Least improvement of the validation accuracy, absolute, that resets the patience.

    schedule : {"cosine", "step"}, default=None
        Learning rate over the epochs: constant, down a cosine to zero at `max_epochs` (and before that at
        `branch_start`), or halved every 20.

    label_smoothing : float in [0, 1), default=0.05
        Share of each target that is spread over all classes.

    top_loss_weight : float, default=1.0
        Weight (lambda) of the top-level loss of the GC and LCL heads.

    beta : float, default=1.0
        Weight of the top level in the LCL head's top-down correction.

    distillation_weight : float, default=1.0
        Weight of the divergence from `soft_targets`, where `fit` gets any.

    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss.

    validation_fraction : float in (0, 1) or None, default=0.2
        Share of the rows held out for early stopping; None trains on all rows for `max_epochs`.

    augmentation : "default", dict or None, default="default"
        How training batches are varied: the baseline's noise and masking of embeddings, with a branch also time
        crop and time masking of frames; nothing; or names with their settings out of "crop_and_patch" (RICAP),
        "time_crop", "time_masking", "embedding_noise", "embedding_masking", such as
        ``{"time_masking": {"max_frames": 30}}``. See the modules of `skbst.nn`.

    precision : {"float32", "bfloat16"}, default="float32"
        Number format of the forward pass in training.

    compile : bool, default=False
        Whether the network passes `torch.compile` for training.

    device : str, default="auto"
        Torch device; "auto" takes the GPU where there is one. A model trained on a GPU loads without one.

    n_threads : int or None, default=1
        Torch threads while training and predicting on a CPU. The order of float additions, and so the result,
        depends on it; a fixed number makes fits the same whatever ``n_jobs`` around them. None leaves
        torch's setting alone.

    callbacks : list of skorch callbacks, default=None
        Called after the estimator's own; items are callbacks or (name, callback) pairs.

    random_state : int, RandomState or None, default=None
        Seeds the weights, the inner split, the order of rows, dropout and augmentation. One seed gives networks with
        and without a branch the same trunk and, until the branch starts, the same training. Torch's generators are
        left as they were.

    verbose : int, default=0
        1 shows a bar over the epochs.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.

    taxonomy_ : Taxonomy
        The tree cut down to ``classes_``, in their order.

    top_classes_ : ndarray of shape (n_top_classes,)
        Top-level codes, the columns of `predict_top_proba`.

    history_ : DataFrame
        One row per epoch: epoch, train_loss, valid_loss, valid_acc, lr, seconds.

    n_iter_ : int
        Epochs run.

    best_epoch_ : int
        The epoch, from 1, whose weights were kept.

    n_features_in_ : int
        Numbers in a row of X.

    net_ : skorch.NeuralNet
        The trained net; not part of the pickle, which holds plain arrays.

    Notes
    -----
    Rows that are equal in features, label and group are one row whose weight is their sum, and the order of
    rows does not matter. A row of weight zero is no row.

    References
    ----------
    Report, sections 2.1, 2.2 and 3.1.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skbst.neural import BranchClassifier
    >>> X, y = make_blobs(200, centers=3, random_state=0)
    >>> classifier = BranchClassifier(size="small", max_epochs=20, random_state=0).fit(X, y)
    >>> classifier.embed(X).shape
    (200, 3)
    >>> classifier.score(X, y) > 0.8
    True
    """

    # under metadata routing groups come without being asked for
    __metadata_request__fit: ClassVar = {"groups": True}

    _parameter_constraints: ClassVar[dict] = {
        "branch": [StrOptions(set(BRANCHES)), None],
        "head": [StrOptions(set(HEADS))],
        "taxonomy": [Taxonomy, None],
        "audio_block": [str, None],
        "text_block": [str, None],
        "branch_block": [str],
        "size": [StrOptions(set(SIZES))],
        "adapter": ["boolean", StrOptions({"auto"})],
        "input_norm": [StrOptions({"auto", "length", "batch"})],
        "linear_prior": ["boolean"],
        "branch_logits": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "branch_start": [Interval(Integral, 0, None, closed="left")],
        "freeze_trunk": ["boolean"],
        "batch_size": [Interval(Integral, 2, None, closed="left"), StrOptions({"auto"})],
        "patience": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "min_delta": [Interval(Real, 0, None, closed="left")],
        "schedule": [StrOptions({"cosine", "step"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "top_loss_weight": [Interval(Real, 0, None, closed="left")],
        "beta": [Interval(Real, 0, None, closed="left")],
        "distillation_weight": [Interval(Real, 0, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "augmentation": [StrOptions({"default"}), dict, None],
        "precision": [StrOptions({"float32", "bfloat16"})],
        "compile": ["boolean"],
        "device": [str],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
        "callbacks": [list, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        branch=None,
        head="baseline",
        *,
        taxonomy=None,
        audio_block="auto",
        text_block="auto",
        branch_block="auto",
        size="report",
        adapter="auto",
        input_norm="auto",
        linear_prior=True,
        branch_logits=False,
        dropout=0.1,
        lr=1e-3,
        weight_decay=1e-5,
        max_epochs=100,
        branch_start=0,
        freeze_trunk=False,
        batch_size="auto",
        patience="auto",
        min_delta=0.001,
        schedule=None,
        label_smoothing=0.05,
        top_loss_weight=1.0,
        beta=1.0,
        distillation_weight=1.0,
        class_weight=None,
        validation_fraction=0.2,
        augmentation="default",
        precision="float32",
        compile=False,
        device="auto",
        n_threads=1,
        callbacks=None,
        random_state=None,
        verbose=0,
    ):
        self.branch = branch
        self.head = head
        self.taxonomy = taxonomy
        self.audio_block = audio_block
        self.text_block = text_block
        self.branch_block = branch_block
        self.size = size
        self.adapter = adapter
        self.input_norm = input_norm
        self.linear_prior = linear_prior
        self.branch_logits = branch_logits
        self.dropout = dropout
        self.lr = lr
        self.weight_decay = weight_decay
        self.max_epochs = max_epochs
        self.branch_start = branch_start
        self.freeze_trunk = freeze_trunk
        self.batch_size = batch_size
        self.patience = patience
        self.min_delta = min_delta
        self.schedule = schedule
        self.label_smoothing = label_smoothing
        self.top_loss_weight = top_loss_weight
        self.beta = beta
        self.distillation_weight = distillation_weight
        self.class_weight = class_weight
        self.validation_fraction = validation_fraction
        self.augmentation = augmentation
        self.precision = precision
        self.compile = compile
        self.device = device
        self.n_threads = n_threads
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, groups=None, train_only=None, soft_targets=None):
        """Train the network.

        Parameters
        ----------
        X : FeatureBundle or array-like of shape (n_samples, n_features)
            The features; a 2-D array is taken as one audio embedding.

        y : array-like of shape (n_samples,)
            Class codes, or labels of any other kind.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. A row of weight 2 is the same as the row twice, one of weight 0 the same as
            no row.

        groups : array-like of shape (n_samples,), default=None
            Group of each row, such as its uploader: the validation part takes whole groups, and so does each fold of
            the linear prior. A missing value is a group of its own.

        train_only : array-like of shape (n_samples,), bool, default=None
            Rows that never join the validation part, such as extra data with noisy labels.

        soft_targets : array-like of shape (n_samples, n_classes), default=None
            Target distributions for distillation, columns in the order of ``np.unique(y)``.

        Returns
        -------
        self : BranchClassifier

        Raises
        ------
        DataFormatError
            If blocks are missing, of the wrong shape or not finite, or no validation part can be made.
        """
        vars(self).pop("net_", None)
        context = self._init_callback_context(max_subtasks=self.max_epochs)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        inputs, labels = check_training_data(self, X, y)
        rows = check_rows(self, inputs, labels, sample_weight, groups, train_only, soft_targets)
        rng = check_random_state(self.random_state)
        split_seed, torch_seed, order_seed = rng.randint(np.iinfo(np.int32).max, size=3)
        valid = split_rows(self, rows, np.random.RandomState(split_seed), self.classes_)
        self._architecture = self._describe(inputs)
        device = resolve_device(self.device)

        def events():
            return EpochEvents(
                self, context, X, y, lambda net: {"net_": net}, max_epochs=self.max_epochs, verbose=self.verbose
            )

        with seeded(torch_seed, device), borrowed_threads(self.n_threads):
            self.net_, self.best_epoch_ = train(
                self,
                inputs,
                rows,
                valid,
                self._architecture,
                order_rng=np.random.RandomState(order_seed),
                device=device,
                events=events,
            )
        self.history_ = history_frame(self.net_)
        self.n_iter_ = len(self.history_)
        context.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes={})
        return self

    def _describe(self, inputs):
        input_norm = self.input_norm
        if input_norm == "auto":
            input_norm = "batch" if self._blocks is None else "length"
        return describe(
            branch=self.branch,
            head=self.head,
            size=self.size,
            shapes=inputs.shapes(),
            parent_of_leaf=self.taxonomy_.parent_of_leaf,
            n_tops=self.taxonomy_.n_tops,
            adapter=self.branch == "log-stft" if self.adapter == "auto" else self.adapter,
            dropout=self.dropout,
            input_norm=input_norm,
            linear_prior=self.linear_prior,
            branch_logits=self.branch_logits,
        )
