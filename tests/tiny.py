"""The smallest model of each family, with weights of no training."""

from aigc_demo.models.flow import Flow, FlowConfig
from aigc_demo.models.gan import GAN, GANConfig
from aigc_demo.models.gan_mlp import MLPGAN, MLPGANConfig
from aigc_demo.models.judge import Judge, JudgeConfig
from aigc_demo.models.transformer import Transformer, TransformerConfig
from aigc_demo.models.unmask import Unmask, UnmaskConfig
from aigc_demo.models.vae import VAE, VAEConfig

PICTURES = {  # family -> makes one
    "gan": lambda: GAN(GANConfig(latent_size=8, channels=8, discriminator_channels=8)),
    "gan-mlp": lambda: MLPGAN(MLPGANConfig(latent_size=8, width=8)),
    "vae": lambda: VAE(VAEConfig(latent_size=3, hidden=16)),
    "flow": lambda: Flow(FlowConfig(channels=8, blocks=1)),
    "judge": lambda: Judge(JudgeConfig(channels=4)),
}


def coupled_vae() -> VAE:
    """One whose prior is learned."""
    return VAE(VAEConfig(latent_size=4, hidden=16, channels=4, couplings=2))


def transformer(vocabulary: int, context: int) -> Transformer:
    size = {"layers": 2, "heads": 2, "width": 16, "logit_cap": 0.0}
    return Transformer(TransformerConfig(vocabulary, context, **size))


def unmask(vocabulary: int, context: int) -> Unmask:
    size = {"layers": 2, "heads": 2, "width": 16, "logit_cap": 0.0}
    return Unmask(UnmaskConfig(vocabulary, context, **size))
