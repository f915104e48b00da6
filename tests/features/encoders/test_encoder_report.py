"""Faults that were put in on purpose are found, and sound encoders raise no alarm."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy.sparse import csr_matrix

from skbst.exceptions import AudioDecodeWarning, DataFormatError
from skbst.features import (
    AudioStatisticsFeaturizer,
    SentenceTransformerFeaturizer,
    TransformersAudioFeaturizer,
    encoder_report,
)

RATE = 16000


def tones(n_clips=5):
    """Clips that differ: tones and noise of several lengths, loudness and rhythm."""
    rng, clips = np.random.default_rng(0), []
    for number in range(n_clips):
        seconds = np.arange(int(RATE * (0.6 + 0.35 * number))) / RATE
        tone = np.sin(2 * np.pi * 150 * 2**number * seconds) * (0.5 + 0.5 * np.sin(2 * np.pi * (1 + number) * seconds))
        noise = rng.normal(0, 0.05 * (number % 3), len(seconds))
        clips.append(((0.2 * tone + noise).astype(np.float32), RATE))
    return clips


class Bands:
    """A sound encoder of ten lines: mean and deviation of log power in bands, relative to the whole."""

    def waveforms(self, X):
        from skbst.audio import ClipLoader

        return [ClipLoader(RATE, None).load(clip)[0] for clip in X]

    def one(self, waveform):
        padded = np.append(waveform, np.zeros(max(0, 512 - len(waveform))))
        frames = np.lib.stride_tricks.sliding_window_view(padded, 512)[::256] * np.hanning(512)
        power = np.abs(np.fft.rfft(frames))[:, 1:] ** 2
        bands = np.log(power.reshape(len(frames), 32, 8).sum(axis=2) + 1e-8)
        return np.append(bands.mean(axis=0) - bands.mean(), bands.std(axis=0))

    def transform(self, X):
        return np.stack([self.one(waveform) for waveform in self.waveforms(X)])


class PaddingLeak(Bands):
    def waveforms(self, X):
        loaded = super().waveforms(X)
        longest = max(map(len, loaded))
        return [np.append(waveform, np.zeros(longest - len(waveform))) for waveform in loaded]


class RandomCrop(Bands):
    def one(self, waveform):
        start = np.random.default_rng().integers(0, max(1, len(waveform) - 10 * RATE))
        return super().one(waveform[start : start + 10 * RATE])


class Collapsed(Bands):
    def one(self, waveform):
        return 1000 + super().one(waveform)


class NaNOnShort(Bands):
    def one(self, waveform):
        return super().one(waveform) * (np.nan if len(waveform) < 400 else 1)


class ErrorOnShort(Bands):
    def one(self, waveform):
        if len(waveform) < 400:
            raise RuntimeError("kernel size can't be greater than actual input size")
        return super().one(waveform)


class WrongRate(Bands):
    def waveforms(self, X):
        return [soundfile.read(clip)[0] if isinstance(clip, str) else clip[0] for clip in X]


class RandomWindow(Bands):
    """Reads a window that it draws, of every sound that is longer."""

    rng = np.random.default_rng()

    def one(self, waveform):
        start = self.rng.integers(0, max(1, len(waveform) - RATE))
        return super().one(waveform[start : start + RATE])


class NearlyOne(Bands):
    """All clips .9993 alike, as the text tower of larger_clap_music has them."""

    def one(self, waveform):
        made = super().one(waveform)
        return np.append(made, 40 * np.linalg.norm(made))


class NothingForShort(Bands):
    def one(self, waveform):
        return super().one(waveform) / (0.0 if len(waveform) < 2000 else 1.0)


class TakesAllFor48k(Bands):
    def waveforms(self, X):
        from skbst.audio import resample

        return [resample(clip[0], 48000, RATE) for clip in X]


class MeanOverBatch(Bands):
    def transform(self, X):
        made = super().transform(X)
        return made - 0.1 * made.mean(axis=0)


class OrderMatters(Bands):
    def transform(self, X):
        made = super().transform(X)
        return made + 0.1 * np.arange(len(made))[:, None]


class Indifferent(Bands):
    """Hears neither loudness nor silence at the end."""

    def one(self, waveform):
        heard = np.flatnonzero(waveform)
        if not len(heard):
            return super().one(waveform)
        waveform = waveform[: heard[-1] + 1]
        return super().one(waveform / np.abs(waveform).max())


class Loudness(Indifferent):
    def one(self, waveform):
        return np.append(super().one(waveform), 100 * np.log10(np.sqrt(np.mean(waveform**2)) + 1e-9))


class Length(Indifferent):
    def one(self, waveform):
        return np.append(super().one(waveform), 20 * np.log(len(waveform)))


class OneDirection(Indifferent):
    def one(self, waveform):
        return np.append(super().one(waveform), 100.0)


class PerPower(Bands):
    def one(self, waveform):
        with np.errstate(invalid="ignore"):
            return super().one(waveform / np.sqrt(np.mean(waveform**2)))


class MostlyDead(Bands):
    def one(self, waveform):
        return np.append(super().one(waveform), np.ones(600))


@pytest.mark.parametrize(
    ("encoder", "check"),
    [
        (PaddingLeak, "padding"),
        (PaddingLeak, "batch"),
        (RandomCrop, "crop"),
        (Collapsed, "collapse"),
        (NaNOnShort, "minimal length"),
        (ErrorOnShort, "minimal length"),
        (WrongRate, "sample rate"),
        (OrderMatters, "order"),
        (RandomWindow, "crop"),
        (RandomWindow, "repeat"),
        (NearlyOne, "collapse"),
        (NothingForShort, "minimal length"),
        (TakesAllFor48k, "sample rate"),
        (MeanOverBatch, "batch"),
        (PerPower, "silence"),
        (MostlyDead, "dead"),
    ],
)
def test_faults_are_found(encoder, check):
    clips = tones()
    report = encoder_report(encoder(), clips)
    assert report.loc[check, "verdict"] == "fault"
    assert report.attrs["verdict"] == "fault"


@pytest.mark.parametrize(("encoder", "check"), [(Loudness, "gain"), (Length, "tail"), (OneDirection, "anisotropy")])
def test_what_may_be_is_noted(encoder, check):
    """Loudness and length may count, and one direction may hold most of a cloud; it is told, and is no fault."""
    noted, plain = encoder_report(encoder(), tones()), encoder_report(Indifferent(), tones())
    assert noted.loc[check, "verdict"] == "note"
    assert plain.loc[check, "verdict"] == "ok"
    assert not (noted["verdict"] == "fault").any()


class NeedsCompany(Bands):
    def transform(self, X):
        if len(X) == 1:
            raise RuntimeError("two clips at least")
        return super().transform(X)


class NothingLong(Bands):
    def one(self, waveform):
        if len(waveform) > 30 * RATE:
            raise RuntimeError("out of positions")
        return super().one(waveform)


class NoSilence(Bands):
    def one(self, waveform):
        if not waveform.any():
            raise ZeroDivisionError("no level")
        return super().one(waveform)


class OneRate(Bands):
    def waveforms(self, X):
        if any(clip[1] != RATE for clip in X):
            raise ValueError("16 kHz alone")
        return [clip[0] for clip in X]


class WiderInCompany(Bands):
    def transform(self, X):
        return super().transform(X)[:, : 10 + len(X)]


@pytest.mark.parametrize(
    ("encoder", "faults"),
    [
        (NeedsCompany, {"batch", "crop", "silence"}),
        (NothingLong, {"padding", "crop"}),
        (NoSilence, {"silence"}),
        (OneRate, {"sample rate"}),
        (WiderInCompany, {"batch", "padding"}),
    ],
)
def test_an_error_is_a_fault_of_its_line_and_no_end(encoder, faults):
    clips = [
        (np.append(np.float32(0.1), waveform), rate) for waveform, rate in tones()
    ]  # the first sample is none of 0
    report = encoder_report(encoder(), clips)
    assert set(report.index[report["verdict"] == "fault"]) == faults
    assert report.loc[list(faults), "value"].tolist() == [np.inf] * len(faults)
    assert report.loc[list(faults), "meaning"].str.contains("Error: ").all()


@pytest.mark.parametrize(
    "shape",
    [lambda made: made.repeat(2, axis=0), lambda made: made[:-1], lambda made: made[:, :, None], lambda made: made[0]],
)
def test_what_is_not_one_vector_a_clip_is_refused(shape):
    class Shaped(Bands):
        def transform(self, X):
            return shape(super().transform(X))

    with pytest.raises(DataFormatError, match="one vector each"):
        encoder_report(Shaped(), tones())


def test_sparse_vectors_and_others():
    class Sparse(Bands):
        def transform(self, X):
            return csr_matrix(super().transform(X))

    assert encoder_report(Sparse(), tones()).attrs["verdict"] != "fault"
    for nothing in (Bands, tones, None):
        with pytest.raises(TypeError, match="object with transform"):
            encoder_report(nothing, tones())
    for clips in ("rain", None):
        with pytest.raises(DataFormatError, match="three clips"):
            encoder_report(Bands(), clips)


def test_a_missing_file_makes_no_texts_of_sounds(tmp_path):
    clips = [*tones(), str(tmp_path / "gone.wav")]
    with pytest.warns(AudioDecodeWarning), pytest.raises(DataFormatError, match=r"gone\.wav: no sound"):
        encoder_report(AudioStatisticsFeaturizer(), clips)


def test_only_what_is_wrong_is_a_fault():
    clips = tones()
    for encoder, faults in [
        (RandomCrop, {"crop"}),
        (NaNOnShort, {"minimal length"}),
        (WrongRate, {"sample rate"}),
        (Collapsed, {"collapse"}),
    ]:
        report = encoder_report(encoder(), clips)
        assert set(report.index[report["verdict"] == "fault"]) == faults


def test_sound_encoders_raise_no_alarm():
    clips = tones()
    for featurizer in (Bands(), AudioStatisticsFeaturizer()):
        report = encoder_report(featurizer, clips)
        assert not (report["verdict"] == "fault").any(), report
        assert report["meaning"].str.len().min() > 10


KINDS = ["wav2vec2", "wavlm", "data2vec-audio", "sew", "wav2vec2-bert", "audio-spectrogram-transformer", "whisper"]


@pytest.mark.parametrize("model_type", [*KINDS, "clap", "hubert", "pe_audio", "pe_audio_encoder"])
def test_our_featurizer_raises_none(model_type, folder_of):
    report = encoder_report(TransformersAudioFeaturizer(folder_of(model_type), n_jobs=1), tones(3))
    assert report.attrs["verdict"] != "fault", report
    assert report["value"][:3].gt(0).any()
    assert report.index[:3].tolist() == ["milliseconds a clip", "seconds an hour", "megabytes"]


def test_texts(minilm):
    texts = ["rain on a roof", "a dog barks", "techno loop at 120 bpm", "church bells"]
    report = encoder_report(SentenceTransformerFeaturizer(minilm), texts)
    assert report.attrs["verdict"] == "ok"
    assert "sample rate" not in report.index
    table = pd.DataFrame({"title": texts, "tags": [["a"]] * 4, "description": [""] * 4})
    assert encoder_report(SentenceTransformerFeaturizer(minilm), table).attrs["verdict"] == "ok"

    class Same:
        def transform(self, X):
            return np.ones((len(X), 8)) + 1e-3 * np.random.default_rng(0).normal(size=(len(X), 8))

    assert encoder_report(Same(), texts).loc["collapse", "verdict"] == "fault"


def test_files(tmp_path):
    paths = [str(tmp_path / f"{number}.wav") for number in range(3)]
    for path, (waveform, rate) in zip(paths, tones(3)):
        soundfile.write(path, waveform, rate, subtype="FLOAT")
    report = encoder_report(WrongRate(), paths)
    assert set(report.index[report["verdict"] == "fault"]) == {"sample rate"}


def test_too_few_clips():
    with pytest.raises(DataFormatError, match="three"):
        encoder_report(Bands(), tones(2))


def test_the_featurizer_is_left_alone():
    featurizer = AudioStatisticsFeaturizer()
    encoder_report(featurizer, tones(3))
    assert not hasattr(featurizer, "n_features_in_")
