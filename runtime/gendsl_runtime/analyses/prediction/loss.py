"""Mean loss."""

from __future__ import annotations

from torch import Tensor

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.runs import Runs


@analysis(version=1, gives={"loss": "1"})
def loss(runs: Runs, *, on: SplitName = "test") -> dict[str, Tensor]:
    """Mean over a split of the loss the run was trained with.

    `loss = (1/N) sum_i l(f(x_i), y_i)` with the `l` of the training, label smoothing included, in evaluation
    mode and without weight decay, which belongs to the optimizer. Its unit is that of `l`: nats for
    `cross_entropy`, squared target units for `mse`, margin units for `hinge`. Losses are float32, their sum
    float64: relative error about 1e-7.

    Args:
        on: the split.
    """
    return {"loss": runs.mean_loss(on)}
