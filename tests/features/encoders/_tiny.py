"""Random-weight encoders of every known kind, small enough to be built on the spot."""

import torch
import transformers

_SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
_CONVOLUTIONS = {
    "conv_dim": (8, 8, 8),
    "conv_kernel": (10, 4, 4),
    "conv_stride": (5, 4, 4),
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
_WAVEFORM = {
    "wav2vec2": "Wav2Vec2",
    "hubert": "Hubert",
    "wavlm": "WavLM",
    "data2vec-audio": "Data2VecAudio",
    "sew": "SEW",
    "sew-d": "SEWD",
    "unispeech": "UniSpeech",
    "unispeech-sat": "UniSpeechSat",
    "wav2vec2-conformer": "Wav2Vec2Conformer",
}
# a frame every 384 samples; every 8 would make 60,000 frames of a window, and 28 GB of their attention
_DAC = {
    "encoder_hidden_size": 8,
    "downsampling_ratios": [16, 24],
    "codebook_dim": 8,
    "n_codebooks": 1,
    "codebook_size": 16,
    "hidden_size": 32,
}

#: Length of a vector of each kind.
N_FEATURES = dict.fromkeys((*_WAVEFORM, "wav2vec2-bert", "audio-spectrogram-transformer", "whisper"), 16)
N_FEATURES |= {
    "pe_audio": 12,
    "pe_audio_encoder": 16,
    "clap": 12,
    "moonshine": 16,
    "speech_to_text": 16,
    "parakeet_encoder": 16,
}


def write_tiny(folder, model_type, seed=0):
    """Write a model of this type; returns the folder as text."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, extractor = _build(model_type)
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    extractor.save_pretrained(folder)
    return str(folder)


def _build(model_type):
    if model_type in _WAVEFORM:
        return _build_waveform(_WAVEFORM[model_type])
    return globals()[f"_build_{model_type.replace('-', '_')}"]()


def _build_waveform(name):
    config = getattr(transformers, f"{name}Config")(**_SIZES, **_CONVOLUTIONS)
    extractor = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=True)
    return getattr(transformers, f"{name}Model")(config), extractor


def _build_wav2vec2_bert():
    config = transformers.Wav2Vec2BertConfig(**_SIZES, feature_projection_input_dim=160)
    return transformers.Wav2Vec2BertModel(config), transformers.SeamlessM4TFeatureExtractor()


def _build_audio_spectrogram_transformer():
    config = transformers.ASTConfig(**_SIZES, max_length=128, num_mel_bins=32, patch_size=16)
    return transformers.ASTModel(config), transformers.ASTFeatureExtractor(num_mel_bins=32, max_length=128)


def _build_whisper():
    sizes = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 1, "vocab_size": 50, "num_mel_bins": 20}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24}
    marks = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    config = transformers.WhisperConfig(**sizes, **heads, **marks, max_source_positions=100)
    return transformers.WhisperModel(config), transformers.WhisperFeatureExtractor(feature_size=20, chunk_length=2)


def _made_to_hear(encoder):
    """Random weights of a codec let so little sound through that all clips are .9998 alike; trained ones do not."""
    with torch.no_grad():
        encoder.embedder.data_proj.weight.mul_(1000)
    return encoder


def _build_pe_audio_encoder():
    config = transformers.PeAudioEncoderConfig(dac_config=_DAC, head_dim=8, **_SIZES)
    return _made_to_hear(transformers.PeAudioEncoder(config)), transformers.PeAudioFeatureExtractor(hop_length=384)


def _build_pe_audio():
    text = {"model_type": "modernbert", **_SIZES, "vocab_size": 60, "pad_token_id": 0, "bos_token_id": 1}
    text |= {"eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2, "hidden_size": 12}
    audio = {"model_type": "pe_audio_encoder", "dac_config": _DAC, "head_dim": 8, **_SIZES}
    model = transformers.PeAudioModel(transformers.PeAudioConfig(text_config=text, audio_config=audio))
    _made_to_hear(model.audio_encoder)
    return model, transformers.PeAudioFeatureExtractor(hop_length=384)


def _build_clap():
    audio = {
        "num_mel_bins": 32,
        "spec_size": 64,
        "patch_embeds_hidden_size": 8,
        "hidden_size": 16,
        "depths": [1, 1],
        "num_attention_heads": [2, 2],
        "num_hidden_layers": 2,
        "window_size": 4,
        "enable_fusion": True,
        "projection_dim": 12,
    }
    text = {**_SIZES, "vocab_size": 60, "projection_dim": 12}
    config = transformers.ClapConfig(text_config=text, audio_config=audio, projection_dim=12)
    extractor = transformers.ClapFeatureExtractor(
        feature_size=32, sampling_rate=16000, max_length_s=1, hop_length=160, fft_window_size=400, frequency_max=8000
    )
    return transformers.ClapModel(config), extractor


def _build_moonshine():
    heads = {"encoder_num_attention_heads": 2, "decoder_num_attention_heads": 2, "vocab_size": 50}
    layers = {"encoder_num_hidden_layers": 2, "decoder_num_hidden_layers": 1, "intermediate_size": 24}
    config = transformers.MoonshineConfig(hidden_size=16, **heads, **layers)
    return transformers.MoonshineModel(config), transformers.Wav2Vec2FeatureExtractor()


def _build_speech_to_text():
    sizes = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 1, "vocab_size": 50, "conv_channels": 16}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24}
    config = transformers.Speech2TextConfig(**sizes, **heads, input_feat_per_channel=40)
    extractor = transformers.Speech2TextFeatureExtractor(num_mel_bins=40, feature_size=40)
    return transformers.Speech2TextModel(config), extractor


def _build_parakeet_encoder():
    config = transformers.ParakeetEncoderConfig(**_SIZES, num_mel_bins=40, subsampling_conv_channels=8)
    return transformers.ParakeetEncoder(config), transformers.ParakeetFeatureExtractor(feature_size=40)
