"""CLAP embeddings of sounds."""

import os
from numbers import Integral
from typing import ClassVar

from sklearn.base import ClassNamePrefixFeaturesOutMixin

from skbst._sklearn import Interval, StrOptions
from skbst.features._clap._audio_run import AudioRun
from skbst.features._clap._checkpoint._architecture import N_FEATURES
from skbst.features._clap._modules import clap_modules
from skbst.features._embedding._sound_featurizer import SoundFeaturizer
from skbst.features._store._batches import embed_batches, open_store
from skbst.features._store._embedding_store import EmbeddingStore

__all__ = ["ClapAudioFeaturizer"]


class ClapAudioFeaturizer(ClassNamePrefixFeaturesOutMixin, SoundFeaturizer):
    """Embed sounds with the audio encoder of CLAP (contrastive language-audio pre-training).

    A sound becomes one vector of length 1 that depends on the sound and the settings alone: not on the other sounds of
    a batch, their order, `n_jobs`, the process, or any random generator, none of which is touched. The network
    sees one sound at a time, on one thread; several sounds run in parallel.

    Sounds of up to 10 s are repeated as often as they fit whole, then padded with silence. Of longer ones a fusion
    checkpoint reads the whole, shrunk to 10 s, and three windows; the others read one window.

    Parameters
    ----------
    checkpoint : str or path-like, default="630k-audioset-fusion-best"
        A name of laion-clap's published checkpoints (``"630k-best"``, ``"630k-audioset-best"``,
        ``"630k-fusion-best"``, ``"630k-audioset-fusion-best"``, ``"music-audioset"``, ``"music-speech"``,
        ``"music-speech-audioset"``), which is downloaded when it is first needed; a file in that format; or, for
        ``backend="transformers"``, a folder that transformers saved or a hub repository such as
        ``"laion/clap-htsat-fused"``. See :ref:`clap_checkpoints`.

    backend : {"laion-clap", "transformers"}, default="laion-clap"
        The library whose network runs. Both read laion-clap's files, and agree to 1e-6 in cosine.

    column : str, default="audio"
        Column of a DataFrame that holds the paths.

    windows : {"thirds", "random"}, default="thirds"
        Which windows of a sound of more than 10 s are read: one in the centre of each third of the possible starts
        (one window: the middle of the sound); or those that laion-clap would draw from `random_state`.

    quantize : bool, default=False
        Round samples to 16 bits first, as laion-clap does with files and arrays. With ``windows="random"`` this is
        laion-clap's own path.

    antialias : bool, default=True
        Smooth the whole of a longer sound as it is shrunk. laion-clap does so with torchvision from 0.17 on; it
        did not when the published checkpoints were trained, and transformers never does.

    store : str, path-like or EmbeddingStore, default=None
        Where embeddings are kept: the root of a data set or any folder. A sound whose content is there for
        these settings is not embedded again. Sounds with something wrong are never kept, so that the
        warning comes each time.

    on_error : {"silence", "raise"}, default="silence"
        What becomes of a sound that cannot be decoded: CLAP's embedding of silence and a warning, or an error.

    batch_size : int, default=32
        How many sounds are embedded and stored together; what a killed run loses. Has no effect on the result.

    n_jobs : int, default=None
        Number of threads; None takes as many as torch may use (``torch.get_num_threads()``), -1 all cores.

    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ... "auto" takes a GPU where there is one. Results of different
        devices, processors and versions of torch differ in their last bits.

    random_state : int, RandomState instance or None, default=None
        For ``windows="random"``. An int draws what laion-clap draws after ``numpy.random.seed`` of that int;
        None draws anew and leaves NumPy's global generator alone.

    verbose : int, default=0
        Above 0 a progress bar is shown.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples of a waveform, where `X` is a table of waveforms.

    See Also
    --------
    ClapTextFeaturizer : Text in the same space.
    EmbeddingStore : Reads and writes embeddings, and compares them with those that a data set ships.

    Notes
    -----
    The weights are loaded when the first sound is embedded, once in a process for all featurizers and clones that name
    the same content, and never pickled. The featurizer needs the extra ``skbst[clap]``.

    References
    ----------
    Y. Wu, K. Chen, T. Zhang, Y. Hui, T. Berg-Kirkpatrick, S. Dubnov, "Large-scale contrastive language-audio
    pretraining with feature fusion and keyword-to-caption augmentation", ICASSP 2023.

    Examples
    --------
    >>> from skbst.features import ClapAudioFeaturizer
    >>> featurizer = ClapAudioFeaturizer(windows="thirds", store="bsd10k")
    >>> featurizer.fit(["bark.wav", "rain.flac"])
    ClapAudioFeaturizer(store='bsd10k')
    >>> featurizer.transform(["bark.wav", "rain.flac"]).shape  # doctest: +SKIP
    (2, 512)
    """

    _parameter_constraints: ClassVar[dict] = {
        "checkpoint": [str, os.PathLike],
        "backend": [StrOptions({"laion-clap", "transformers"})],
        "column": [str],
        "windows": [StrOptions({"thirds", "random"})],
        "quantize": ["boolean"],
        "antialias": ["boolean"],
        "store": [str, os.PathLike, EmbeddingStore, None],
        "on_error": [StrOptions({"silence", "raise"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "device": [str],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        checkpoint="630k-audioset-fusion-best",
        *,
        backend="laion-clap",
        column="audio",
        windows="thirds",
        quantize=False,
        antialias=True,
        store=None,
        on_error="silence",
        batch_size=32,
        n_jobs=None,
        device="auto",
        random_state=None,
        verbose=0,
    ):
        self.checkpoint = checkpoint
        self.backend = backend
        self.column = column
        self.windows = windows
        self.quantize = quantize
        self.antialias = antialias
        self.store = store
        self.on_error = on_error
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def _check_settings(self):
        if self.store is not None and self.windows == "random":
            raise ValueError('A store keeps embeddings for the next time; windows="random" makes others each time.')

    def _embed_sources(self, sources):
        run = AudioRun(self, sources)
        embeddings = embed_batches(
            len(sources),
            N_FEATURES,
            run.keys,
            run.compute,
            batch_size=self.batch_size,
            store=open_store(self, "clap_audio"),
            pipeline=run.pipeline,
            progress={"desc": "CLAP audio", "verbose": self.verbose},
        )
        return embeddings, run.problems

    def shared_modules(self):
        """Hand out the torch modules that embed sounds, loaded if they are not yet.

        All featurizers of a process share them; `skbst.submission.measure_complexity` counts their parameters.

        Returns
        -------
        modules : list of torch.nn.Module
        """
        return clap_modules(self, "audio")

    @property
    def _n_features_out(self):
        return N_FEATURES

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.windows == "random"
        return tags
