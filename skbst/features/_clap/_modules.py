"""The parts of CLAP that a featurizer runs."""

from skbst.features._clap._encoder import load_encoder

__all__ = ["clap_modules"]


def clap_modules(featurizer, side):
    """Load a featurizer's network, or take the one that this process has loaded, and hand out one side of it.

    Parameters
    ----------
    featurizer : ClapAudioFeaturizer or ClapTextFeaturizer
        Whose ``backend``, ``checkpoint`` and ``device`` count.

    side : {"audio", "text"}
        Which encoder.

    Returns
    -------
    modules : list of torch.nn.Module
        The encoder and its projection.
    """
    settings = {"device": featurizer.device, "verbose": featurizer.verbose}
    network = load_encoder(featurizer.backend, featurizer.checkpoint, **settings)._model.network
    # laion-clap says branch, transformers says model
    names = [f"{side}_{part}" for part in ("branch", "model", "projection")]
    return [getattr(network, name) for name in names if hasattr(network, name)]
