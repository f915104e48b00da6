"""From a latent vector to logits of one level or two."""
