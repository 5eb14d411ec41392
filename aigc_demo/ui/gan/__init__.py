"""The GAN tab."""

from aigc_demo.inference.gan import DigitSampler
from aigc_demo.names import GANS
from aigc_demo.ui.catalog.tab import Tab
from aigc_demo.ui.gan.api import GANEndpoints
from aigc_demo.ui.gan.tab import build_gan_tab
from aigc_demo.ui.page.classes import names_of

TAB = Tab(
    "gan",
    build=build_gan_tab,
    models=GANS,
    families=GANS,
    load=DigitSampler.load,
    endpoints=GANEndpoints,
    about=lambda sampler: {"plain": sampler.classes < 2, "classes": names_of(sampler)},
)
