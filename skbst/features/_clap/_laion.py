"""Adapter to laion-clap: everything that knows that library stands here."""

import importlib
import sys
import threading
import warnings
from contextlib import contextmanager
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path

from skbst.exceptions import CheckpointError
from skbst.features._clap._checkpoint._architecture import describe
from skbst.features._clap._checkpoint._download import require_clap
from skbst.features._clap._frontend import AudioSpec
from skbst.features._clap._weights import load_strictly, read_state, without_initialisation

__all__ = ["LaionClap"]

_COMPUTED = (".embeddings.position_ids", ".embeddings.token_type_ids")
_lock = threading.Lock()


class LaionClap:
    """A CLAP of laion-clap.

    Parameters
    ----------
    network : clap_module.model.CLAP
        In evaluation mode.

    spec : AudioSpec
        What its audio encoder reads.
    """

    def __init__(self, network, spec):
        self.network = network
        self.spec = spec
        self._biases = [[_attention_bias(block) for block in stage.blocks] for stage in network.audio_branch.layers]

    @classmethod
    def load(cls, checkpoint, device):
        """Build the network that a checkpoint asks for and fill it.

        Parameters
        ----------
        checkpoint : Checkpoint
            A file of laion-clap.

        device : torch.device
            Where the network shall live.

        Returns
        -------
        model : LaionClap

        Raises
        ------
        CheckpointError
            If the checkpoint is a folder of transformers, damaged, or of another architecture.
        """
        if checkpoint.is_folder:
            raise CheckpointError(
                f"{checkpoint.path} is a folder, as transformers saves it; laion-clap reads one file of weights. "
                'Pass backend="transformers", or a file such as 630k-audioset-fusion-best.pt.'
            )
        state = read_state(checkpoint.path)
        architecture = describe(state, checkpoint.path)
        network, config = _build(architecture)
        load_strictly(network, state, checkpoint.path, computed=_COMPUTED)
        audio = config["audio_cfg"]
        spec = AudioSpec(
            sample_rate=audio["sample_rate"],
            n_fft=audio["window_size"],
            hop_length=audio["hop_size"],
            n_mels=audio["mel_bins"],
            f_min=float(audio["fmin"]),
            f_max=float(audio["fmax"]),
            max_samples=audio["clip_samples"],
            fusion=architecture.fusion,
        )
        return cls(network.to(device), spec)

    def embed_audio(self, mel):
        """Embed one sound.

        The steps of ``HTSAT_Swin_Transformer.forward`` that lead to the embedding. That method also runs the AudioSet
        head, keeps all attention maps, and normalises three windows that it never reads when a sound is short; here
        attention runs in torch's fused kernel, with its bias made once.

        Parameters
        ----------
        mel : Tensor of shape (n_channels, n_frames, n_mels)
            From the front end; four channels are fused.

        Returns
        -------
        embedding : Tensor of shape (n_features,)
            Not normalised.
        """
        branch = self.network.audio_branch
        image = branch.bn0(mel[None].transpose(1, 3)).transpose(1, 3)
        image = branch.reshape_wav2img(image)
        if branch.enable_fusion:
            tokens = branch.patch_embed(image, longer_idx=[0] if len(mel) > 1 else [])
        else:
            tokens = branch.patch_embed(image)
        for stage, biases in zip(branch.layers, self._biases):
            for block, bias in zip(stage.blocks, biases):
                tokens = _swin_block(block, bias, tokens)
            if stage.downsample is not None:
                tokens = stage.downsample(tokens)
        pooled = branch.norm(tokens).mean(dim=1)
        return self.network.audio_projection(pooled)[0]

    @property
    def pad_token(self):
        """Number of the token that fills a text."""
        return self.network.text_branch.config.pad_token_id

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
        branch = self.network.text_branch
        hidden = branch(input_ids=token_ids, attention_mask=mask)["last_hidden_state"]
        # one row at a time: products of few rows are those that round differently in company
        return [self.network.text_projection(branch.pooler(row[None]))[0] for row in hidden]


def _attention_bias(block):
    """What is added to the attention of each window and head: relative positions, and the mask of shifted windows."""
    attention, n_tokens = block.attn, block.window_size**2
    table = attention.relative_position_bias_table[attention.relative_position_index.view(-1)]
    bias = table.view(n_tokens, n_tokens, -1).permute(2, 0, 1)[None]
    n_windows = block.input_resolution[0] * block.input_resolution[1] // n_tokens
    if block.attn_mask is not None:
        bias = bias + block.attn_mask[:, None]
    return bias.expand(n_windows, -1, -1, -1).contiguous()


def _swin_block(block, bias, tokens):
    """``SwinTransformerBlock.forward`` of one sound: attention within (shifted) windows, then the MLP."""
    import torch

    shift, n_channels = block.shift_size, tokens.shape[2]
    image = block.norm1(tokens).view(*block.input_resolution, n_channels)
    image = torch.roll(image, (-shift, -shift), (0, 1)) if shift else image
    image = _from_windows(_attend(block.attn, bias, _to_windows(image, block.window_size)), image.shape)
    image = torch.roll(image, (shift, shift), (0, 1)) if shift else image
    tokens = tokens + image.view(tokens.shape)
    return tokens + block.mlp(block.norm2(tokens))


def _attend(attention, bias, windows):
    import torch

    heads = attention.qkv(windows).view(*windows.shape[:2], 3, attention.num_heads, -1)
    query, key, value = heads.permute(2, 0, 3, 1, 4)
    mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=attention.scale)
    return attention.proj(mixed.transpose(1, 2).reshape(windows.shape))


def _to_windows(image, size):
    """(height, width, n_channels) -> (n_windows, size * size, n_channels)."""
    height, width, n_channels = image.shape
    grid = image.view(height // size, size, width // size, size, n_channels)
    return grid.transpose(1, 2).reshape(-1, size * size, n_channels)


def _from_windows(windows, shape):
    """Undo `_to_windows`."""
    height, width, n_channels = shape
    size = int(windows.shape[1] ** 0.5)
    grid = windows.view(height // size, width // size, size, size, n_channels)
    return grid.transpose(1, 2).reshape(shape)


def _build(architecture):
    """Build an empty network; laion-clap's constructor would fetch RoBERTa's weights only to overwrite them."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        factory, model = _import("factory"), _import("model")
        config = deepcopy(factory._MODEL_CONFIGS[architecture.audio_name])
        config["text_cfg"]["model_type"] = "roberta"
        config["enable_fusion"] = architecture.fusion
        config["fusion_type"] = "aff_2d" if architecture.fusion else "None"
        with without_initialisation(), _without_download(model, architecture):
            return model.CLAP(**config), config


def _import(name):
    """Import a part of laion-clap.

    The package's own ``__init__`` fetches three tokenizers and leaves a folder on ``sys.path``; the network needs
    neither. It is imported as laion-clap itself does it, under the name ``clap_module``.
    """
    require_clap("torchvision", 'CLAP with backend="laion-clap"')
    spec = find_spec("laion_clap")
    if spec is None:
        require_clap("laion_clap", 'CLAP with backend="laion-clap"')
    folder = str(Path(spec.origin).parent)
    sys.path.append(folder)
    try:
        return importlib.import_module(f"clap_module.{name}")
    finally:
        sys.path.remove(folder)


@contextmanager
def _without_download(model, architecture):
    """Let the constructor make RoBERTa from its sizes alone."""
    from transformers import RobertaConfig

    class EmptyRoberta:
        """Stands where laion-clap asks transformers for the weights of roberta-base: same sizes, no download."""

        @staticmethod
        def from_pretrained(_):
            return original(
                RobertaConfig(
                    vocab_size=architecture.n_words,
                    hidden_size=architecture.text_width,
                    num_hidden_layers=architecture.n_text_layers,
                    num_attention_heads=architecture.text_width // 64,
                    intermediate_size=architecture.text_hidden,
                    max_position_embeddings=architecture.n_positions,
                    type_vocab_size=architecture.n_types,
                    layer_norm_eps=1e-5,
                )
            )

    original = model.RobertaModel
    model.RobertaModel = EmptyRoberta
    try:
        yield
    finally:
        model.RobertaModel = original
