"""The diffusion tab."""

from aigc_demo.inference.flow import FlowSampler
from aigc_demo.names import FLOWS
from aigc_demo.ui.catalog.tab import Tab
from aigc_demo.ui.flow.api import FlowEndpoints
from aigc_demo.ui.flow.tab import build_flow_tab
from aigc_demo.ui.page.classes import names_of

TAB = Tab(
    "flow",
    build=build_flow_tab,
    models=FLOWS,
    families=FLOWS,
    load=FlowSampler.load,
    endpoints=FlowEndpoints,
    about=lambda sampler: {"classes": names_of(sampler)},
)
