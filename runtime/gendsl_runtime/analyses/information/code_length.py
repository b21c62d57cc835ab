"""Two-part code length."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.coding import clusters, message_bits, quantised
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="classification",
    gives={
        "total": "nats",
        "weights": "nats [levels]",
        "labels": "nats [levels]",
        "error": "1 [levels]",
        "distortion": "1 [levels]",
        "uniform": "nats",
    },
    shares=["error"],
    axes={"levels": "different values that weights may have"},
    paper=["hinton1993keeping", "lotfi2022compression", "blier2018description"],
)
def code_length(
    runs: Runs,
    *,
    on: SplitName = "train",
    levels: list[Count] = (2, 4, 8, 16, 32, 64),  # type: ignore[assignment]
) -> dict[str, np.ndarray]:
    """Information it takes to write down a trained network and then, with its help, the labels.

    All parameters are rounded to the nearest of a few values, the centres of k-means in float16, and written
    by an arithmetic code with their counts and the codebook (as Lotfi et al. 2022 do for bounds): `weights`.
    The labels take `labels = sum_i -log p(y_i | x_i)` with the rounded network's softmax. `total`
    is the least sum over the numbers of levels (and log of how many were tried), a two-part code of the
    labels given the inputs (Hinton and van Camp 1993); `uniform = N log C` is what they take without a
    network. Networks with more weights than data have a total far above it although they generalise (Blier
    and Ollivier 2018): see `prequential`.

    `error` is the rounded network's on the split and `distortion` the root mean square change of the
    parameters over their root mean square (0 for a network of zeros). Running statistics are written as
    float32, 32 bits each. Seeds and initial values are not used. Evaluation mode. Lengths of weights are
    whole numbers of bits. All in nats; a claim may say `< 9000 bits`.

    Args:
        on: the split whose labels are coded.
        levels: numbers of different values that are tried.
    """
    found = [[_part(runs.select([m]), on, count) for count in levels] for m in range(runs.members)]
    weights, labels, error, distortion = np.array(found).transpose(2, 0, 1)
    examples = runs.split(on)[0].shape[1]
    return {
        "total": (weights + labels).min(1) + np.log(len(levels)),
        "weights": weights,
        "labels": labels,
        "error": error,
        "distortion": distortion,
        "uniform": np.full(runs.members, examples * np.log(runs.network.outputs)),
        "levels": np.array(levels),
    }


def _part(one: Runs, on: str, levels: int) -> tuple[float, float, float, float]:
    """Nats of the weights, nats of the labels, error and distortion of one member."""
    exact = vectors.flat(one.state.parameters)[0].double().cpu().numpy()
    code = quantised(exact, clusters(exact, levels))
    rounded = torch.from_numpy(code.values).to(one.device)
    parameters = vectors.shaped(rounded.unsqueeze(0), one.state.parameters)
    statistics = vectors.size(one.state.buffers) if one.state.buffers else 0
    size = np.sqrt(np.square(exact).mean())
    change = np.sqrt(np.square(exact - code.values).mean())
    return (
        (message_bits(code) + 32 * statistics) * float(np.log(2)),
        _label_nats(one, on, parameters),
        float(one.error(on, parameters)[0]),
        float(change / size) if size > 0 else 0.0,
    )


@torch.no_grad()
def _label_nats(one: Runs, on: str, parameters: dict[str, Tensor]) -> float:
    total = 0.0
    for inputs, targets in one.chunks(on):
        logs = one.outputs(inputs, parameters).double().log_softmax(1)
        total -= float(logs.gather(1, targets.unsqueeze(1)).sum())
    return total
