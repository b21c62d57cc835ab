"""Normalising constants by annealed importance sampling around a network's weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from scipy.special import logsumexp

from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.ascent import moved
from gendsl_runtime.measures.copies import level
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs

MIXES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02)
"""Shares of fresh noise of one move after the other: long ones where the tempered law is broad, short ones where it is
narrow. Every move leaves the law as it is, so any sequence is right."""


@dataclass(frozen=True)
class Annealed:
    """`log E[exp(-beta L(w + u))]` over `u ~ N(0, 1 / gamma)`, from independent chains."""

    value: float
    error: float
    effective_chains: float
    acceptance: float
    """Share of moves that were taken."""


def annealed(
    member: Runs,
    *,
    on: str,
    of: Literal["loss", "error"],
    gamma: float,
    beta: float,
    chains: int,
    temperatures: int,
    moves: int,
) -> Annealed:
    """From the normal law to `N(u) exp(-beta L)` over powers `(t / T)^3` of the factor (Neal 2001), with moves that
    keep the normal law by themselves, `u' = sqrt(1 - b^2) u + b xi`, accepted by the change of `beta L` alone (Cotter
    et al. 2013). The mean of the weights is the constant, without bias; chains are copies in one stack."""
    streams = [generator("anneal", member.seeds[0], chain) for chain in range(chains)]
    stack = member.repeated(chains)
    own = stack.state.parameters
    size = vectors.size(own)

    def noise() -> torch.Tensor:
        drawn = np.stack([stream.standard_normal(size) for stream in streams])
        return torch.from_numpy(drawn / math.sqrt(gamma)).to(stack.device)

    def energy(places: torch.Tensor) -> np.ndarray:
        values = level(stack, on, of, moved(own, places)).cpu().numpy()
        return beta * np.where(np.isnan(values), np.inf, values)

    place, powers = noise(), (np.arange(temperatures + 1) / temperatures) ** 3
    here, weights, taken = energy(place), np.zeros(chains), 0
    for power, step in zip(powers[1:], np.diff(powers), strict=True):
        weights -= step * here
        if power == 1.0:  # a move after the last weight changes nothing
            break
        for move in range(moves):
            mix = MIXES[move % len(MIXES)]
            proposal = math.sqrt(1 - mix**2) * place + mix * noise()
            there = energy(proposal)
            chances = np.array([stream.random() for stream in streams])
            with np.errstate(invalid="ignore"):
                is_taken = np.log(chances) < power * (here - there)
            place = torch.where(torch.from_numpy(is_taken).to(place.device)[:, None], proposal, place)
            here = np.where(is_taken, there, here)
            taken += int(is_taken.sum())
    return _summary(weights, taken / max(1, chains * moves * (temperatures - 1)))


def _summary(weights: np.ndarray, acceptance: float) -> Annealed:
    chains = len(weights)
    total = float(logsumexp(weights))
    effective = float(np.exp(2 * total - logsumexp(2 * weights))) if np.isfinite(total) else 0.0
    error = math.sqrt(max(chains / effective - 1, 0.0) / (chains - 1)) if effective else math.inf
    return Annealed(total - math.log(chains), error, effective, acceptance)
