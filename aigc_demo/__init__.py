"""AIGC Demo: use, look inside and retrain a GAN, a VAE and a Transformer."""

import os

__version__ = "0.1.0"

# Before anything imports the client of the Hub, as Gradio does: small files travel by plain HTTP,
# with ordinary errors, and nothing but what was asked for is sent.
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
