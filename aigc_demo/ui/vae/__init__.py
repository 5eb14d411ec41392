"""The VAE tab."""

from aigc_demo.inference.vae import LatentWalker
from aigc_demo.names import VAES
from aigc_demo.ui.catalog.tab import Tab
from aigc_demo.ui.vae.api import VAEEndpoints
from aigc_demo.ui.vae.tab import build_vae_tab

TAB = Tab(
    "vae",
    build=build_vae_tab,
    models=VAES,
    families=("vae",),
    load=LatentWalker.load,
    endpoints=VAEEndpoints,
)
