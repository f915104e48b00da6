"""laion-clap's names of weights to transformers' names."""

import re

__all__ = ["to_transformers", "transformers_config"]

_AUDIO = "audio_model.audio_encoder."
_DROPPED = re.compile(
    r"audio_branch\.(spectrogram_extractor|logmel_extractor|tscam_conv|head)\..*|(audio|text)_transform\..*"
    r"|.*\.attn_mask|text_branch\.embeddings\.(position_ids|token_type_ids)"
)
_RULES = (
    (r"^text_branch\.", "text_model."),
    (r"^(audio|text)_projection\.0\.", r"\1_projection.linear1."),
    (r"^(audio|text)_projection\.2\.", r"\1_projection.linear2."),
    (r"^audio_branch\.bn0\.", f"{_AUDIO}batch_norm."),
    (r"^audio_branch\.", _AUDIO),
    (r"(\.blocks\.\d+)\.norm1\.", r"\1.layernorm_before."),
    (r"(\.blocks\.\d+)\.norm2\.", r"\1.layernorm_after."),
    (r"(\.blocks\.\d+)\.mlp\.fc1\.", r"\1.intermediate.dense."),
    (r"(\.blocks\.\d+)\.mlp\.fc2\.", r"\1.output.dense."),
    (r"(\.blocks\.\d+)\.attn\.proj\.", r"\1.attention.output.dense."),
    (r"(\.blocks\.\d+)\.attn\.", r"\1.attention.self."),
)
_RULES = tuple((re.compile(pattern), replacement) for pattern, replacement in _RULES)


def to_transformers(state):
    """Rename the weights of a laion-clap checkpoint for ``ClapModel``.

    The attention's joint projection is split into query, key and value. Left out are the AudioSet head, the
    spectrogram layers, two projections that only training used, and masks that ``ClapModel`` computes.

    Parameters
    ----------
    state : dict of str to Tensor
        In laion-clap's names.

    Returns
    -------
    state : dict of str to Tensor
        In transformers' names; shares memory with the input.
    """
    renamed = {}
    for name, tensor in state.items():
        if _DROPPED.fullmatch(name):
            continue
        for pattern, replacement in _RULES:
            name = pattern.sub(replacement, name)
        if ".attention.self.qkv." in name:
            for part, piece in zip(("query", "key", "value"), tensor.chunk(3)):
                renamed[name.replace(".qkv.", f".{part}.")] = piece
        else:
            renamed[name] = tensor
    return renamed


def transformers_config(architecture):
    """Settings of a ``ClapConfig`` with an architecture of laion-clap.

    RoBERTa's own 1e-5 stands in its layer norms, as in laion-clap; ``ClapConfig`` has 1e-12 by default.

    Parameters
    ----------
    architecture : Architecture
        From `describe`.

    Returns
    -------
    settings : dict
        Keyword arguments of ``ClapConfig``.
    """
    audio = {
        "patch_embeds_hidden_size": architecture.audio_width,
        "hidden_size": architecture.audio_width * 2 ** (len(architecture.depths) - 1),
        "depths": list(architecture.depths),
        "num_attention_heads": list(architecture.n_heads),
        "num_hidden_layers": len(architecture.depths),
        "enable_fusion": architecture.fusion,
        "fusion_type": "aff_2d" if architecture.fusion else None,
    }
    text = {
        "vocab_size": architecture.n_words,
        "hidden_size": architecture.text_width,
        "num_hidden_layers": architecture.n_text_layers,
        "num_attention_heads": architecture.text_width // 64,
        "intermediate_size": architecture.text_hidden,
        "max_position_embeddings": architecture.n_positions,
        "type_vocab_size": architecture.n_types,
        "layer_norm_eps": 1e-5,
    }
    return {"audio_config": audio, "text_config": text}
