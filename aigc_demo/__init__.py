"""AIGC Demo: use, look inside and retrain a GAN, a VAE and a Transformer."""

__version__ = "0.1.0"
