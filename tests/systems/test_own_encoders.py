"""Systems over encoders of the user's own, several at once."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skbst.datasets import load_bsd, make_bst_clips
from skbst.exceptions import DataFormatError
from skbst.features import (
    AudioStatisticsFeaturizer,
    ClapAudioFeaturizer,
    ClapTextFeaturizer,
    ClassPriorFeaturizer,
    PrecomputedFeaturizer,
    SentenceTransformerFeaturizer,
    TagRules,
    TextLSAFeaturizer,
    TransformersAudioFeaturizer,
)
from skbst.persistence import load_model, save_model
from skbst.systems import baseline, make_system, system_1, system_2, system_3, system_4


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    root = tmp_path_factory.mktemp("own") / "clips"
    make_bst_clips(root, n_clips=46, max_duration=0.5, class_weights="balanced", random_state=0)
    return load_bsd(root)


def names(embeddings, build=make_system, **settings):
    return [name for name, _ in build(embeddings=embeddings, **settings)[0].featurizers]


def test_blocks_are_named_after_class_and_role():
    audio = [ClapAudioFeaturizer(), TransformersAudioFeaturizer("a"), TransformersAudioFeaturizer("b")]
    found = names({"audio": audio, "text": SentenceTransformerFeaturizer("c")})
    assert found == ["clap_audio", "transformers_audio", "transformers_audio_2", "sentence_transformer_text"]
    # a further encoder changes no name
    assert names({"audio": [*audio, ClapAudioFeaturizer("x")]}) == [*found[:3], "clap_audio_2"]
    texts = [ClapTextFeaturizer(), TextLSAFeaturizer(), TextLSAFeaturizer(3)]
    assert names({"text": texts}) == ["clap_text", "text_lsa", "text_lsa_2"]
    assert names({"audio": AudioStatisticsFeaturizer(), "text": None}) == ["audio_statistics"]


def test_views_of_one_text_have_names_of_their_own():
    views = {"title": TextLSAFeaturizer(), "all": TextLSAFeaturizer(), "text_3": TextLSAFeaturizer()}
    assert names({"text": views}) == ["title_text", "all_text", "text_3"]
    assert names({"text": list(views.items())}) == ["title_text", "all_text", "text_3"]
    assert names({"text": ("title", TextLSAFeaturizer())}) == ["title_text"]


@pytest.mark.parametrize("build", [baseline, system_1, system_2, system_3, system_4])
def test_every_builder_takes_them(build):
    embeddings = {"text": TextLSAFeaturizer(), "audio": [AudioStatisticsFeaturizer(), AudioStatisticsFeaturizer(8)]}
    assert names(embeddings, build)[:3] == ["audio_statistics", "audio_statistics_2", "text_lsa"]
    assert names(embeddings, build, modalities="text") == ["text_lsa"]


def test_what_is_given_stays_as_it_is():
    audio = ClapAudioFeaturizer()
    system = make_system(embeddings={"audio": audio}, device="cpu", store="here", n_jobs=2)
    made = dict(system[0].featurizers)["clap_audio"]
    assert (audio.device, made.device) == ("auto", "cpu")
    assert (system[0].store, system[0].n_jobs) == ("here", 2)
    kept = make_system(embeddings={"audio": ClapAudioFeaturizer(device="meta")}, device="cpu")
    assert dict(kept[0].featurizers)["clap_audio"].device == "meta"


@pytest.mark.parametrize(
    ("embeddings", "settings", "message"),
    [
        ({"sound": AudioStatisticsFeaturizer()}, {}, "'audio', 'text' and 'prior'"),
        ({}, {}, "leaves no encoder"),
        ({"audio": []}, {}, "leaves no encoder"),
        ({"audio": AudioStatisticsFeaturizer()}, {"modalities": "text"}, "leaves no encoder"),
        ({"audio": AudioStatisticsFeaturizer}, {}, "takes featurizers"),
        ({"text": "MiniLM"}, {}, "takes featurizers"),
        ({"text": [("a", TextLSAFeaturizer()), ("a", TextLSAFeaturizer())]}, {}, "twice"),
        ("minilm", {}, "or a dict of featurizers"),
    ],
)
def test_errors_say_what_to_do(embeddings, settings, message):
    with pytest.raises(DataFormatError, match=message):
        make_system(embeddings=embeddings, **settings)


def three(clips):
    vectors = np.random.default_rng(0).normal(size=(len(clips.data), 8)).astype(np.float32)
    given = PrecomputedFeaturizer(vectors, sound_ids=clips.data.index)
    texts = {"title": TextLSAFeaturizer(8), "all": TextLSAFeaturizer(16)}
    return {"audio": [AudioStatisticsFeaturizer(), given], "text": texts, "prior": ClassPriorFeaturizer(TagRules())}


@pytest.mark.parametrize("settings", [{}, {"branch": "mfcc"}, {"neighbours": True, "distillation": True}])
def test_several_at_once_are_fitted_saved_and_loaded(settings, clips, tmp_path):
    system = make_system(embeddings=three(clips), size="small", random_state=0, **settings)
    epochs = [name for name in system.get_params() if name.endswith("max_epochs")]
    system.set_params(**dict.fromkeys(epochs, 2)).fit(clips.data, clips.target)
    bundle = system[0].transform(clips.data)
    assert bundle.names[:5] == ("audio_statistics", "precomputed_audio", "title_text", "all_text", "prior")
    proba = system.predict_proba(clips.data)
    loaded = load_model(save_model(system, tmp_path / "model"))
    assert_allclose(loaded.predict_proba(clips.data), proba, atol=1e-6)
    assert_array_equal(system.predict(clips.data.iloc[::-1]), system.predict(clips.data)[::-1])


@pytest.mark.filterwarnings("ignore::skbst.exceptions.AudioDecodeWarning")
def test_pretrained_encoders_of_sounds_and_texts_in_one_system(clips, tiny_audio_encoder, minilm, tmp_path):
    sounds = [TransformersAudioFeaturizer(tiny_audio_encoder, layer=layer) for layer in ("last", 1)]
    texts = SentenceTransformerFeaturizer(minilm)
    system = make_system(embeddings={"audio": sounds, "text": texts}, size="small", store=tmp_path, random_state=0)
    system.set_params(classifier__max_epochs=2).fit(clips.data, clips.target)
    bundle = system[0].transform(clips.data)
    assert bundle.names == ("transformers_audio", "transformers_audio_2", "sentence_transformer_text")
    loaded = load_model(save_model(system, tmp_path / "model"))
    assert_allclose(loaded.predict_proba(clips.data[:6]), system.predict_proba(clips.data[:6]), atol=1e-6)
    lost = system[-1].predict_proba(bundle.with_block("sentence_transformer_text", np.zeros((46, 384), np.float32)))
    assert_allclose(lost.sum(axis=1), 1, atol=1e-5)


def test_every_encoder_counts(clips):
    """Each is read: other vectors of any of them give other answers."""
    system = make_system(embeddings=three(clips), size="small", random_state=0).set_params(classifier__max_epochs=2)
    bundle = system.fit(clips.data, clips.target)[0].transform(clips.data)
    answers = system[-1].predict_proba(bundle)
    for name in bundle.names[:4]:
        changed = system[-1].predict_proba(bundle.with_block(name, bundle[name][::-1]))
        assert np.abs(changed - answers).max() > 1e-6, name
