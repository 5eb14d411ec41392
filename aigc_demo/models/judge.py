"""A small digit classifier: the ruler by which generated digits are measured."""

from dataclasses import dataclass

from torch import Tensor, nn

from aigc_demo.models.batch import BatchNorm, uniform


@dataclass(frozen=True)
class JudgeConfig:
    channels: int = 32  # C, width of the first stage; the second has 2C, the third 4C
    dropout: float = 0.3


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3x3 convolutions, then half the height and width."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        BatchNorm(outputs),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        BatchNorm(outputs),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


class Judge(nn.Module):
    """Digit to class scores: three convolution stages (28 -> 14 -> 7 -> 3) and a linear head."""

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__()
        self.config = config
        width = config.channels
        self.stages = nn.Sequential(
            _stage(1, width), _stage(width, 2 * width), _stage(2 * width, 4 * width)
        )
        self.head = nn.Linear(4 * width, 10)

    def features(self, image: Tensor) -> Tensor:
        """(B, 1, 28, 28) in [0, 1] -> (B, 4C), what the head decides by."""
        return self.stages(image - 0.5).mean((2, 3))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, 28, 28) in [0, 1] -> logits (B, 10)."""
        seen = self.features(image)
        share = self.config.dropout if self.training else 0.0
        kept = uniform(*seen.shape, device=seen.device) >= share if share else 1.0
        return self.head(seen * kept / (1 - share))
