"""The table of neurons that training wrote beside the weights."""

import json
import zlib
from pathlib import Path

from aigc_demo.weights import find_folder, read_tensors


class NeuronTable:
    """For each hidden neuron the contexts at whose last token it fired most, in training text."""

    def __init__(self, layers: list[list[list[tuple[str, float]]]]) -> None:
        self.layers = layers

    @classmethod
    def load(cls, source: str | Path) -> "NeuronTable | None":
        """The table of a weights folder, or None where it has none.

        Raises:
            ValueError: an unknown source, or a damaged table.
        """
        path = find_folder(source) / "neurons.safetensors"
        kept = read_tensors(path)
        if not kept:
            return None
        try:
            layers = json.loads(zlib.decompress(kept["table"].numpy().tobytes()))
            rows = [[[(str(c), float(v)) for c, v in one] for one in layer] for layer in layers]
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise ValueError(f"{path}: expected a table of neurons, {error}") from error
        return cls(rows)

    def examples(self, layer: int, neuron: int) -> list[tuple[str, float]]:
        """Context and activation, the strongest first; [] for a neuron that never fired.

        Raises:
            ValueError: no such neuron.
        """
        if not (0 <= layer < len(self.layers) and 0 <= neuron < len(self.layers[layer])):
            raise ValueError(
                f"expected a neuron of {len(self.layers)} layers, got {layer}, {neuron}"
            )
        return self.layers[layer][neuron]
