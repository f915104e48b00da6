"""Random-weight CLAPs and a stand-in hub cache, built on the spot.

Nothing here was trained: the networks are those of laion-clap and transformers, their weights are random.
"""

import json
from pathlib import Path

import torch

N_WORDS = 261
ROBERTA = {
    "vocab_size": N_WORDS,
    "hidden_size": 768,
    "num_hidden_layers": 1,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
_COMMIT = "0" * 40


def byte_characters():
    """The 256 characters that byte-level tokenizers write for bytes."""
    kept = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [chr(b) for b in kept] + [chr(256 + i) for i in range(256 - len(kept))]


def write_tokenizer(folder):
    """A RoBERTa tokenizer that knows single bytes."""
    from transformers import RobertaTokenizer

    tokens = ["<s>", "<pad>", "</s>", "<unk>", *byte_characters(), "<mask>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    RobertaTokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")


def _snapshot(root, repository):
    base = Path(root) / "hub" / f"models--{repository.replace('/', '--')}"
    folder = base / "snapshots" / _COMMIT
    folder.mkdir(parents=True)
    (base / "refs").mkdir()
    (base / "refs" / "main").write_text(_COMMIT, encoding="ascii")
    return folder


def write_hub_cache(root, n_layers=1):
    """A Hugging Face cache with what laion-clap asks for: three tokenizers and a RoBERTa of random weights."""
    from transformers import BertTokenizer, RobertaConfig, RobertaModel

    roberta = _snapshot(root, "roberta-base")
    write_tokenizer(roberta)
    torch.manual_seed(1)
    RobertaModel(RobertaConfig(**{**ROBERTA, "num_hidden_layers": n_layers})).save_pretrained(roberta)
    write_tokenizer(_snapshot(root, "facebook/bart-base"))
    bert = _snapshot(root, "bert-base-uncased")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    BertTokenizer(vocab={word: i for i, word in enumerate(words)}).save_pretrained(bert)
    (bert / "vocab.txt").write_text("\n".join(words), encoding="utf-8")


def enliven(module, seed=0):
    """Draw the numbers that constructors leave at 0 or 1, so that a swapped or forgotten one shows."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if not value.is_floating_point() or "attn_mask" in name or "extractor" in name:
                continue
            if name.endswith("running_var"):
                value.uniform_(0.5, 2.0, generator=generator)
            elif value.ndim <= 1 and not name.startswith("logit_scale"):
                value.add_(torch.randn(value.shape, generator=generator) * 0.1)
            if "bn0.running_mean" in name or "batch_norm.running_mean" in name:
                value.sub_(30)
            if "bn0.running_var" in name or "batch_norm.running_var" in name:
                value.mul_(300)
    return module


def write_tiny_clap(folder, *, fusion=True, seed=0):
    """A ClapModel small enough for hundreds of clips: windows of 1 s, 16 Mel bands, two blocks."""
    from transformers import ClapConfig, ClapModel

    audio = {
        "spec_size": 64,
        "num_mel_bins": 16,
        "patch_embeds_hidden_size": 16,
        "hidden_size": 32,
        "depths": [1, 1],
        "num_attention_heads": [2, 2],
        "num_hidden_layers": 2,
        "enable_fusion": fusion,
        "fusion_type": "aff_2d" if fusion else None,
    }
    text = {**ROBERTA, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
    torch.manual_seed(seed)
    model = enliven(ClapModel(ClapConfig(audio_config=audio, text_config=text)), seed)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    settings = {
        "feature_extractor_type": "ClapFeatureExtractor",
        "feature_size": 16,
        "sampling_rate": 48000,
        "hop_length": 480,
        "fft_window_size": 1024,
        "frequency_min": 50,
        "frequency_max": 14000,
        "max_length_s": 1,
        "truncation": "fusion" if fusion else "rand_trunc",
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    write_tokenizer(folder)
    return folder


def save_checkpoint(network, path):
    """Save a network of laion-clap as its training did: prefixed names, NumPy numbers, RoBERTa's position ids."""
    import numpy as np

    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    state["module.text_branch.embeddings.position_ids"] = torch.arange(ROBERTA["max_position_embeddings"])[None]
    log = {"epoch": 7, "name": "random weights", "best": np.float64(0.5), "steps": np.int64(3)}
    torch.save({**log, "state_dict": state}, path)
