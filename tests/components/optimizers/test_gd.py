"""Full-batch descent on a quadratic, where the path has a closed form."""

from __future__ import annotations

import torch

from gendsl_runtime.optimizers.gd import gd


def test_on_a_parabola_each_step_shrinks_the_distance_by_one_minus_rate_times_curvature() -> None:
    rates = torch.tensor([0.1, 1.5], dtype=torch.float64)
    zero = torch.zeros(2, dtype=torch.float64)
    made = gd(lr=rates, momentum=zero, weight_decay=zero, schedule=torch.ones(2, 10))
    curvature = torch.tensor([1.0, 0.5], dtype=torch.float64)
    values = torch.ones(2, 2, dtype=torch.float64)
    for step in range(10):
        made.update(values, curvature * values, (), rates[:, None], step + 1)
    torch.testing.assert_close(values, (1 - rates[:, None] * curvature) ** 10)
