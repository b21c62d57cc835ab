"""Cross-entropy."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import log_softmax, nll_loss

from gendsl_runtime.component import PerMember, Share, loss


@loss(version=1, needs="classification", paper="szegedy2016rethinking")
def cross_entropy(
    outputs: Tensor,
    targets: Tensor,
    *,
    label_smoothing: PerMember[Share] = 0.0,  # type: ignore[assignment]
) -> Tensor:
    """Negative log-likelihood of the label under the softmax of the outputs, in nats.

    `-(1 - s) log p_y - s mean_c log p_c` with `p = softmax(f)`; s > 0 smooths the labels (Szegedy et al.
    2016, section 7). Outputs `(members, classes, examples)` and labels `(members, examples)` give losses
    `(members, examples)`.

    Args:
        label_smoothing: s, the share of the label that is spread evenly over all classes.
    """
    log_p = log_softmax(outputs, 1)
    hard = nll_loss(log_p, targets, reduction="none")
    if not bool(label_smoothing.any()):
        return hard
    share = label_smoothing[:, None]
    return hard * (1 - share) - log_p.mean(1) * share
