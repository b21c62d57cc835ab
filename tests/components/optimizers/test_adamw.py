"""AdamW against torch.optim on gradients given by hand (whole trainings: tests/runtime/test_torch_agreement)."""

from __future__ import annotations

import torch

from gendsl_runtime.optimizers.adamw import adamw
from tests.components.optimizers.by_hand import agrees_with_torch, first_step_has_the_length_of_the_rate


def test_members_with_rates_of_their_own_agree_with_torch() -> None:
    agrees_with_torch(adamw, torch.optim.AdamW)


def test_the_first_step_has_the_length_of_the_rate() -> None:
    first_step_has_the_length_of_the_rate(adamw)
