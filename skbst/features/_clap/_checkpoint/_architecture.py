"""Read the architecture of a CLAP off its weights, in laion-clap's names."""

from dataclasses import dataclass

from skbst.exceptions import CheckpointError

__all__ = ["N_FEATURES", "Architecture", "describe"]

# of CLAP's shared space, in every published checkpoint
N_FEATURES = 512
# laion-clap's names by the channels of the first stage
_AUDIO_NAMES = {96: "HTSAT-tiny", 128: "HTSAT-base", 256: "HTSAT-large"}


@dataclass(frozen=True)
class Architecture:
    """Sizes of both encoders.

    Parameters
    ----------
    audio_name : str
        laion-clap's name of the audio encoder, such as ``"HTSAT-tiny"``.

    fusion : bool
        Whether the audio encoder reads longer sounds in windows.

    depths, n_heads : tuple of int
        Blocks and attention heads of each stage of the audio encoder.

    audio_width : int
        Channels of its first stage.

    text_width, n_text_layers, n_words, n_positions, n_types, text_hidden : int
        Of the RoBERTa that encodes text.
    """

    audio_name: str
    fusion: bool
    depths: tuple
    n_heads: tuple
    audio_width: int
    text_width: int
    n_text_layers: int
    n_words: int
    n_positions: int
    n_types: int
    text_hidden: int


def describe(state, source):
    """Read the sizes off the names and shapes of the weights.

    Raises
    ------
    CheckpointError
        If these are not the weights of an HTSAT audio encoder and a RoBERTa text encoder.
    """
    if "audio_branch.patch_embed.proj.weight" not in state:
        raise CheckpointError(_unknown(state, source))
    if "text_branch.embeddings.word_embeddings.weight" not in state or "text_branch.pooler.dense.weight" not in state:
        raise CheckpointError(f"{source}: the text encoder of these weights is no RoBERTa, the only one supported.")
    if "audio_branch.mel_conv1d.0.weight" in state:
        raise CheckpointError(f"{source}: its fusion in one dimension is not supported; expected none or 'aff_2d'.")
    width = state["audio_branch.patch_embed.proj.weight"].shape[0]
    if width not in _AUDIO_NAMES:
        raise CheckpointError(f"{source}: an HTSAT of width {width} is unknown; expected one of {_AUDIO_NAMES}.")
    n_features = state["audio_projection.2.weight"].shape[0] if "audio_projection.2.weight" in state else None
    if n_features != N_FEATURES:
        raise CheckpointError(f"{source}: expected embeddings of {N_FEATURES} numbers, these have {n_features}.")
    stages = range(_count(state, "audio_branch.layers.{}.blocks.0.norm1.weight"))
    words = state["text_branch.embeddings.word_embeddings.weight"]
    return Architecture(
        audio_name=_AUDIO_NAMES[width],
        fusion="audio_branch.patch_embed.mel_conv2d.weight" in state,
        depths=tuple(_count(state, f"audio_branch.layers.{i}.blocks.{{}}.norm1.weight") for i in stages),
        n_heads=tuple(_n_heads(state, i, source) for i in stages),
        audio_width=width,
        text_width=words.shape[1],
        n_text_layers=_count(state, "text_branch.encoder.layer.{}.output.dense.weight"),
        n_words=words.shape[0],
        n_positions=_rows(state, "text_branch.embeddings.position_embeddings.weight", source),
        n_types=_rows(state, "text_branch.embeddings.token_type_embeddings.weight", source),
        text_hidden=_rows(state, "text_branch.encoder.layer.0.intermediate.dense.weight", source),
    )


def _unknown(state, source):
    if any(name.startswith("audio_branch.conv_block") for name in state):
        return f"{source} has a PANN audio encoder, which is not supported; expected HTSAT-tiny or HTSAT-base."
    if any(name.startswith("audio_model.") for name in state):
        return (
            f"{source} holds weights of transformers' ClapModel. Pass the folder that holds it with its config.json, "
            'and backend="transformers".'
        )
    return (
        f"{source} holds no weights of CLAP: expected names such as 'audio_branch.patch_embed.proj.weight', found "
        f"{list(state)[:3]}."
    )


def _count(state, pattern):
    n = 0
    while pattern.format(n) in state:
        n += 1
    return n


def _rows(state, name, source):
    if name not in state:
        raise CheckpointError(f"{source}: weights are missing: {name}.")
    return state[name].shape[0]


def _n_heads(state, stage, source):
    name = f"audio_branch.layers.{stage}.blocks.0.attn.relative_position_bias_table"
    if name not in state:
        raise CheckpointError(f"{source}: weights are missing: {name}.")
    return state[name].shape[1]
