"""torchvision, also beside a torch build that its compiled operators do not fit.

The wheel on PyPI is built for the CUDA build of torch. Beside a CPU build its extension stays
unloaded, silently, and the import then fails on the operators that other modules refer to. They
are declared here, without a body, which is enough for data sets, transforms and make_grid.
Import torchvision from here, and not while the app starts: it takes over a second.
"""

import torch

try:
    import torchvision
except RuntimeError as error:
    if "torchvision::nms" not in str(error):
        raise
    _declared = torch.library.Library("torchvision", "DEF")  # owns the declarations: keep it
    for _name in ("nms", "qnms"):
        _declared.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

__all__ = ["torchvision"]
