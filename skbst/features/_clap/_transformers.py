"""Adapter to transformers' ClapModel: everything that knows that library's CLAP stands here."""

import json

from skbst.exceptions import CheckpointError
from skbst.features._clap._checkpoint._architecture import N_FEATURES, describe
from skbst.features._clap._checkpoint._convert import to_transformers, transformers_config
from skbst.features._clap._checkpoint._download import require_clap
from skbst.features._clap._frontend import AudioSpec
from skbst.features._clap._weights import load_strictly, read_state, without_initialisation

__all__ = ["TransformersClap"]

_COMPUTED = (".embeddings.position_ids", ".embeddings.token_type_ids", ".relative_position_index")


class TransformersClap:
    """A CLAP of transformers.

    Parameters
    ----------
    network : transformers.ClapModel
        In evaluation mode.

    spec : AudioSpec
        What its audio encoder reads.
    """

    def __init__(self, network, spec):
        self.network = network
        self.spec = spec

    @classmethod
    def load(cls, checkpoint, device):
        """Build the network that a checkpoint asks for and fill it.

        Parameters
        ----------
        checkpoint : Checkpoint
            A folder of transformers, or a file of laion-clap, whose weights are renamed.

        device : torch.device
            Where the network shall live.

        Returns
        -------
        model : TransformersClap

        Raises
        ------
        CheckpointError
            If the checkpoint is damaged, or of another architecture.
        """
        transformers = require_clap("transformers", 'CLAP with backend="transformers"')
        if checkpoint.is_folder:
            config, spec, state = _read_folder(transformers, checkpoint.path)
        else:
            raw = read_state(checkpoint.path)
            architecture = describe(raw, checkpoint.path)
            config = transformers.ClapConfig(**transformers_config(architecture))
            spec = AudioSpec(fusion=architecture.fusion)
            state = to_transformers(raw)
        with without_initialisation():
            network = transformers.ClapModel(config)
        load_strictly(network, state, checkpoint.path, computed=_COMPUTED)
        return cls(network.to(device), spec)

    def embed_audio(self, mel):
        """Embed one sound.

        Parameters
        ----------
        mel : Tensor of shape (n_channels, n_frames, n_mels)
            From the front end; four channels are fused. transformers' own feature extractor would declare a short
            sound of the batch, chosen at random, to be longer.

        Returns
        -------
        embedding : Tensor of shape (n_features,)
            Not normalised.
        """
        import torch

        longer = torch.tensor([[len(mel) > 1]], device=mel.device)
        pooled = self.network.audio_model(input_features=mel[None], is_longer=longer).pooler_output
        return self.network.audio_projection(pooled)[0]

    @property
    def pad_token(self):
        """Number of the token that fills a text."""
        return self.network.text_model.config.pad_token_id

    def embed_text(self, token_ids, mask):
        """Embed texts.

        Parameters
        ----------
        token_ids : Tensor of shape (n_texts, n_tokens), int64
            Padded with `pad_token`.

        mask : Tensor of shape (n_texts, n_tokens), int64
            1 where there is text.

        Returns
        -------
        embeddings : list of Tensor of shape (n_features,)
            Not normalised.
        """
        model = self.network.text_model
        hidden = model(input_ids=token_ids, attention_mask=mask).last_hidden_state
        # one row at a time: products of few rows are those that round differently in company
        return [self.network.text_projection(model.pooler(row[None]))[0] for row in hidden]


def _read_folder(transformers, folder):
    settings = _read_json(folder / "config.json")
    if settings.get("model_type") != "clap":
        raise CheckpointError(f"{folder} holds a model of type {settings.get('model_type')!r}; expected 'clap'.")
    try:
        return _read_parts(transformers, folder, settings)
    except CheckpointError:
        raise
    except Exception as error:  # a setting of another kind ends in any error of transformers' own
        raise CheckpointError(f"The settings in {folder} are damaged or of another version: {error!r}.") from error


def _read_parts(transformers, folder, settings):
    config = transformers.ClapConfig(**settings)
    if config.projection_dim != N_FEATURES:
        raise CheckpointError(
            f"{folder}: expected embeddings of {N_FEATURES} numbers, these have {config.projection_dim}."
        )
    weights = folder / "model.safetensors"
    state = read_state(weights if weights.is_file() else folder / "pytorch_model.bin")
    return config, _read_spec(folder, config), state


def _read_spec(folder, config):
    """Read the front end's settings; a folder without them has those of laion-clap."""
    path = folder / "preprocessor_config.json"
    settings = _read_json(path) if path.is_file() else {}
    settings = settings.get("feature_extractor", settings)
    rate = settings.get("sampling_rate", 48000)
    spec = AudioSpec(
        sample_rate=rate,
        n_fft=settings.get("fft_window_size", 1024),
        hop_length=settings.get("hop_length", 480),
        n_mels=settings.get("feature_size", 64),
        f_min=float(settings.get("frequency_min", 50)),
        f_max=float(settings.get("frequency_max", 14000)),
        max_samples=int(settings.get("max_length_s", 10) * rate),
        fusion=config.audio_config.enable_fusion,
    )
    if spec.n_mels != config.audio_config.num_mel_bins:
        raise CheckpointError(
            f"{folder}: preprocessor_config.json makes {spec.n_mels} Mel bands, the network reads "
            f"{config.audio_config.num_mel_bins}."
        )
    return spec


def _read_json(path):
    try:
        settings = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (ValueError, OSError, RecursionError) as error:
        raise CheckpointError(f"{path} is not readable as JSON ({error}). Fetch it again.") from error
    if not isinstance(settings, dict):
        raise CheckpointError(f"{path} is missing or holds no settings; expected a JSON object. Fetch it again.")
    return settings
