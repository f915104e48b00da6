"""CLAP embeddings of text."""

import os
from numbers import Integral
from typing import ClassVar

import pandas as pd

from skbst._groups import groups_by_any_name
from skbst._sklearn import HasMethods, Interval, StrOptions
from skbst.audio import problem_report, record_problems
from skbst.features._clap._checkpoint._architecture import N_FEATURES
from skbst.features._clap._modules import clap_modules
from skbst.features._clap._text_run import TextRun, TokenCounter
from skbst.features._embedding._text_featurizer import TextFeaturizer
from skbst.features._embedding._texts import warn_of_lost
from skbst.features._store._batches import embed_batches, open_store
from skbst.features._store._embedding_store import EmbeddingStore

__all__ = ["ClapTextFeaturizer"]


class ClapTextFeaturizer(TextFeaturizer):
    """Embed text with the text encoder of CLAP, in the space of :class:`ClapAudioFeaturizer`.

    A text becomes one vector of length 1 that depends on the text and the weights alone, whatever else is embedded
    with it. The encoder reads 77 tokens, as in laion-clap's training; what follows is cut off.

    Parameters
    ----------
    checkpoint : str or path-like, default="630k-audioset-fusion-best"
        As in :class:`ClapAudioFeaturizer`.

    backend : {"laion-clap", "transformers"}, default="laion-clap"
        As in :class:`ClapAudioFeaturizer`.

    cleaner : "default", transformer or None, default="default"
        What makes texts of a table of clips. "default" is a
        :class:`~skbst.text.MetadataCleaner` for title, tags and description that counts tokens with the
        checkpoint's tokenizer, so that a long description never pushes out tags; sequences of text are taken
        as they are. A transformer is fitted to whatever `X` is, and returns texts, or a table with some of the
        columns "title", "tags" and "description", which are joined as ``"{title}. {tags}. {description}"``. None
        joins the columns of a table uncleaned.

    tokenizer : str, path-like or None, default=None
        Folder or hub repository of a tokenizer; None takes the checkpoint's own, which is RoBERTa's for laion-clap's
        files.

    store : str, path-like or EmbeddingStore, default=None
        Where embeddings are kept, by the final text: one that is there is not embedded again.

    batch_size : int, default=256
        How many texts are embedded and stored together; what a killed run loses. Has no effect on the result.

    n_jobs : int, default=None
        Number of threads; None takes as many as torch may use (``torch.get_num_threads()``), -1 all cores.

    device : str, default="auto"
        As in :class:`ClapAudioFeaturizer`.

    verbose : int, default=0
        Above 0 a progress bar is shown.

    Attributes
    ----------
    cleaner_ : transformer or None
        The fitted cleaner; None where `X` is a sequence of texts that is taken as it is.

    n_features_in_ : int
        Number of columns of `X`, where it is a table.

    feature_names_in_ : ndarray of str
        Names of the columns, where `X` is a DataFrame.

    See Also
    --------
    ClapZeroShotClassifier : Classes from prompts.

    Notes
    -----
    Texts are padded to the next multiple of 8 tokens, not all to 77 as in laion-clap: that changes no more than the
    last bits, and a short text costs a fraction. Eight of one length run together where the processor gives each the
    same bytes as alone, which is checked for every length.

    Examples
    --------
    >>> from skbst.features import ClapTextFeaturizer
    >>> featurizer = ClapTextFeaturizer(cleaner=None)
    >>> featurizer.fit(["rain on a tin roof"])
    ClapTextFeaturizer(cleaner=None)
    >>> featurizer.transform(["rain on a tin roof"]).shape  # doctest: +SKIP
    (1, 512)
    """

    _parameter_constraints: ClassVar[dict] = {
        "checkpoint": [str, os.PathLike],
        "backend": [StrOptions({"laion-clap", "transformers"})],
        "cleaner": [StrOptions({"default"}), HasMethods(["fit", "transform"]), None],
        "tokenizer": [str, os.PathLike, None],
        "store": [str, os.PathLike, EmbeddingStore, None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "device": [str],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        checkpoint="630k-audioset-fusion-best",
        *,
        backend="laion-clap",
        cleaner="default",
        tokenizer=None,
        store=None,
        batch_size=256,
        n_jobs=None,
        device="auto",
        verbose=0,
    ):
        self.checkpoint = checkpoint
        self.backend = backend
        self.cleaner = cleaner
        self.tokenizer = tokenizer
        self.store = store
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.device = device
        self.verbose = verbose

    def fit(self, X, y=None, *, groups=None, uploader=None):
        """Fit the cleaner; no weights are loaded.

        Parameters
        ----------
        X : DataFrame with columns among "title", "tags", "description"; or a sequence of str
            The texts. Missing values count as empty text.

        y : None
            Ignored.

        groups : array-like of shape (n_samples,), default=None
            Who uploaded each clip, for a cleaner that asks for it.

        uploader : array-like of shape (n_samples,), default=None
            The old name of `groups`.

        Returns
        -------
        self : ClapTextFeaturizer
        """
        return super().fit(X, y, groups=groups_by_any_name(groups, uploader, "ClapTextFeaturizer"))

    def transform(self, X):
        """Embed texts.

        Parameters
        ----------
        X : DataFrame or sequence of str
            As in `fit`.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, 512), float32
            Rows of length 1.

        Raises
        ------
        DataFormatError
            If a table has none of the columns, or the cleaner was fitted on texts and gets a table.

        CheckpointError
            If the checkpoint is damaged, of another architecture, or unsafe.

        DownloadError
            If the checkpoint or the tokenizer is not on this machine and cannot be fetched.

        ImportError
            If the extra ``skbst[clap]`` is not installed.

        Warns
        -----
        UserWarning
            Once, if lone surrogates, which no tokenizer reads, were left out of texts.
        """
        texts, lost = self._read(X)
        report = problem_report(lost, ids=X.index if isinstance(X, (pd.DataFrame, pd.Series)) else None)
        record_problems(report)
        warn_of_lost(report, len(texts), stacklevel=4)
        run = TextRun(self, texts)
        return embed_batches(
            len(texts),
            N_FEATURES,
            run.keys,
            run.compute,
            batch_size=self.batch_size,
            store=open_store(self, "clap_text"),
            pipeline=run.pipeline,
            progress={"desc": "CLAP text", "unit": "text", "verbose": self.verbose},
        )

    def _token_limits(self):
        return {"token_counter": TokenCounter(self.checkpoint, self.tokenizer)}

    def shared_modules(self):
        """Hand out the torch modules that embed texts, loaded if they are not yet.

        All featurizers of a process share them; `skbst.submission.measure_complexity` counts their parameters.

        Returns
        -------
        modules : list of torch.nn.Module
        """
        return clap_modules(self, "text")

    @property
    def _n_features_out(self):
        return N_FEATURES
