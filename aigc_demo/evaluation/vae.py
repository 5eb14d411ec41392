"""How likely test digits are to the VAE."""

import hashlib
import math
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from aigc_demo.data.files import data_folder
from aigc_demo.data.mnist import read_mnist
from aigc_demo.images import to_bytes
from aigc_demo.models.vae import VAE, elbo_terms, log_importance_weights, reparameterize
from aigc_demo.weights import Loaded

BINARY_SEED = 0


def binarised_test_digits(data: Path | None) -> Tensor:
    """The 10,000 test digits, each pixel drawn once as black or white from a fixed seed."""
    images, _ = read_mnist(data_folder(data), train=False)
    return torch.bernoulli(images, generator=torch.Generator().manual_seed(BINARY_SEED))


@torch.inference_mode()
def score(loaded: Loaded, data: Path | None, full: bool) -> dict[str, float | str]:
    """Negative log-likelihood, -ELBO and its parts, in nats per binarised test digit.

    The likelihood is the importance-weighted bound. Quick: 100 samples a digit, the first 1,000
    digits. Full: 5,000 samples, all 10,000 digits.
    """
    model: VAE = loaded.model
    digits = binarised_test_digits(data)
    digest = hashlib.sha256(to_bytes(digits).tobytes()).hexdigest()
    torch.manual_seed(0)
    images = digits[:, None].to(loaded.device)
    mean, log_var = model.encoder(images)
    terms = []
    for _ in range(10 if full else 1):
        logits = model.decoder(reparameterize(mean, log_var))
        terms.append(torch.stack(elbo_terms(logits, images, mean, log_var)))
    log_likelihood, kl = torch.stack(terms).mean(0)

    count, samples = (len(images), 5_000) if full else (1_000, 100)
    bound = torch.cat(
        [
            importance_bound(model, image, samples)
            for image in tqdm(images[:count].split(20), desc="bound", unit_scale=20, unit="image")
        ]
    )
    spread = mean.var(0)
    return {
        "negative_log_likelihood": -bound.mean().item(),
        "negative_elbo": (kl - log_likelihood).mean().item(),
        "kl": kl.mean().item(),
        "reconstruction": -log_likelihood.mean().item(),
        "active_units": int((spread > 0.01).sum()),
        "digits": count,
        "samples": samples,
        "binarised_digits_sha256": digest,
    }


def importance_bound(model: VAE, image: Tensor, samples: int) -> Tensor:
    """log p(x) from below, in nats. (B, 1, 28, 28) -> (B,); Burda et al. 2016, eq. 8."""
    mean, log_var = model.encoder(image)
    pixels = image.flatten(1)
    parts, left = [], samples
    while left:
        share = min(left, 500)
        z = reparameterize(mean.expand(share, -1, -1), log_var.expand(share, -1, -1))
        logits = model.decoder(z.flatten(0, 1)).flatten(1).unflatten(0, (share, -1))
        parts.append(log_importance_weights(logits, pixels, z, mean, log_var))
        left -= share
    return torch.cat(parts).logsumexp(0) - math.log(samples)
