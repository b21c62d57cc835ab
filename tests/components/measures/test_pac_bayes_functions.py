"""PAC-Bayes bounds as functions: closed forms, other inversions, coverage, and their order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom, entropy

from gendsl_runtime.measures import pac_bayes


@pytest.mark.parametrize("risk", [0.0, 1e-6, 0.03, 0.5, 0.97, 1.0])
@pytest.mark.parametrize("level", [1e-6, 0.01, 0.3, 2.0])
def test_the_inverse_is_the_root_of_the_divergence(risk: float, level: float) -> None:
    """Against Brent's method on scipy's entropy; both roots are within 1e-12."""
    found = float(pac_bayes.kl_inverse(risk, level))
    if risk in (0.0, 1.0):
        assert found == pytest.approx(1.0 if risk else 1 - math.exp(-level), rel=1e-12)
        return

    def excess(p: float) -> float:
        return float(entropy([risk, 1 - risk], [p, 1 - p])) - level

    if excess(1 - 1e-16) < 0:
        assert found == pytest.approx(1, abs=1e-15), "beyond the last number below 1"
        return
    assert found == pytest.approx(brentq(excess, risk, 1 - 1e-16, xtol=1e-15), abs=1e-9)
    assert excess(min(found + 1e-9, 1 - 1e-16)) >= 0, "no larger p is within the level"


def test_a_certain_level_reaches_one() -> None:
    assert pac_bayes.kl_inverse(0.5, 1e6) == 1.0


def test_known_values() -> None:
    """By hand: n = 1000, KL = 20, delta = 0.05, risk = 0.1."""
    given = {"examples": 1000, "delta": 0.05}
    room = (20 + math.log(2 * math.sqrt(1000) / 0.05)) / 1000
    expected = 0.1 + math.sqrt((20 + math.log(1000 / 0.05) + 2) / 1999)
    assert pac_bayes.mcallester(0.1, 20, **given) == pytest.approx(expected, rel=1e-14)
    expected = (math.sqrt(0.1 + room / 2) + math.sqrt(room / 2)) ** 2
    assert pac_bayes.quadratic(0.1, 20, **given) == pytest.approx(expected, rel=1e-14)
    c = 1.5
    expected = (1 - math.exp(-c * 0.1 - (20 + math.log(1 / 0.05)) / 1000)) / (1 - math.exp(-c))
    assert pac_bayes.catoni(0.1, 20, grid=np.array([c]), **given) == pytest.approx(expected, rel=1e-14)
    two = pac_bayes.catoni(0.1, 20, grid=np.array([c, c]), **given)
    assert two == pytest.approx(
        (1 - math.exp(-c * 0.1 - (20 + math.log(2 / 0.05)) / 1000)) / (1 - math.exp(-c))
    )


def test_order_of_the_bounds() -> None:
    """The inverse is below its relaxations: Pinsker's square root and the quadratic one."""
    chance = np.random.default_rng(0)
    risk, kl = chance.uniform(0, 0.6, 500), chance.exponential(200, 500)
    for n in (50, 1000, 60_000):
        level = pac_bayes.maurer_level(kl, examples=n, delta=0.05)
        bound = pac_bayes.maurer(risk, kl, examples=n, delta=0.05)
        assert (bound <= risk + np.sqrt(level / 2) + 1e-12).all()
        assert (bound <= pac_bayes.quadratic(risk, kl, examples=n, delta=0.05) + 1e-12).all()
        assert (bound >= risk).all()


def test_test_set_bound_inverts_the_binomial() -> None:
    for errors, n in ((0, 50), (7, 100), (499, 500), (500, 500)):
        bound = float(pac_bayes.clopper_pearson(errors, examples=n, delta=0.05))
        if errors < n:
            assert binom.cdf(errors, n, bound) == pytest.approx(0.05, rel=1e-8)
        else:
            assert bound == 1.0
    assert pac_bayes.clopper_pearson(0, examples=50, delta=0.05) == pytest.approx(1 - 0.05 ** (1 / 50))


def test_isotropic_divergence_against_sampling() -> None:
    """`E_Q log(q / p)`, within four standard errors of 200,000 draws."""
    chance = np.random.default_rng(1)
    mean, prior_mean, s, t = np.array([0.3, -0.2, 0.9]), np.zeros(3), 0.4, 0.7
    draws = mean + s * chance.standard_normal((200_000, 3))

    def log_density(x: np.ndarray, centre: np.ndarray, deviation: float) -> np.ndarray:
        return (-((x - centre) ** 2) / (2 * deviation**2) - math.log(deviation)).sum(1)

    values = log_density(draws, mean, s) - log_density(draws, prior_mean, t)
    found = pac_bayes.isotropic_kl(
        np.linalg.norm(mean - prior_mean), size=3, deviation=np.float64(s), prior=np.float64(t)
    )
    assert abs(values.mean() - found) < 4 * values.std() / math.sqrt(len(values))


def test_bounds_hold_on_thresholds() -> None:
    """200 thresholds with noisy labels, Gibbs posteriors: each bound fails in at most 5% of samples (here: none of
    300, while the probability of that is 2e-7 if 5% were the true rate); and so do draws and test sets."""
    thresholds = (np.arange(200) + 0.5) / 200
    true_risk = 0.1 + 0.8 * np.abs(thresholds - 0.37)
    failures = dict.fromkeys(("bound", "mcallester", "quadratic", "catoni"), 0)
    for seed in range(300):
        chance = np.random.default_rng(seed)
        x = chance.random(200)
        y = (x > 0.37) ^ (chance.random(200) < 0.1)
        empirical = ((x[:, None] > thresholds) != y[:, None]).mean(0)
        weights = np.exp(-200 * (empirical - empirical.min()))
        weights /= weights.sum()
        kl = (weights * np.log(np.maximum(weights, 1e-300) * 200)).sum()
        found = pac_bayes.all_bounds(weights @ empirical, kl, examples=200, delta=0.05)
        for name, value in found.items():
            failures[name] += bool(value < weights @ true_risk)
    assert failures == dict.fromkeys(failures, 0)


def test_coverage_of_test_set_bounds() -> None:
    """Exactly, by summing over the binomial: the chance that the bound is below the risk is at most delta."""
    n, counts = 60, np.arange(61)
    bounds = pac_bayes.clopper_pearson(counts, examples=n, delta=0.05)
    for risk in np.linspace(0.01, 0.99, 33):
        assert binom.pmf(counts, n, risk)[bounds < risk].sum() <= 0.05 + 1e-9
