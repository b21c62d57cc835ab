"""Mean squared error."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import one_hot

from gendsl_runtime.component import loss


@loss(version=1, paper="hui2021evaluation")
def mse(outputs: Tensor, targets: Tensor) -> Tensor:
    """Squared difference, averaged over the outputs: `mean_c (f_c - y_c)^2`, in squared units of the target.

    Labels of a classification stand for their one-hot vectors (Hui and Belkin 2021); there is no form for a
    labelling. Outputs `(members, outputs, examples)` and targets `(members, examples, outputs)` or labels `(members,
    examples)` give `(members, examples)`.
    """
    return _differences(outputs, targets).square().mean(1)


def mse_slopes(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The losses, and their slopes `2 (f - y) / (C B)`."""
    differences = _differences(outputs, targets)
    return differences.square().mean(1), differences.mul_(2 / differences[0].numel())


def _differences(outputs: Tensor, targets: Tensor) -> Tensor:
    if not targets.is_floating_point():
        targets = one_hot(targets, outputs.shape[1]).to(outputs.dtype)
    return outputs - targets.movedim(-1, 1)
