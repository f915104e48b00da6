"""The network of the report as a scikit-learn classifier."""

from functools import partial
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state

from skbst._sklearn import Interval, StrOptions, _fit_context, check_is_fitted, validate_data
from skbst._versioned import VersionedMixin
from skbst.neural._architecture import BRANCHES, HEADS, SIZES, describe
from skbst.neural._inference import embed_forward_rows, forward_rows
from skbst.neural._log_proba import leaf_log_proba, top_log_proba
from skbst.neural._recipe import Recipe, most_epochs, resolve_recipe, warn_of_few_clips
from skbst.neural._rows._checks import check_rows, read_validation
from skbst.neural._rows._inner_split import held_out_rows
from skbst.neural._rows._reading import read_rows, read_training
from skbst.neural._saved_state import packed, unpacked
from skbst.neural._training._callbacks import EpochEvents
from skbst.neural._training._late_fusion import settle_share
from skbst.neural._training._refit import settle_epochs
from skbst.neural._training._session import borrowed_threads, resolve_device, training_session
from skbst.neural._training._trainer import Trainer, history_frame
from skbst.taxonomy import Taxonomy, TopLevelMixin

__all__ = ["BranchClassifier"]


class BranchClassifier(TopLevelMixin, VersionedMixin, CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """The network of the report: CLAP embeddings, an acoustic branch, a head.

    Embeddings of sound and text pass the trunk of the official baseline (`skbst.nn.HATR`). With a branch, one spectral
    feature is encoded too and joins the audio embedding through a gate; where there is none it stands in its place or,
    by the small recipe beside text, joins by late fusion. The head makes class probabilities, with or without knowledge
    of the tree. ``BranchClassifier()`` is the report's network and training: AdamW, early stopping on an inner
    validation part, the best weights restored. For fewer than some thousand clips take ``size="small",
    recipe="small"``.

    Parameters
    ----------
    branch : {"log-stft", "log-mel", "mfcc"}, default=None
        Acoustic branch; None uses the embeddings alone.

    head : {"baseline", "flat", "gc", "lcl"}, default="baseline"
        Baseline's classifier, flat head, global classifier, local classifiers per level.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    blocks : "auto" or dict, default="auto"
        Names of the blocks of "audio", "text", "frames" and "prior"; None leaves one out, a list takes embeddings of
        several encoders: ``{"audio": ["clap_audio", "ast_audio"]}``. What is not named is found: all embeddings whose
        last or first word is "audio" or "text", such as "text", "clap_audio" and "clap_audio_2", CLAP's first;
        "log_stft", "log_mel" or "mfcc" for the branch, which joins the first embedding of sound; and "prior", what is
        known of the class before a clip is heard (`skbst.features.ClassPriorFeaturizer`). Where that block is not there
        at prediction nothing is known.

    size : {"report", "small"}, default="report"
        The report's widths, or the same network small enough for a CPU in minutes.

    recipe : {"report", "small"} or Recipe, default="report"
        What the network adds and how it is trained; see `Recipe`.

    lr : float, default=1e-3
        Learning rate of AdamW.

    max_epochs : int or "auto", default="auto"
        Most passes over the training part; "auto" is the recipe's number.

    batch_size : int or "auto", default="auto"
        Rows of a batch; "auto" is 64, or 32 with a branch, and down to 16 where an epoch would have fewer
        than 16 batches.

    patience : int, "auto" or None, default="auto"
        Stop after so many epochs in which the validation accuracy has not passed its best by more than the recipe's
        `min_delta`; "auto" is 15, or 6 with a branch, more where 6 epochs of the report's size are less than 400 steps;
        None never stops early.

    validation_fraction : float in (0, 1), "auto" or None, default="auto"
        Share of the rows held out for early stopping; None trains on all rows for `max_epochs`; "auto" is the recipe's.

    augmentation : "default", dict or None, default="default"
        How training batches are varied: the baseline's noise and masking of embeddings, with a branch also time
        crop and time masking of frames; nothing; or names with their settings out of "crop_and_patch" (RICAP),
        "time_crop", "time_masking", "embedding_noise", "embedding_masking", such as
        ``{"time_masking": {"max_frames": 30}}``. See the modules of `skbst.nn`.

    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss.

    distillation_weight : float, default=1.0
        Weight of the divergence from `soft_targets`, where `fit` gets any.

    precision : {"float32", "bfloat16"}, default="float32"
        Number format of the forward pass in training.

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

    fold_best_epochs_ : list of int
        With a recipe's ``refit=True`` the best epoch of each fold; the network was trained on all rows for their mean.

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
    >>> classifier = BranchClassifier(size="small", recipe="small", max_epochs=20, random_state=0).fit(X, y)
    >>> classifier.embed(X).shape
    (200, 3)
    >>> classifier.score(X, y) > 0.8
    True

    What is known before a clip is heard is a block "prior"; a row of zeros knows nothing:

    >>> import numpy as np
    >>> from skbst.features import FeatureBundle
    >>> bundle = FeatureBundle({"audio": np.ones((200, 2)), "prior": np.eye(3)[y]})
    >>> bool(classifier.fit(bundle, y).score(bundle, y) > 0.9)
    True
    """

    # under metadata routing groups come without being asked for
    __metadata_request__fit: ClassVar = {"groups": True}

    _parameter_constraints: ClassVar[dict] = {
        "branch": [StrOptions(set(BRANCHES)), None],
        "head": [StrOptions(set(HEADS))],
        "taxonomy": [Taxonomy, None],
        "blocks": [StrOptions({"auto"}), dict],
        "size": [StrOptions(set(SIZES))],
        "recipe": [StrOptions({"report", "small"}), Recipe],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "batch_size": [Interval(Integral, 2, None, closed="left"), StrOptions({"auto"})],
        "patience": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), StrOptions({"auto"}), None],
        "augmentation": [StrOptions({"default"}), dict, None],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "distillation_weight": [Interval(Real, 0, None, closed="left")],
        "precision": [StrOptions({"float32", "bfloat16"})],
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
        blocks="auto",
        size="report",
        recipe="report",
        lr=1e-3,
        max_epochs="auto",
        batch_size="auto",
        patience="auto",
        validation_fraction="auto",
        augmentation="default",
        class_weight=None,
        distillation_weight=1.0,
        precision="float32",
        device="auto",
        n_threads=1,
        callbacks=None,
        random_state=None,
        verbose=0,
    ):
        self.branch = branch
        self.head = head
        self.taxonomy = taxonomy
        self.blocks = blocks
        self.size = size
        self.recipe = recipe
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.augmentation = augmentation
        self.class_weight = class_weight
        self.distillation_weight = distillation_weight
        self.precision = precision
        self.device = device
        self.n_threads = n_threads
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, groups=None, train_only=None, soft_targets=None, validation=None):
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

        validation : tuple (X, y), default=None
            Validation rows of your own for early stopping, such as the validation part of a fold. All rows of `X` are
            then trained on, whatever `validation_fraction` says.

        Returns
        -------
        self : BranchClassifier

        Raises
        ------
        DataFormatError
            If blocks are missing, of the wrong shape or not finite, or no validation part can be made.

        Warns
        -----
        FewClipsWarning
            If the report's widths are trained by the report's recipe on fewer than 2,000 distinct rows.
        """
        for name in ("net_", "fold_best_epochs_"):
            vars(self).pop(name, None)
        recipe = resolve_recipe(self.recipe)
        inputs, labels = self._read_training(X, y)
        given = {"sample_weight": sample_weight, "groups": groups, "train_only": train_only}
        rows, self.classes_, self.taxonomy_ = check_rows(inputs, labels, self.taxonomy, soft_targets, **given)
        self.top_classes_ = self.taxonomy_.tops
        warn_of_few_clips(len(rows.target), self.size, recipe)
        self._architecture = describe(
            self.branch,
            self.head,
            self.size,
            recipe,
            shapes=inputs.shapes(),
            taxonomy=self.taxonomy_,
            is_plain=self._blocks is None,
        )
        trainer = self._trainer(recipe).for_rows(len(rows.target), self.max_epochs)
        context = self._init_callback_context(max_subtasks=trainer.max_epochs)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        rng = check_random_state(self.random_state)
        split, torch_seed, order = (int(seed) for seed in rng.randint(np.iinfo(np.int32).max, size=3))
        outside = None if validation is None else read_validation(validation, self._read, self.classes_)
        fraction = recipe.validation_fraction if self.validation_fraction == "auto" else self.validation_fraction
        fraction = None if outside is not None else fraction
        session = partial(training_session, torch_seed, trainer.device, self.n_threads)
        if recipe.refit and fraction is not None:
            trainer, self.fold_best_epochs_ = settle_epochs(
                trainer, inputs, rows, fraction, seeds=(split, order), session=session
            )
            fraction = None
        valid = held_out_rows(rows, fraction, np.random.RandomState(split), self.classes_)
        if self._architecture["late_fusion"] and outside is None and fraction is None:
            trainer = settle_share(trainer, inputs, rows, seeds=(split, order), session=session)
        events = EpochEvents(
            self, context, X, y, lambda net: {"net_": net}, max_epochs=trainer.max_epochs, verbose=self.verbose
        )
        with session():
            self.net_, self.best_epoch_ = trainer.train(
                inputs, rows, valid, outside=outside, order_rng=np.random.RandomState(order), events=events
            )
        self.history_ = history_frame(self.net_)
        self.n_iter_ = len(self.history_)
        context.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes={})
        return self

    def decision_function(self, X):
        """Logits of the classes, of shape (n_samples, n_classes), or (n_samples,) with two classes.

        What the second-level classifier gives, in the order of ``classes_``; with ``head="lcl"`` the log-probabilities
        after the top-down correction. With two classes, the second one's minus the first one's.
        """
        leaf, top = self._forward(forward_rows, X)
        logits = self._leaf_log_proba(leaf, top) if self._head == "lcl" else leaf.astype(np.float64)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_log_proba(self, X):
        """Log-probabilities of the classes, of shape (n_samples, n_classes), float64; see `predict_proba`."""
        return self._leaf_log_proba(*self._forward(forward_rows, X))

    def predict_proba(self, X):
        """Probabilities, of shape (n_samples, n_classes), float64, in the order of ``classes_``; rows sum to 1."""
        return np.exp(self.predict_log_proba(X))

    def predict(self, X):
        """Most probable class of each row of `X`, ndarray of shape (n_samples,)."""
        check_is_fitted(self)
        return self.classes_[self.predict_log_proba(X).argmax(axis=1)]

    def predict_top_proba(self, X):
        """Probabilities of the top level, of shape (n_samples, n_top_classes), float64, columns as ``top_classes_``.

        With ``head="gc"`` those of the parallel top-level layer, with any other head the sums of the second-level ones.
        The most probable of them need not be that of the class; `predict_top` is, and is the answer at the top level.
        """
        leaf, top = self._forward(forward_rows, X)
        if self._head == "gc":
            return np.exp(top_log_proba(top))
        return self.taxonomy_.aggregate(np.exp(self._leaf_log_proba(leaf, top)))

    def embed(self, X):
        """What the network makes of each row, to find neighbours by, of shape (n_samples, n_embedding), float32.

        That is the latent vector before the head. With a linear prior, where the head only adds to what linear models
        say, latent vectors tell classes badly apart; there it is the n_classes second-level logits, less their mean.
        """
        return self.embed_predict_proba(X)[0]

    def embed_predict_proba(self, X):
        """What `embed` and `predict_proba` give, as a pair, in one pass of the network."""
        embedding, leaf, top = self._forward(embed_forward_rows, X)
        if self._architecture["linear_prior"] or self._architecture.get("frame_prior"):
            embedding = leaf - leaf.mean(axis=1, keepdims=True)
        return embedding, np.exp(self._leaf_log_proba(leaf, top))

    def _read_training(self, X, y):
        """Checked features and labels of `fit`; learns which blocks there are and how wide."""
        inputs, labels, self._blocks = read_training(
            X, y, blocks=self.blocks, branch=self.branch, read_array=partial(validate_data, self, dtype=np.float32)
        )
        if self._blocks is not None:
            self.n_features_in_ = X.shape[1]
        self._row_shapes = inputs.shapes()
        return inputs, labels

    def _read(self, X):
        """Checked features of rows that are not trained on."""
        return read_rows(
            X,
            blocks=self._blocks,
            row_shapes=self._row_shapes,
            n_prior=self._architecture.get("n_prior"),
            read_array=partial(validate_data, self, dtype=np.float32),
        )

    def _trainer(self, recipe):
        return Trainer(
            architecture=self._architecture,
            recipe=recipe,
            classes=self.classes_,
            max_epochs=most_epochs(self.max_epochs, recipe, self._architecture),
            lr=self.lr,
            batch_size=self.batch_size,
            patience=self.patience,
            augmentation=self.augmentation,
            class_weight=self.class_weight,
            distillation_weight=self.distillation_weight,
            precision=self.precision,
            device=resolve_device(self.device),
            n_threads=self.n_threads,
            callbacks=self.callbacks,
        )

    def _forward(self, function, X):
        check_is_fitted(self)
        inputs = self._read(X)
        chunk_size = 256 if inputs.frames is None else 32
        with borrowed_threads(self.n_threads):
            return function(self.net_.module_, inputs, chunk_size=chunk_size, device=self.net_.device)

    def _leaf_log_proba(self, leaf, top):
        if self._head != "lcl":
            return leaf_log_proba(leaf, None, self.taxonomy_.parent_of_leaf, beta=1.0)
        return leaf_log_proba(leaf, top, self.taxonomy_.parent_of_leaf, beta=resolve_recipe(self.recipe).beta)

    @property
    def _head(self):
        return self._architecture["head"]

    def __getstate__(self):
        """Plain arrays and parameters; no torch or skorch object."""
        return packed(super().__getstate__())

    def __setstate__(self, state):
        """Build the network again, on the CPU where its GPU is not there."""
        state, weights = unpacked(state)
        super().__setstate__(state)
        if weights is not None:
            self.net_ = self._trainer(resolve_recipe(self.recipe)).restored(weights)
