"""The accuracy of the judge."""

from pathlib import Path

from aigc_demo.data.files import data_folder
from aigc_demo.data.mnist import read_mnist
from aigc_demo.inference.judge import DigitJudge
from aigc_demo.weights import Loaded


def score(loaded: Loaded, data: Path | None, full: bool) -> dict[str, float]:
    """Accuracy on the 10,000 MNIST test digits; quick and full are the same."""
    images, labels = read_mnist(data_folder(data), train=False)
    read = DigitJudge(loaded).classify(images).argmax(1)
    return {"accuracy": (read == labels).float().mean().item(), "digits": len(labels)}
