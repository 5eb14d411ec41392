"""The likelihood of test digits under a VAE."""

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from aigc_demo.data.files import data_folder
from aigc_demo.data.mnist import read_mnist
from aigc_demo.images import to_bytes
from aigc_demo.models.vae import VAE, importance_bound
from aigc_demo.weights import Loaded

BINARY_SEED = 0
AT_ONCE = 500  # samples of one digit that are drawn together,
DECODED = 250  # and decoded: of more, the pictures on the way do not stay in a core's cache


class InParts(nn.Module):
    """A decoder that takes DECODED codes at a time, its convolutions in channels_last format."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, z: Tensor) -> Tensor:
        """(B, D) -> logits (B, 1, 28, 28)."""
        return torch.cat([self.decoder(part) for part in z.split(DECODED)])


def binarised_test_digits(data: Path | None) -> Tensor:
    """The 10,000 test digits, each pixel drawn once as black or white from a fixed seed."""
    images, _ = read_mnist(data_folder(data), train=False)
    return torch.bernoulli(images, generator=torch.Generator().manual_seed(BINARY_SEED))


@torch.inference_mode()
def score(
    loaded: Loaded, data: Path | None, full: bool, digits: int | None = None
) -> dict[str, float | str]:
    """Negative log-likelihood, -ELBO and its parts, in nats per binarised test digit.

    The likelihood is the importance-weighted bound. Quick: 100 samples a digit, the first 1,000
    digits. Full: 5,000 samples, all 10,000 digits, or the first `digits` of them. The ELBO takes
    ten samples of the same digits, so only chance could put it above the likelihood.
    """
    model: VAE = loaded.model
    if loaded.device.type == "cpu":
        model.decoder = InParts(model.decoder)  # type: ignore[assignment]
    test = binarised_test_digits(data)
    digest = hashlib.sha256(to_bytes(test).tobytes()).hexdigest()
    count, samples = (digits or len(test), 5_000) if full else (1_000, 100)
    torch.manual_seed(0)
    images = test[:count, None].to(loaded.device)
    terms = [torch.stack(model(part, samples=10)) for part in images.split(100)]
    log_likelihood, ratio = torch.cat(terms, 2).mean(1)  # (B,) each
    means = torch.cat([model.encoder(part)[0] for part in images.split(500)])

    bound = torch.cat(
        [
            sampled_bound(model, image, samples)
            for image in tqdm(images.split(20), desc="bound", unit_scale=20, unit="image")
        ]
    )
    return {
        "negative_log_likelihood": -bound.mean().item(),
        "negative_elbo": -(log_likelihood + ratio).mean().item(),
        "kl": -ratio.mean().item(),
        "reconstruction": -log_likelihood.mean().item(),
        "active_units": int((means.var(0) > 0.01).sum()),
        "digits": count,
        "samples": samples,
        "binarised_digits_sha256": digest,
    }


def sampled_bound(model: VAE, image: Tensor, samples: int) -> Tensor:
    """log p(x) from below, by so many weighted samples, in nats. (B, 1, 28, 28) -> (B,)."""
    parts = [model(image, min(AT_ONCE, samples - done)) for done in range(0, samples, AT_ONCE)]
    log_likelihood, ratio = (torch.cat(part) for part in zip(*parts, strict=True))
    return importance_bound(log_likelihood, ratio)
