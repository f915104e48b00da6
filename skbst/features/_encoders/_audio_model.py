"""One loaded audio encoder for all featurizers of a process that ask for the same weights."""

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from skbst._torch import resolve_device
from skbst.exceptions import CheckpointError
from skbst.features._clap._frontend import AudioSpec, prepare
from skbst.features._clips._memory import ran_out_of_memory
from skbst.features._encoders._kinds import find_kind
from skbst.features._encoders._locate import model_digest, quiet_loading, read_json, require_encoders

__all__ = ["AudioModel", "load_audio_model", "read_settings"]

# in Hz; whatever is not in it is a damaged setting
_RATES = range(1000, 1_000_001)
# three encoders side by side stay in memory, a fourth makes the oldest leave; taken as it is
_MAX_MODELS = 3
_models = OrderedDict()
_lock = threading.RLock()
# weights that are only used in training
_UNUSED = ("masked_spec_embed", "mask_time_emb", "mask_token")


def _reset_lock():
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_lock)


@dataclass(frozen=True)
class Settings:
    """What a folder says about its model, read without weights."""

    config: object
    extractor: object
    kind: object


def read_settings(folder, *, trust_remote_code=False, needed_by):
    """Read the configurations of a model and of its feature extractor.

    Parameters
    ----------
    folder : Path
        From `find_model`.

    trust_remote_code : bool, default=False
        Checked by `find_model`.

    needed_by : str
        Public name of who asks.

    Returns
    -------
    settings : Settings

    Raises
    ------
    CheckpointError
        If the model is none that is known here, needs code of its own, or says no sample rate.
    """
    return _read_settings(folder, bool(trust_remote_code), needed_by, model_digest(folder))


@lru_cache(maxsize=16)
def _read_settings(folder, trust_remote_code, needed_by, digest):
    transformers = require_encoders("transformers", needed_by)
    raw = read_json(folder / "config.json")
    _check_code(raw, folder, trust_remote_code)
    options = {"local_files_only": True, "trust_remote_code": trust_remote_code}
    try:
        config = transformers.AutoConfig.from_pretrained(folder, **options)
    except Exception as error:  # settings of another kind end in any error of the library's own
        raise CheckpointError(f"{folder}: transformers cannot read the configuration ({error}).") from error
    kind = find_kind(config, folder)
    try:
        extractor = transformers.AutoFeatureExtractor.from_pretrained(folder, **options)
    except Exception as error:  # settings of another kind end in any error of the library's own
        raise CheckpointError(
            f"{folder} holds no settings of a feature extractor that can be read ({error}), and so says no sample rate."
        ) from error
    if not hasattr(extractor, "sampling_rate"):
        raise CheckpointError(f"{folder}: the feature extractor {type(extractor).__name__} names no sampling_rate.")
    rate = extractor.sampling_rate
    if isinstance(rate, bool) or not isinstance(rate, int) or rate not in _RATES:
        raise CheckpointError(f"{folder}: a sampling_rate of {rate!r} is none; expected Hz, such as 16000.")
    return Settings(config, extractor, kind)


def _check_code(raw, folder, trust_remote_code):
    """A model with code of its own runs only where that is asked for, and only with code that lies beside it."""
    found = raw.get("auto_map") if isinstance(raw, dict) else None
    places = [str(value) for value in found.values()] if isinstance(found, dict) else []
    if places and not trust_remote_code and raw.get("model_type") is None:
        raise CheckpointError(f"{folder} needs Python code of its own, which is not run; see trust_remote_code.")
    if trust_remote_code and any("--" in place for place in places):
        raise CheckpointError(f"{folder} takes its code from another repository ({places[0]}), which nothing pins.")


def load_audio_model(folder, settings, *, device="auto", precision="float32", trust_remote_code=False, needed_by):
    """Load a model, or take the one that this process has.

    Parameters
    ----------
    folder : Path
        From `find_model`.

    settings : Settings
        From `read_settings`.

    device : str, default="auto"
        "auto" takes a GPU where there is one.

    precision : {"float32", "bfloat16", "float16"}, default="float32"
        Type of the weights and of what is computed.

    trust_remote_code : bool, default=False
        Checked by `find_model`.

    needed_by : str
        Public name of who asks.

    Returns
    -------
    model : AudioModel
    """
    import torch

    device = resolve_device(device)
    name = model_digest(folder), device, precision
    with _lock:
        if name not in _models:
            network = _load(folder, settings, getattr(torch, precision), trust_remote_code, needed_by)
            _models[name] = AudioModel(network.to(device).eval(), settings, torch.device(device))
            while len(_models) > _MAX_MODELS:
                _models.popitem(last=False)
        _models.move_to_end(name)
        return _models[name]


def _load(folder, settings, dtype, trust_remote_code, needed_by):
    transformers = require_encoders("transformers", needed_by)
    options = {"local_files_only": True, "trust_remote_code": trust_remote_code, "use_safetensors": True}
    try:
        with quiet_loading(transformers):
            network, info = transformers.AutoModel.from_pretrained(
                folder, dtype=dtype, output_loading_info=True, **options
            )
    except Exception as error:  # damaged weights end in any error of the libraries' own
        raise CheckpointError(f"{folder}: transformers cannot load the weights ({error}).") from error
    part = settings.kind.part
    missing = [
        key
        for key in info["missing_keys"]
        if (not part or key.startswith((f"{part}.", "audio_"))) and not key.endswith(_UNUSED)
    ]
    if missing:
        raise CheckpointError(
            f"{folder} lacks {len(missing)} of the encoder's weights (first: {missing[0]}), which would be random."
        )
    return network


class AudioModel:
    """Windows of sound to vectors, one window at a time.

    Parameters
    ----------
    network : transformers.PreTrainedModel
        In evaluation mode.

    settings : Settings
        Of its folder.

    device : torch.device
        Where the network lives.
    """

    def __init__(self, network, settings, device):
        self.network = network
        self.config, self.extractor, self.kind = settings.config, settings.extractor, settings.kind
        self.device = device
        self._encoder = getattr(network, self.kind.part) if self.kind.part else network
        self._spec = _clap_spec(self.config, self.extractor) if self.kind.reads == "clap" else None
        self._layers = threading.Lock()

    @property
    def modules(self):
        """The torch modules that run, a list."""
        heads = [getattr(self.network, name, None) for name in ("audio_projection", "audio_head")]
        return [self._encoder, *(head for head in heads if head is not None)]

    def embed(self, waveform, *, layer, pooling):
        """Embed one window.

        Parameters
        ----------
        waveform : ndarray of shape (n_samples,), float32
            At the model's rate; no longer than its window, no shorter than it can read.

        layer : "last" or int
            Whose output is pooled; 0 is what the first layer reads.

        pooling : str
            One of the kind's.

        Returns
        -------
        vector : ndarray of shape (n_features,), float32
        """
        try:
            output = self._run(self._read(waveform), layer)
        except (RuntimeError, ValueError) as error:
            if ran_out_of_memory(error):
                raise
            raise CheckpointError(
                f"The {self.config.model_type} network cannot read what its feature extractor makes of "
                f"{len(waveform)} samples; are the settings of the two for one another? ({error})"
            ) from error
        hidden = output.last_hidden_state if layer == "last" else output.hidden_states[layer]
        return self._pool(output, hidden, len(waveform), pooling)

    def _run(self, inputs, layer):
        if layer == "last":
            return self._encoder(**inputs)
        # transformers collects layers through hooks on the modules, which two threads must not share
        with self._layers:
            return self._encoder(**inputs, output_hidden_states=True)

    def _read(self, waveform):
        """What the encoder is given for one window."""
        import torch

        dtype = next(self._encoder.parameters()).dtype
        if self.kind.reads == "clap":
            mel = prepare(waveform, self._spec, ()).to(self.device, dtype)
            return {"input_features": mel[None], "is_longer": torch.zeros((1, 1), dtype=torch.bool, device=self.device)}
        made = self.extractor(waveform, sampling_rate=self.extractor.sampling_rate, return_tensors="pt")
        names = ("input_values", "input_features")
        inputs = {name: made[name].to(self.device, dtype) for name in names if name in made}
        # one sound at its own length has nothing to be masked, but for the frames that fill up a pair
        for name in ("attention_mask", "padding_mask"):
            if name in made and not bool(made[name].all()) and not self.kind.fixed:
                inputs[name] = made[name].to(self.device)
        return inputs

    def _pool(self, output, hidden, n_samples, pooling):
        if pooling == "projection":
            head = self.network.audio_projection if self.kind.reads == "clap" else self.network.audio_head
            vector = head(output.pooler_output)[0]
        elif pooling == "pooler":
            vector = output.pooler_output[0]
        elif pooling == "cls":
            vector = hidden[0, 0]
        else:
            vector = _pool_frames(hidden[0, self.kind.skip :][: self._n_frames(n_samples)].float(), pooling)
        return np.array(vector.detach().float().cpu().numpy())

    def _n_frames(self, n_samples):
        """Frames that hold sound where the extractor fills up with silence; None: all."""
        if self.config.model_type != "whisper" or n_samples == 0:
            return None
        # the second convolution halves the frames
        return -(-n_samples // (2 * self.extractor.hop_length))


def _clap_spec(config, extractor):
    """What CLAP's encoder reads; its own extractor would crop at random and declare a random sound longer."""
    return AudioSpec(
        sample_rate=extractor.sampling_rate,
        n_fft=extractor.fft_window_size,
        hop_length=extractor.hop_length,
        n_mels=config.audio_config.num_mel_bins,
        f_min=float(extractor.frequency_min),
        f_max=float(extractor.frequency_max),
        max_samples=extractor.nb_max_samples,
        fusion=config.audio_config.enable_fusion,
    )


def _pool_frames(frames, pooling):
    import torch

    if pooling == "mean":
        return frames.mean(dim=0)
    highest = frames.max(dim=0).values
    return highest if pooling == "max" else torch.cat([frames.mean(dim=0), highest])
