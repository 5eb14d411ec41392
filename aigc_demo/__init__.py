"""AIGC Demo: use, look inside and retrain a GAN, a VAE and a Transformer."""

import os

__version__ = "0.2.0"

# Before anything imports the client of the Hub, as Gradio does: small files travel by plain HTTP,
# with ordinary errors, and nothing but what was asked for is sent.
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

# Before onnxruntime is imported: by default it reports to a collector on the web, and leaves a file
# .ses in the temporary folder. Its flash attention is the slower one for a decode step's one query.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("ORT_GQA_DISABLE_FLASH_ATTENTION", "1")
