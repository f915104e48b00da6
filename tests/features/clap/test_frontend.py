# ruff: noqa: NPY002 (NumPy's global generator is what these tests watch)
import random

import numpy as np
import pytest
import torch

from skbst.features._clap._frontend import (
    AudioSpec,
    is_longer,
    log_mel,
    prepare,
    quantize_int16,
    repeat_pad,
    thirds,
    windows_at_random,
)

FUSED = AudioSpec()
PLAIN = AudioSpec(fusion=False)
SMALL = AudioSpec(max_samples=4800)


def noise(n, seed=0):
    return np.random.default_rng(seed).normal(scale=0.1, size=n).astype(np.float32)


class TestRepeatPad:
    def test_by_hand(self):
        assert repeat_pad(np.array([1, 2], dtype=np.float32), 5).tolist() == [1, 2, 1, 2, 0]

    def test_exact_and_longer_sounds_are_left_alone(self):
        assert len(repeat_pad(noise(5), 5)) == 5
        assert len(repeat_pad(noise(9), 5)) == 9

    def test_no_sample_is_silence(self):
        assert repeat_pad(np.empty(0, dtype=np.float32), 3).tolist() == [0, 0, 0]


class TestLogMel:
    def test_htk_bank_is_laion_claps(self, laion_module):
        from laion_clap.training.data import get_mel

        waveform = noise(30000)
        theirs = get_mel(torch.from_numpy(waveform), laion_module[0].model_cfg["audio_cfg"])
        np.testing.assert_allclose(log_mel(waveform, FUSED), theirs, atol=1e-4)

    @pytest.mark.parametrize("spec", [FUSED, PLAIN], ids=["htk", "slaney"])
    def test_both_banks_are_those_of_transformers(self, spec):
        from transformers import ClapFeatureExtractor

        extractor = ClapFeatureExtractor(frequency_min=50, frequency_max=14000)
        bank = extractor.mel_filters if spec.fusion else extractor.mel_filters_slaney
        waveform = noise(24000)
        np.testing.assert_allclose(
            log_mel(waveform, spec), extractor._np_extract_fbank_features(waveform, bank), atol=2e-3
        )

    def test_slaney_bank_is_that_of_the_unfused_network(self, unfused_module):
        branch = unfused_module[0].model.audio_branch
        waveform = noise(24000)
        with torch.inference_mode():
            theirs = branch.logmel_extractor(branch.spectrogram_extractor(torch.from_numpy(waveform)[None]))[0, 0]
        np.testing.assert_allclose(log_mel(waveform, PLAIN), theirs, atol=5e-3)

    def test_banks_differ_by_decibels(self):
        assert (log_mel(noise(9600), FUSED) - log_mel(noise(9600), PLAIN)).abs().median() > 3

    def test_silence_is_minus_100_db(self):
        assert (log_mel(np.zeros(4800, dtype=np.float32), FUSED) == -100).all()

    def test_long_sounds_in_parts(self, monkeypatch):
        waveform = noise(48000)
        whole = log_mel(waveform, FUSED)
        monkeypatch.setattr("skbst.features._clap._frontend.FRAMES_AT_ONCE", 7)
        np.testing.assert_allclose(log_mel(waveform, FUSED), whole, atol=1e-4)


class TestWindows:
    def test_thirds_by_hand(self):
        # 31 frames, windows of 11: starts 0..20 in thirds 0..6, 7..13, 14..20
        assert thirds(30 * 480, SMALL) == (3, 10, 17)

    def test_two_starts(self):
        # 12 frames: starts 0 and 1, the last third is empty and starts at 0 as in laion-clap
        assert thirds(11 * 480, SMALL) == (0, 1, 0)

    @pytest.mark.parametrize("n_samples", [1, 4799, 4800, 4801, 5279])
    def test_what_fits_has_no_windows(self, n_samples):
        assert thirds(n_samples, SMALL) == ()
        assert not is_longer(n_samples, SMALL)

    def test_an_unfused_encoder_reads_the_middle(self):
        assert thirds(480001, PLAIN) == (0,)
        assert thirds(480100, PLAIN) == (50,)
        assert thirds(480000, PLAIN) == ()

    @pytest.mark.parametrize("spec", [FUSED, PLAIN], ids=["fused", "unfused"])
    @pytest.mark.parametrize("n_samples", [480000, 480001, 480479, 480480, 481000, 900000])
    def test_random_windows_are_laion_claps(self, laion_module, spec, n_samples):
        from laion_clap.training.data import get_audio_features

        waveform = torch.from_numpy(noise(n_samples))
        mode = "fusion" if spec.fusion else "rand_trunc"
        config = laion_module[0].model_cfg["audio_cfg"]
        state = np.random.get_state()
        try:
            np.random.seed(5)
            theirs = get_audio_features({}, waveform, 480000, mode, "repeatpad", config)
            after = np.random.get_state()[1:3]
        finally:
            np.random.set_state(state)
        generator = np.random.RandomState(5)
        starts = windows_at_random(n_samples, spec, generator)
        np.testing.assert_equal(generator.get_state()[1:3], after)
        if spec.fusion:
            mel = prepare(waveform.numpy(), spec, starts, antialias=True)
            assert (len(mel) == 4) == bool(theirs["longer"])
            np.testing.assert_allclose(mel, theirs["mel_fusion"][: len(mel)], atol=1e-4)
        elif starts:
            window = waveform.numpy()[starts[0] : starts[0] + 480000]
            np.testing.assert_array_equal(window, theirs["waveform"])

    def test_draws_stay_inside(self):
        generator = np.random.RandomState(0)
        for _ in range(50):
            assert all(0 <= start <= 20 for start in windows_at_random(30 * 480, SMALL, generator))


class TestPrepare:
    def test_channels(self):
        assert prepare(noise(4800), SMALL, ()).shape == (1, 11, 64)
        assert prepare(noise(30 * 480), SMALL, (3, 10, 17)).shape == (4, 11, 64)

    def test_windows_are_cut_from_the_whole(self):
        waveform = noise(30 * 480)
        mel = prepare(waveform, SMALL, (3, 10, 17))
        whole = log_mel(waveform, SMALL)
        for window, start in zip(mel[1:], (3, 10, 17)):
            np.testing.assert_array_equal(window, whole[start : start + 11])

    @pytest.mark.parametrize("antialias", [True, False])
    def test_shrunk_whole_is_torchvisions(self, antialias):
        import torchvision

        waveform = noise(30 * 480)
        resize = torchvision.transforms.Resize([11, 64], antialias=antialias)
        expected = resize(log_mel(waveform, SMALL)[None])[0]
        mel = prepare(waveform, SMALL, (3, 10, 17), antialias=antialias)
        np.testing.assert_allclose(mel[0], expected, atol=1e-5)

    def test_shrinking_without_smoothing_is_that_of_transformers(self):
        from transformers import ClapFeatureExtractor

        extractor = ClapFeatureExtractor(frequency_min=50, frequency_max=14000)
        waveform = noise(20 * 480)
        whole = extractor._np_extract_fbank_features(waveform, extractor.mel_filters)
        state = np.random.get_state()
        theirs = extractor._random_mel_fusion(whole, len(whole), 11)
        np.random.set_state(state)
        np.testing.assert_allclose(prepare(waveform, SMALL, (0, 1, 2), antialias=False)[0], theirs[0], atol=2e-3)

    def test_generators_are_left_alone(self):
        before = np.random.get_state()[1].tobytes(), torch.random.get_rng_state(), random.getstate()
        prepare(noise(30 * 480), SMALL, thirds(30 * 480, SMALL))
        windows_at_random(30 * 480, SMALL, np.random.RandomState(0))
        assert np.random.get_state()[1].tobytes() == before[0]
        assert torch.equal(torch.random.get_rng_state(), before[1])
        assert random.getstate() == before[2]


def test_quantize_int16_is_laion_claps(laion_module):
    from laion_clap.training.data import float32_to_int16, int16_to_float32

    waveform = np.array([0.0, 1e-6, -1e-6, 0.5, -0.5, 1.0, -1.0, 1.7, -1.7, 0.3333], dtype=np.float32)
    np.testing.assert_array_equal(quantize_int16(waveform), int16_to_float32(float32_to_int16(waveform)))
