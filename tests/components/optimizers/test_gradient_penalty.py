"""The penalty of block gradients: against double backward, a closed form and the loop one would write."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from gendsl_runtime.length import Length
from gendsl_runtime.network import State
from gendsl_runtime.noise import noise
from gendsl_runtime.problem import Problem
from gendsl_runtime.train import build
from gendsl_runtime.train.fuse import groups
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.order import order
from tests.runtime.members import blobs, component, member, same

DATA = blobs(shape=(5,), examples=26)
TANH = component("model", "mlp", hidden=[7], activation="tanh")


def penalised(base: str = "gd", *, lr: float = 1.0, given: dict | None = None, **own):
    """An optimizer around `base`."""
    return component(
        "optimizer", "gradient_penalty", base=component("optimizer", base, lr=lr, **(given or {})), **own
    )


def trained(optimizer, *, data=DATA, model=TANH, steps: int = 1, batch: int | None = None, **fields) -> State:
    one = member(
        data, model=model, optimizer=optimizer, budget=Length(steps, "steps"), batch=batch, seed=4, **fields
    )
    return fit([one], dtype=torch.float64)[0].state


def flat(state: State) -> Tensor:
    return torch.cat([value.flatten() for value in state.parameters.values()])


def direction(optimizer, **fields) -> Tensor:
    """The corrected gradient: minus the first step of a rate of 1."""
    return flat(trained(component("optimizer", "gd", lr=1e-30), **fields)) - flat(
        trained(optimizer, **fields)
    )


def loss_of(vector: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of a 5-7-3 network with these values, in the order of the engine's."""
    first, offset, second, last = vector.split([35, 7, 21, 3])
    hidden = torch.tanh(inputs @ first.view(7, 5).T + offset)
    return cross_entropy(hidden @ second.view(3, 7).T + last, targets)


def start() -> Tensor:
    return flat(trained(component("optimizer", "gd", lr=1e-30)))


def blocks_of(count: int) -> list[tuple[Tensor, Tensor, float]]:
    """Inputs, targets and shares of contiguous blocks."""
    split = DATA.split("fit")
    parts = zip(split.inputs.double().tensor_split(count), split.targets.tensor_split(count), strict=True)
    return [(x, y, len(y) / 26) for x, y in parts]


def exact(strength: float, count: int) -> tuple[Tensor, Tensor]:
    """The gradient of `L + strength / 4 mean_b |g_b|^2` by double backward, and what forward differences add to it for
    each unit of epsilon, `strength / 4 mean_b |g_b| grad (u' H_b u)` at fixed `u = g_b / |g_b|`."""
    w = start().requires_grad_()
    loss, penalty, lead = torch.zeros(()), torch.zeros(()), torch.zeros(())
    for x, y, share in blocks_of(count):
        own = loss_of(w, x, y)
        (slope,) = torch.autograd.grad(own, w, create_graph=True)
        loss, penalty = loss + share * own, penalty + share * slope.square().sum()
        size = slope.detach().norm()
        (product,) = torch.autograd.grad(slope, w, slope.detach() / size, create_graph=True)
        lead = lead + share * size * (product @ (slope.detach() / size))
    (whole,) = torch.autograd.grad(loss + strength / 4 * penalty, w, retain_graph=True)
    (cubic,) = torch.autograd.grad(strength / 4 * lead, w)
    return whole, cubic


@pytest.mark.parametrize("count", [1, 4])
def test_differences_approach_the_exact_gradient_at_first_order(count) -> None:
    """With the first-order term taken away what is left falls by four when epsilon is halved (here 3.9 to 4.1: the next
    term is of third order, epsilon / 0.05 of it at most), and no more than rounding / epsilon is lost."""
    whole, cubic = exact(3.0, count)
    plain = direction(component("optimizer", "gd", lr=1.0))
    assert float((whole - plain).norm()) > 0.05 * float(plain.norm())
    rests = []
    for epsilon in (0.004, 0.002):
        found = direction(penalised(strength=3.0, blocks=count, epsilon=epsilon))
        error = found - whole
        assert float(error.norm()) < 1.1 * epsilon * float(cubic.norm())
        rests.append(float((error - epsilon * cubic).norm()))
    assert rests[0] / rests[1] == pytest.approx(4, rel=0.05)
    tiny = direction(penalised(strength=3.0, blocks=count, epsilon=1e-7))
    assert float((tiny - whole).norm()) < 1e-7


def test_one_block_is_the_penalty_of_the_whole_loss() -> None:
    w = start().requires_grad_()
    split = DATA.split("fit")
    loss = loss_of(w, split.inputs.double(), split.targets)
    (slope,) = torch.autograd.grad(loss, w, create_graph=True)
    (wanted,) = torch.autograd.grad(loss + 0.5 * slope.square().sum(), w)
    found = direction(penalised(strength=2.0, blocks=1, epsilon=1e-6))
    torch.testing.assert_close(found, wanted.detach(), rtol=0, atol=1e-6)


def test_exact_where_the_loss_is_a_parabola() -> None:
    """Least squares have no third derivative: any epsilon gives `g + a/2 mean H_b g_b`."""
    data = blobs(shape=(4,), examples=24, task="regression")
    linear, mse = component("model", "linear"), component("loss", "mse")
    fields = {"data": data, "model": linear, "loss": mse}
    found = direction(penalised(strength=0.8, blocks=3, epsilon=2.0), **fields)
    w = flat(trained(component("optimizer", "gd", lr=1e-30), **fields)).requires_grad_()
    split = data.split("fit")
    outputs = split.targets.shape[1]
    weight, bias = w[: 4 * outputs].view(outputs, 4), w[4 * outputs :]
    wanted = torch.zeros_like(w)
    for x, y in zip(
        split.inputs.double().tensor_split(3), split.targets.double().tensor_split(3), strict=True
    ):
        loss = mse_loss(x @ weight.T + bias, y)
        (slope,) = torch.autograd.grad(loss, w, create_graph=True)
        (turned,) = torch.autograd.grad(slope, w, slope.detach(), retain_graph=True)
        wanted = wanted + (slope.detach() + 0.4 * turned) / 3
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("scale", ["rate", "constant"])
def test_the_penalty_follows_the_learning_rate_of_the_step(scale) -> None:
    """A warm-up over two steps takes the first one at half the rate."""
    warmup = component("schedule", "warmup", length=Length(2, "steps"))
    given = {"schedule": warmup}
    before = start()
    first = flat(trained(penalised(lr=0.4, given=given, strength=3.0, epsilon=1e-6, scale=scale), steps=1))
    whole, _ = exact(3.0 * (0.4 if scale == "rate" else 1.0), 8)
    torch.testing.assert_close(before - first, 0.4 * whole, rtol=0, atol=1e-6)
    both = flat(trained(penalised(lr=0.4, given=given, strength=3.0, epsilon=1e-6, scale=scale), steps=2))
    half, _ = exact(3.0 * (0.2 if scale == "rate" else 1.0), 8)
    step = before - 0.2 * half
    assert float((both - step).norm()) < float((both - before).norm())


def plain_loop(one, module: nn.Module, *, strength: float, blocks: int, clip: float) -> None:
    """Blocks, differences and clipping with torch's own parts."""
    split = one.data.split("fit")
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    values = list(module.parameters())

    def slopes(rows: Tensor) -> list[Tensor]:
        loss = cross_entropy(module(split.inputs.double()[rows]), split.targets[rows])
        return list(torch.autograd.grad(loss, values))

    for step in range(one.steps):
        epoch, place = divmod(step, one.steps_per_epoch)
        index = torch.from_numpy(order(one.seed, epoch, one.examples))
        rows = index[place * one.batch_size : (place + 1) * one.batch_size]
        rate = 0.1 * build.factors(one)[step]
        total = [torch.zeros_like(value) for value in values]
        for block in rows.tensor_split(min(blocks, len(rows))):
            here = slopes(block)
            norm = torch.sqrt(sum(g.square().sum() for g in here))
            kept = [value.detach().clone() for value in values]
            with torch.no_grad():
                for value, g in zip(values, here, strict=True):
                    value.add_(g * 0.02 / norm)
            there = slopes(block)
            with torch.no_grad():
                for value, before in zip(values, kept, strict=True):
                    value.copy_(before)
            share, factor = len(block) / len(rows), strength * rate / 2 * norm / 0.02
            for into, a, b in zip(total, here, there, strict=True):
                into.add_(share * (a + factor * (b - a)))
        for value, g in zip(values, total, strict=True):
            value.grad = g
        nn.utils.clip_grad_norm_(values, clip)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()


@pytest.mark.parametrize("blocks", [1, 3, 8])
@pytest.mark.parametrize("steps", [1, 60])
def test_trainings_agree_with_a_plain_loop(blocks, steps) -> None:
    """Batches of 10 of 26 examples end in one of 6, with as many blocks."""
    cosine = component("schedule", "cosine")
    base = {"momentum": 0.9, "weight_decay": 1e-3, "clip": 0.4, "schedule": cosine}
    members = [
        member(
            DATA,
            seed=seed,
            model=TANH,
            optimizer=penalised("sgd", lr=0.1, given=base, strength=strength, blocks=blocks, epsilon=0.02),
            budget=Length(steps, "steps"),
            batch=10,
        )
        for seed, strength in ((1, 0.5), (2, 4.0))
    ]
    one = members[1]
    module = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)).double()
    with torch.no_grad():
        fresh = build.network(one).init([one.seed]).parameters
        for value, given in zip(module.parameters(), fresh.values(), strict=True):
            value.copy_(given[0])
    plain_loop(one, module, strength=4.0, blocks=blocks, clip=0.4)
    mine = fit(members, dtype=torch.float64)[1].state.parameters.values()
    for theirs, own in zip(module.parameters(), mine, strict=True):
        assert float((theirs - own[0]).abs().max().detach()) < 1e-10


def test_without_strength_it_is_the_base() -> None:
    base = component("optimizer", "gd", lr=0.3, momentum=0.9, clip=0.5)
    plain = flat(trained(base, steps=30))
    one, many = (
        flat(
            trained(
                component("optimizer", "gradient_penalty", base=base, strength=0.0, blocks=blocks), steps=30
            )
        )
        for blocks in (1, 7)
    )
    assert torch.equal(one, plain)
    torch.testing.assert_close(many, plain, rtol=1e-11, atol=1e-12)


def test_losses_are_those_at_the_parameters_in_the_order_of_the_examples() -> None:
    def losses(optimizer) -> Tensor:
        one = member(DATA, model=TANH, optimizer=optimizer, budget=Length(1, "steps"), batch=None, seed=4)
        return fit([one], dtype=torch.float64)[0].history["train_loss"]

    plain = losses(component("optimizer", "gd", lr=0.3))
    torch.testing.assert_close(losses(penalised(strength=5.0, blocks=4, epsilon=0.5)), plain)


@pytest.mark.parametrize("model", ["mlp", "dropout", "batch", "cnn"])
@pytest.mark.parametrize("batch", [None, 10])
def test_members_are_their_own(model, batch) -> None:
    """Strengths, rates and seeds differ within one stack, and no bit depends on company."""
    made, data = {
        "mlp": (component("model", "mlp", hidden=[9, 5]), DATA),
        "dropout": (component("model", "mlp", hidden=[9], dropout=0.4), DATA),
        "batch": (
            component("model", "resnet", width=4, stages=1, norm="batch"),
            blobs(shape=(1, 6, 6), examples=26),
        ),
        "cnn": (component("model", "cnn"), blobs(shape=(1, 6, 6), examples=26)),
    }[model]
    members = [
        member(
            data,
            seed=place,
            model=made,
            optimizer=penalised(
                "sgd",
                lr=0.05 * (place + 1),
                given={"clip": 0.7},
                strength=0.5 + place,
                blocks=4,
                epsilon=0.05,
            ),
            budget=Length(5 + place, "steps"),
            batch=batch,
        )
        for place in range(3)
    ]
    assert groups(members) == [[0, 1, 2]]
    for together, alone in zip(fit(members), fit(members, fuse=False), strict=True):
        assert same(together, alone)


def test_running_statistics_are_those_of_the_unmoved_passes() -> None:
    """One block: those of the base. Three blocks: three moves, a tenth of the way each, none for the second pass."""
    images = blobs(shape=(1, 6, 6), examples=12)
    fields = {"data": images, "model": component("model", "resnet", width=4, stages=1, norm="batch")}
    base = component("optimizer", "gd", lr=1e-9)
    buffers = {
        (strength, blocks): trained(
            component(
                "optimizer", "gradient_penalty", base=base, strength=strength, blocks=blocks, epsilon=0.5
            ),
            **fields,
        ).buffers
        for strength in (0.0, 2.0)
        for blocks in (1, 3)
    }
    for blocks in (1, 3):
        for name, value in buffers[0.0, blocks].items():
            assert torch.equal(value, buffers[2.0, blocks][name])
    plain = trained(base, **fields).buffers
    name = next(name for name in plain if name.endswith("running_mean"))
    assert torch.equal(plain[name], buffers[2.0, 1][name])
    # From zero, one move keeps 0.1 of a mean m; three keep 0.271 of it, for blocks of one mean.
    ratio = float((buffers[0.0, 3][name] * plain[name]).sum() / plain[name].square().sum())
    assert ratio == pytest.approx(2.71, rel=0.1)


def test_both_passes_of_a_block_drop_the_same_and_blocks_differ() -> None:
    """Were the two passes to drop different units, the difference over epsilon would grow as epsilon falls."""
    dropping = component("model", "mlp", hidden=[9], activation="tanh", dropout=0.5)
    found = [
        direction(penalised(strength=3.0, blocks=2, epsilon=epsilon), model=dropping)
        for epsilon in (1e-3, 1e-5)
    ]
    assert float((found[0] - found[1]).norm()) < 1e-2 * float(found[1].norm())
    whole = noise([1, 2], device="cpu")
    draws = [whole.part(place).uniforms("x", (1000,)) for place in range(3)]
    assert torch.equal(draws[0], whole.uniforms("x", (1000,)))
    for first, second in ((0, 1), (0, 2), (1, 2)):
        pair = torch.stack([draws[first].flatten(), draws[second].flatten()])
        # Of 2000 pairs of independent numbers: a standard error of 0.022.
        assert abs(float(torch.corrcoef(pair)[0, 1])) < 0.1


@pytest.mark.parametrize("inner", ["sam", "gradient_penalty"])
@pytest.mark.parametrize("outer", ["sam", "gradient_penalty"])
def test_gradients_are_corrected_once(inner, outer) -> None:
    within = component("optimizer", inner, base=component("optimizer", "sgd"))
    with pytest.raises(Problem, match="within another"):
        trained(component("optimizer", outer, base=within))


def test_a_step_that_rounding_swallows_is_refused() -> None:
    with pytest.raises(Problem, match="do not feel so short a step"):
        trained(penalised(epsilon=1e-30))
