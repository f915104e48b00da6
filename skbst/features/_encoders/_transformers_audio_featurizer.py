"""Embeddings of sounds by any audio encoder that transformers loads."""

import os
import warnings
from numbers import Integral, Real
from typing import ClassVar

from sklearn.base import ClassNamePrefixFeaturesOutMixin

from skbst._sklearn import Interval, StrOptions
from skbst.features._embedding._sound_featurizer import SoundFeaturizer
from skbst.features._encoders._audio_run import AudioEncoderRun, AudioEncoding
from skbst.features._encoders._locate import check_code_is_pinned
from skbst.features._store._batches import embed_batches, open_store
from skbst.features._store._embedding_store import EmbeddingStore

__all__ = ["TransformersAudioFeaturizer"]


class TransformersAudioFeaturizer(ClassNamePrefixFeaturesOutMixin, SoundFeaturizer):
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
        whisper 30 s, ...), and 10 s where it names none. No shorter than what the encoder can read, above.

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

    def _check_settings(self):
        check_code_is_pinned(self.model, self.revision, self.trust_remote_code)

    def _embed_sources(self, sources):
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
        return embeddings, run.problems

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

    def __setstate__(self, state):
        if state.get("trust_remote_code"):
            state = {**state, "trust_remote_code": False}
            warnings.warn(
                "trust_remote_code=True is never taken from a file or another process; set it again where you mean it.",
                UserWarning,
                stacklevel=2,
            )
        super().__setstate__(state)
