"""Embeddings of text by any encoder that sentence-transformers loads."""

import os
import warnings
from numbers import Integral
from typing import ClassVar

import pandas as pd

from skbst._sklearn import HasMethods, Interval, StrOptions
from skbst.audio import problem_report, record_problems
from skbst.features._embedding._text_featurizer import TextFeaturizer
from skbst.features._embedding._texts import warn_of_lost
from skbst.features._encoders._sentence_run import SentenceCounter, SentenceRun, load_sentence_model, n_features_of
from skbst.features._store._batches import embed_batches, open_store
from skbst.features._store._embedding_store import EmbeddingStore

__all__ = ["SentenceTransformerFeaturizer"]


class SentenceTransformerFeaturizer(TextFeaturizer):
    """Embed titles, tags and descriptions with a pretrained sentence encoder.

    A text becomes one vector that depends on the text and the settings alone: texts of one length run side by side on
    one thread, with the bytes that each has alone, so that nothing is padded. An empty text is missing: its row is 0,
    and told of.

    Parameters
    ----------
    model : str or path-like
        Folder of a sentence-transformers model, or a hub id such as ``"sentence-transformers/all-MiniLM-L6-v2"``,
        which is fetched when it is first needed. Weights are read from safetensors only; code of a model never runs.

    revision : str, default=None
        Branch, tag or commit of a hub repository.

    prompt_name : str, default=None
        Which of the model's own prompts stands before each text; None takes the model's default.

    truncate_dim : int, default=None
        Keep the first numbers of a vector, for models that were trained so (Matryoshka).

    normalize : bool, default=True
        Bring vectors to length 1.

    cleaner : "default", transformer or None, default="default"
        What makes texts of a table of clips. "default" is a :class:`~skbst.text.MetadataCleaner` for title, tags
        and description that counts tokens with the model's tokenizer and cuts at its longest input; sequences of text
        are taken as they are. A transformer is fitted to whatever `X` is, and returns texts, or a table with some of
        the columns "title", "tags" and "description". None takes the columns uncleaned.

    template : str, default=None
        How the columns become one text, such as ``"{title} ({tags})"``; None joins what is there as
        ``"{title}. {tags}. {description}"``.

    precision : {"float32", "bfloat16", "float16"}, default="float32"
        Type in which the network computes. Vectors are float32 in any case; a store keeps the types apart.

    store : str, path-like or EmbeddingStore, default=None
        Folder where embeddings are kept, by the final text, the model's files and the settings.

    batch_size : int, default=2048
        How many texts are embedded and stored together; what a killed run loses. Has no effect on the result; the more
        texts there are, the fewer have a length of their own.

    n_jobs : int, default=None
        Number of threads; None takes as many as torch may use (``torch.get_num_threads()``), -1 all cores.

    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ... "auto" takes a GPU where there is one.

    local_files_only : bool, default=False
        Never use the network.

    verbose : int, default=0
        Above 0 a progress bar is shown.

    Attributes
    ----------
    cleaner_ : transformer or None
        The fitted cleaner; None where texts are taken as they are.

    n_features_in_ : int
        Number of columns of `X`, where it is a table.

    feature_names_in_ : ndarray of str
        Names of the columns, where `X` is a DataFrame.

    See Also
    --------
    TransformersAudioFeaturizer : The same for sounds.
    ClassPriorFeaturizer : Probabilities of classes from such embeddings and the classes' names.

    Notes
    -----
    Weights are loaded when the first text is embedded, once in a process, and never pickled. Needs the extra
    ``skbst[encoders]``.

    References
    ----------
    N. Reimers, I. Gurevych, "Sentence-BERT: sentence embeddings using Siamese BERT-networks", EMNLP 2019.

    Examples
    --------
    >>> from skbst.features import SentenceTransformerFeaturizer
    >>> featurizer = SentenceTransformerFeaturizer("sentence-transformers/all-MiniLM-L6-v2", store="bsd10k")
    >>> featurizer.fit_transform(["rain on a tin roof", "a dog barks"]).shape  # doctest: +SKIP
    (2, 384)
    """

    _parameter_constraints: ClassVar[dict] = {
        "model": [str, os.PathLike],
        "revision": [str, None],
        "prompt_name": [str, None],
        "truncate_dim": [Interval(Integral, 1, None, closed="left"), None],
        "normalize": ["boolean"],
        "cleaner": [StrOptions({"default"}), HasMethods(["fit", "transform"]), None],
        "template": [str, None],
        "precision": [StrOptions({"float32", "bfloat16", "float16"})],
        "store": [str, os.PathLike, EmbeddingStore, None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "device": [str],
        "local_files_only": ["boolean"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        model,
        *,
        revision=None,
        prompt_name=None,
        truncate_dim=None,
        normalize=True,
        cleaner="default",
        template=None,
        precision="float32",
        store=None,
        batch_size=2048,
        n_jobs=None,
        device="auto",
        local_files_only=False,
        verbose=0,
    ):
        self.model = model
        self.revision = revision
        self.prompt_name = prompt_name
        self.truncate_dim = truncate_dim
        self.normalize = normalize
        self.cleaner = cleaner
        self.template = template
        self.precision = precision
        self.store = store
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.device = device
        self.local_files_only = local_files_only
        self.verbose = verbose

    def transform(self, X):
        """Embed texts.

        Parameters
        ----------
        X : DataFrame or sequence of str
            As in `fit`.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_features), float32
            Zeros where there is no text.

        Raises
        ------
        DataFormatError
            If a table has none of the columns, or the cleaner was fitted on texts and gets a table.

        CheckpointError
            If the model is damaged, needs code of its own, or holds weights in another format than safetensors.

        DownloadError
            If the model is not on this machine and cannot be fetched.

        ImportError
            If the extra ``skbst[encoders]`` is not installed.

        Warns
        -----
        UserWarning
            Once, if rows have no text, and once, if lone surrogates, which no tokenizer reads, were left out of some;
            `transform_with_problems` says which.
        """
        embeddings, problems = self.transform_with_problems(X)
        record_problems(problems)
        warn_of_lost(problems, len(embeddings), stacklevel=4)
        missing = problems[problems["silent"]]
        if len(missing):
            warnings.warn(
                f"{len(missing)} of {len(embeddings)} clips have no text (first: {missing.index[0]!r}); their rows "
                "are 0.",
                UserWarning,
                stacklevel=3,
            )
        return embeddings

    def transform_with_problems(self, X):
        """Embed texts, and tell which were empty or lost a part instead of warning.

        Parameters
        ----------
        X : DataFrame or sequence of str
            As in `fit`.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_features), float32
            As from `transform`.

        problems : DataFrame
            One row for each clip without text, or whose text has lone surrogates: index ``sound_id``, columns ``audio``
            (empty), ``reason``, ``silent`` (False where the rest was embedded), ``detail``.
        """
        run = SentenceRun(self, *self._read(X))
        embeddings = embed_batches(
            len(run.texts),
            self._n_features_out,
            run.keys,
            run.compute,
            batch_size=self.batch_size,
            store=open_store(self, "sentence"),
            pipeline=run.pipeline,
            progress={"desc": "Sentence encoder", "unit": "text", "verbose": self.verbose},
        )
        ids = X.index if isinstance(X, (pd.DataFrame, pd.Series)) else None
        return embeddings, problem_report(run.problems, ids=ids)

    def _token_limits(self):
        longest = load_sentence_model(self).network.max_seq_length
        return {"max_tokens": longest, "token_counter": SentenceCounter(self)}

    def shared_modules(self):
        """Hand out the torch modules that embed texts, loaded if they are not yet.

        All featurizers of a process share them; `skbst.submission.measure_complexity` counts their parameters.

        Returns
        -------
        modules : list of torch.nn.Module
        """
        return [load_sentence_model(self).network]

    @property
    def _n_features_out(self):
        return n_features_of(self, load_sentence_model(self))
