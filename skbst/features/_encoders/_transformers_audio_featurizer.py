"""Embeddings of sounds by any audio encoder that transformers loads."""

import os
import warnings
from numbers import Integral, Real
from typing import ClassVar

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from skbst._sklearn import Interval, StrOptions, _fit_context, check_is_fitted
from skbst._versioned import VersionedMixin
from skbst.audio import announce_problems, problem_report
from skbst.features._clips._sources import read_sources
from skbst.features._encoders._audio_run import AudioEncoderRun, AudioEncoding
from skbst.features._encoders._locate import check_code_is_pinned
from skbst.features._encoders._rows import EmbeddingStore, embed_batches, open_store
from skbst.features._store._access import store_at_fit

__all__ = ["TransformersAudioFeaturizer"]


class TransformersAudioFeaturizer(VersionedMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Embed sounds with a pretrained audio encoder of the transformers library.

    A sound becomes one vector that depends on the sound and the settings alone: not on the other sounds of a batch,
    their order, `n_jobs`, or any random generator, none of which is touched. The sound is decoded and resampled to
    the rate that the model's feature extractor names, and cut into windows, each of which the network reads alone on
    one thread; the vectors of the windows are averaged, each weighted by how much of it is sound. No window is
    drawn at random.

    A sound that is shorter than the encoder can read (0.1 s, or the reach of its convolutions where that is more) is
    repeated up to that length, and told of.

    Parameters
    ----------
    model : str or path-like
        Folder that ``save_pretrained`` wrote, with the settings of the feature extractor; or a hub id such as
        ``"facebook/wav2vec2-base"``, which is fetched when it is first needed. Weights are read from safetensors only.
        Known model types: audio-spectrogram-transformer, clap, data2vec-audio, hubert, moonshine, parakeet_encoder,
        pe_audio, pe_audio_encoder, sew, sew-d, speech_to_text, unispeech, unispeech-sat, wav2vec2, wav2vec2-bert,
        wav2vec2-conformer, wavlm, whisper (its encoder).

    revision : str, default=None
        Branch, tag or commit of a hub repository.

    layer : "last" or int, default="last"
        Layer whose frames are pooled, from 0 (what the first layer reads); negative numbers count from the end.

    pooling : {"auto", "mean", "max", "mean+max", "pooler", "cls", "projection"}, default="auto"
        What makes one vector of a window. "auto" takes the projection into the shared space where the model has one
        (clap, pe_audio), its pooler (audio-spectrogram-transformer, pe_audio_encoder), else the mean over frames.
        What a model does not have is an error that lists what it has.

    window : "auto" or float, default="auto"
        Length of a window in seconds. "auto" takes what the feature extractor was configured for (clap 10 s,
        whisper 30 s, ...), and 10 s where it names none.

    hop : float, default=None
        Distance of the starts of two windows in seconds, at most `window`; None puts them side by side.

    normalize : bool, default=True
        Bring vectors to length 1.

    column : str, default="audio"
        Column of a DataFrame that holds the paths.

    precision : {"float32", "bfloat16", "float16"}, default="float32"
        Type in which the network computes. Vectors are float32 in any case; a store keeps the types apart.

    store : str, path-like or EmbeddingStore, default=None
        Folder where embeddings are kept by the content of the sound, the model's files and the settings. Sounds with
        something wrong are never kept, so that the warning comes each time.

    on_error : {"silence", "raise"}, default="silence"
        What becomes of a sound that cannot be decoded: the embedding of silence and a warning, or an error.

    batch_size : int, default=32
        How many sounds are embedded and stored together; what a killed run loses. Has no effect on the result.

    n_jobs : int, default=None
        Number of threads; None takes as many as torch may use (``torch.get_num_threads()``), -1 all cores.

    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ... "auto" takes a GPU where there is one.

    local_files_only : bool, default=False
        Never use the network.

    trust_remote_code : bool, default=False
        Run Python code that the hub repository brings. Needs a `revision` of 40 hexadecimal digits, is never taken from
        a file (a featurizer that is unpickled or loaded has it off), and is none of our business: read that code.

    verbose : int, default=0
        Above 0 a progress bar is shown.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples of a waveform, where `X` is a table of waveforms.

    See Also
    --------
    ClapAudioFeaturizer : LAION's CLAP as its authors run it.
    SentenceTransformerFeaturizer : The same for texts.
    encoder_report : Is an encoder sound?

    Notes
    -----
    Weights are loaded when the first sound is embedded, once in a process, and never pickled. Needs the extra
    ``skbst[encoders]``.

    Examples
    --------
    >>> from skbst.features import TransformersAudioFeaturizer
    >>> featurizer = TransformersAudioFeaturizer("MIT/ast-finetuned-audioset-10-10-0.4593", store="bsd10k")
    >>> featurizer.fit_transform(["bark.wav", "rain.flac"]).shape  # doctest: +SKIP
    (2, 768)
    """

    _parameter_constraints: ClassVar[dict] = {
        "model": [str, os.PathLike],
        "revision": [str, None],
        "layer": [StrOptions({"last"}), Integral],
        "pooling": [StrOptions({"auto", "mean", "max", "mean+max", "pooler", "cls", "projection"})],
        "window": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "hop": [Interval(Real, 0, None, closed="neither"), None],
        "normalize": ["boolean"],
        "column": [str],
        "precision": [StrOptions({"float32", "bfloat16", "float16"})],
        "store": [str, os.PathLike, EmbeddingStore, None],
        "on_error": [StrOptions({"silence", "raise"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "device": [str],
        "local_files_only": ["boolean"],
        "trust_remote_code": ["boolean"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        model,
        *,
        revision=None,
        layer="last",
        pooling="auto",
        window="auto",
        hop=None,
        normalize=True,
        column="audio",
        precision="float32",
        store=None,
        on_error="silence",
        batch_size=32,
        n_jobs=None,
        device="auto",
        local_files_only=False,
        trust_remote_code=False,
        verbose=0,
    ):
        self.model = model
        self.revision = revision
        self.layer = layer
        self.pooling = pooling
        self.window = window
        self.hop = hop
        self.normalize = normalize
        self.column = column
        self.precision = precision
        self.store = store
        self.on_error = on_error
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.device = device
        self.local_files_only = local_files_only
        self.trust_remote_code = trust_remote_code
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters and the input; nothing is learnt, and no weights are loaded.

        Parameters
        ----------
        X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
            As in `transform`.

        y : None
            Ignored.

        Returns
        -------
        self : TransformersAudioFeaturizer
        """
        check_code_is_pinned(self.model, self.revision, self.trust_remote_code)
        read_sources(self, X, self.column, reset=True)
        self._store_at_fit = store_at_fit(self)
        self._is_fitted = True
        return self

    def transform(self, X):
        """Embed sounds.

        Parameters
        ----------
        X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
            A DataFrame holds paths in `column`; a sequence may hold tuples (waveform, sample_rate) as well. A
            2-D array (or a DataFrame of numbers) holds one waveform a row, in [-1, 1] at the model's rate.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_features), float32

        Raises
        ------
        AudioDecodeError
            With ``on_error="raise"``, if a sound cannot be decoded.

        CheckpointError
            If the model is damaged, of an unknown type, or lacks weights in the safetensors format.

        DownloadError
            If the model is not on this machine and cannot be fetched.

        ImportError
            If the extra ``skbst[encoders]`` is not installed.

        Warns
        -----
        AudioDecodeWarning
            Once, if a sound became silence, was damaged or too short; `transform_with_problems` says which and why.
        """
        embeddings, report = self.transform_with_problems(X)
        announce_problems(report, len(embeddings), on_error=self.on_error, stacklevel=3)
        return embeddings

    def transform_with_problems(self, X):
        """Embed sounds, and tell what was wrong instead of warning.

        Parameters
        ----------
        X : DataFrame, Series, sequence of paths, or array-like of shape (n_samples, n_values)
            As in `transform`.

        Returns
        -------
        embeddings : ndarray of shape (n_samples, n_features), float32
            As from `transform`.

        problems : DataFrame
            One row for each sound with something wrong: index ``sound_id``, columns ``audio``, ``reason``, ``silent``,
            ``detail``.
        """
        check_is_fitted(self)
        sources = read_sources(self, X, self.column, reset=False)
        run = AudioEncoderRun(self, sources)
        embeddings = embed_batches(
            len(sources),
            run.encoding.n_features,
            run.keys,
            run.compute,
            batch_size=self.batch_size,
            store=open_store(self, "transformers_audio"),
            pipeline=run.pipeline,
            progress={"desc": "Audio encoder", "verbose": self.verbose},
        )
        return embeddings, problem_report(run.problems, ids=sources.ids, sources=sources.items)

    def shared_modules(self):
        """Hand out the torch modules that embed sounds, loaded if they are not yet.

        All featurizers of a process share them; `skbst.submission.measure_complexity` counts their parameters.

        Returns
        -------
        modules : list of torch.nn.Module
        """
        return AudioEncoderRun(self, ()).model.modules

    @property
    def _n_features_out(self):
        return AudioEncoding(self).n_features

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_is_fitted")

    def __setstate__(self, state):
        if state.get("trust_remote_code"):
            state = {**state, "trust_remote_code": False}
            warnings.warn(
                "trust_remote_code=True is never taken from a file or another process; set it again where you mean it.",
                UserWarning,
                stacklevel=2,
            )
        super().__setstate__(state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
