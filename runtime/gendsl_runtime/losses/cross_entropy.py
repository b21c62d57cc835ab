"""Cross-entropy."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, nll_loss

from gendsl_runtime.component import PerMember, Share, loss
from gendsl_runtime.data import NO_LABEL
from gendsl_runtime.problem import Problem


@loss(version=1, needs="labels", paper="szegedy2016rethinking")
def cross_entropy(
    outputs: Tensor,
    targets: Tensor,
    *,
    label_smoothing: PerMember[Share] = 0.0,  # type: ignore[assignment]
) -> Tensor:
    """Negative log-likelihood of the label under the softmax of the outputs, in nats.

    `-(1 - s) log p_y - s mean_c log p_c` with `p = softmax(f)`; s > 0 smooths the labels (Szegedy et al.
    2016, section 7). Outputs `(members, classes, examples)` and labels `(members, examples)` give losses
    `(members, examples)`. Of a labelling, outputs `(members, classes, places, examples)` and labels `(members,
    examples, places)`, it is the mean over the places that are asked about.

    Args:
        label_smoothing: s, the share of the label that is spread evenly over all classes.
    """
    log_p = log_softmax(outputs, 1)
    if outputs.ndim == 4:
        return _over_places(log_p, targets.movedim(-1, 1), label_smoothing)
    hard = nll_loss(log_p, targets, reduction="none")
    if label_smoothing is None:
        return hard
    share = label_smoothing[:, None]
    return hard * (1 - share) - log_p.mean(1) * share


def _over_places(log_p: Tensor, labels: Tensor, smoothing: Tensor | None) -> Tensor:
    """The mean over places, `(members, classes, places, examples)` to `(members, examples)`."""
    if log_p.shape[2] != labels.shape[1]:
        raise Problem(
            "wrong-shape",
            f"the network answers for {log_p.shape[2]} places, and the labels are about {labels.shape[1]}",
            help="give a labelling one label for each place of an example, row by row, -1 where nothing is asked",
        )
    asked = labels != NO_LABEL
    losses = -log_p.gather(1, labels.clamp_min(0).unsqueeze(1))[:, 0]
    if smoothing is not None:
        share = smoothing[:, None, None]
        losses = losses * (1 - share) - log_p.mean(1) * share
    return (losses * asked).sum(1) / asked.sum(1).clamp_min(1)


def cross_entropy_slopes(
    outputs: Tensor, targets: Tensor, *, label_smoothing: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The losses, and their slopes `(p - (1 - s) onehot(y) - s / C) / B`."""
    classes, examples = outputs.shape[1:]
    log_p = torch.log_softmax(outputs, 1)
    label = targets.unsqueeze(1)
    losses = log_p.gather(1, label).squeeze(1).neg_()
    if label_smoothing is None:
        hit = losses.new_full((1, 1, 1), -1.0).expand_as(label)
        return losses, log_p.exp_().scatter_add_(1, label, hit).mul_(1 / examples)
    share = label_smoothing.unsqueeze(1)
    losses = losses * (1 - share) - log_p.mean(1) * share
    slopes = log_p.exp_().sub_(share.unsqueeze(2) / classes)
    slopes.scatter_add_(1, label, (share - 1).unsqueeze(2).expand_as(label))
    return losses, slopes.mul_(1 / examples)
