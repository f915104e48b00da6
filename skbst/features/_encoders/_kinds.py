"""The audio encoders of transformers that are known here: what they read, and how a vector is made of what they say."""

from dataclasses import dataclass

from skbst.exceptions import CheckpointError

__all__ = ["KINDS", "Kind", "find_kind", "least_samples", "window_seconds"]

# no encoder hears a sentence or a bark in less, and all of them can read it
_LEAST_SECONDS = 0.1
# where the extractor's configuration names no window
_WINDOW_SECONDS = 10.0


@dataclass(frozen=True)
class Kind:
    """How one family of encoders is run.

    Parameters
    ----------
    poolings : tuple of str
        What can be made of its output; the first is what "auto" takes.

    reads : {"extractor", "clap", "pe"}, default="extractor"
        Who prepares a window: the model's own feature extractor, or our front end for CLAP.

    fixed : bool, default=False
        Whether the extractor fills every window up to one length.

    part : str, default=""
        Attribute of the model with the encoder, such as "encoder"; empty takes the model itself.

    skip : int, default=0
        Marks before the frames, which are no frames.

    sub_config : str, default=""
        Attribute of the configuration with the encoder's own.
    """

    poolings: tuple
    reads: str = "extractor"
    fixed: bool = False
    part: str = ""
    skip: int = 0
    sub_config: str = ""

    def own_config(self, config):
        """Configuration of the encoder itself."""
        return getattr(config, self.sub_config) if self.sub_config else config

    def n_features(self, config, pooling):
        """Length of a vector, from the configuration alone."""
        if pooling == "projection":
            return config.projection_dim if self.reads == "clap" else config.text_config.hidden_size
        size = self.own_config(config).hidden_size
        return 2 * size if pooling == "mean+max" else size


_FRAMES = ("mean", "max", "mean+max")
_SPEECH = Kind(_FRAMES)
#: Model type of a configuration and how it is run.
KINDS = {
    **dict.fromkeys(
        (
            "data2vec-audio",
            "hubert",
            "parakeet_encoder",
            "sew",
            "sew-d",
            "unispeech",
            "unispeech-sat",
            "wav2vec2",
            "wav2vec2-bert",
            "wav2vec2-conformer",
            "wavlm",
        ),
        _SPEECH,
    ),
    "audio-spectrogram-transformer": Kind(("pooler", "cls", *_FRAMES), fixed=True, skip=2),
    "clap": Kind(("projection", "pooler"), reads="clap", fixed=True, part="audio_model", sub_config="audio_config"),
    "moonshine": Kind(_FRAMES, part="encoder"),
    "pe_audio": Kind(("projection", "pooler", *_FRAMES), reads="pe", part="audio_encoder", sub_config="audio_config"),
    "pe_audio_encoder": Kind(("pooler", *_FRAMES), reads="pe"),
    "speech_to_text": Kind(_FRAMES, part="encoder"),
    "whisper": Kind(_FRAMES, fixed=True, part="encoder"),
}


def find_kind(config, where):
    """Kind of a model, or an error that lists those that are known.

    Parameters
    ----------
    config : transformers.PreTrainedConfig
        The whole model's.

    where : str
        Named in the error.
    """
    kind = KINDS.get(config.model_type)
    if kind is None:
        raise CheckpointError(
            f"{where} holds a model of type {config.model_type!r}, which is no audio encoder that is known here; known "
            f"are {', '.join(sorted(KINDS))}."
        )
    return kind


def window_seconds(kind, config, extractor):
    """Length of the window that an encoder was trained to read, from the extractor's configuration, in seconds."""
    if kind.reads == "clap":
        return float(extractor.max_length_s)
    if config.model_type == "whisper":
        return extractor.n_samples / extractor.sampling_rate
    if config.model_type == "audio-spectrogram-transformer":
        # frames of 25 ms every 10 ms
        return (extractor.max_length * 10 + 15) / 1000
    return _WINDOW_SECONDS


def least_samples(kind, config, extractor):
    """Fewest samples that an encoder is given; shorter sounds are repeated up to there."""
    if kind.fixed and config.model_type != "audio-spectrogram-transformer":
        return 1
    least = round(_LEAST_SECONDS * extractor.sampling_rate)
    kernels, strides = getattr(config, "conv_kernel", None), getattr(config, "conv_stride", None)
    if kernels and strides:
        n_frames = getattr(config, "squeeze_factor", 1)
        for kernel, stride in zip(reversed(kernels), reversed(strides)):
            n_frames = (n_frames - 1) * stride + kernel
        least = max(least, n_frames)
    return max(least, getattr(extractor, "hop_length", 1) if kind.reads == "pe" else 1)
