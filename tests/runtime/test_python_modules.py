"""The user's own modules in the engine: exact, as torch trains them, and never silently wrong."""

from __future__ import annotations

import hashlib
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gendsl.fingerprint import fingerprint
from gendsl.spec import Code, Component
from gendsl_runtime import components, python
from gendsl_runtime.length import Length
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train import build
from gendsl_runtime.train.fitted import Fitted
from gendsl_runtime.train.fuse import known_cost, stacks, static_key
from gendsl_runtime.train.loop import fit, train
from gendsl_runtime.train.python.module import fresh
from tests.runtime.members import blobs, component, member, same, value

HEAD = """
import torch
from torch import nn
from torch.nn import functional as F
"""
MLP = """
class Net(nn.Module):
    def __init__(self, inputs, outputs, *, width=8):
        super().__init__()
        self.first = nn.Linear(inputs, width)
        self.last = nn.Linear(width, outputs)

    def forward(self, x):
        return self.last(torch.relu(self.first(x.flatten(1))))
"""
EVERYTHING = """
class Net(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.first = nn.Linear(inputs, 9)
        self.norm = nn.BatchNorm1d(9, momentum=None)
        self.again = nn.Linear(9, 9)
        self.tied = nn.Linear(9, 9)
        self.tied.weight = self.again.weight
        self.spectral = nn.utils.parametrizations.spectral_norm(nn.Linear(9, 9))
        self.idle = nn.Linear(3, 3)
        self.frozen = nn.Parameter(torch.ones(9), requires_grad=False)
        self.register_buffer("order", torch.arange(8, -1, -1))
        self.drop = nn.Dropout(0.2)
        self.last = nn.Linear(9, outputs)

    def forward(self, x):
        x = self.norm(F.gelu(self.first(x))) * self.frozen
        if x.mean().item() > 0:
            x = x + 1
        x = self.drop(torch.tanh(self.tied(torch.sigmoid(self.again(x)))))[:, self.order]
        x = torch.where(x > 0, x, x * 0.5)
        return self.last(self.spectral(x))
"""


def coded(path: Path, name: str) -> Code:
    return Code(path=str(path), name=name, fingerprint=fingerprint(path, name).digest)


@pytest.fixture(autouse=True)
def allowed(monkeypatch):
    monkeypatch.setattr(python, "_allowed", [True])


@pytest.fixture
def own(tmp_path):
    """Makes a component of the user's from the text of its file."""

    def make(text: str, kind: str = "model", name: str = "Net", **given) -> Component:
        text = HEAD + textwrap.dedent(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        path = tmp_path / digest[:8] / "nets.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        arguments = {key: value(one) for key, one in given.items()}
        code = coded(path, name)
        return Component(kind=kind, name=name, version=0, arguments=arguments, code=code)

    return make


def trained(*members) -> list[Fitted]:
    """Each trained in one stack with all others."""
    found = train(members, device="cpu", dtype=torch.float32, tell=lambda steps: None)
    assert all(isinstance(one, Fitted) for one in found), found
    return found


@pytest.mark.parametrize("text", [MLP, EVERYTHING], ids=["mlp", "everything"])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_bits_depend_on_the_member_alone(own, text, count):
    model = own(text)
    members = [member(model=model, seed=seed, batch=17) for seed in range(count)]
    together = trained(*members)
    for one, alone in zip(together, members, strict=True):
        assert same(one, trained(alone)[0])
    for one, again in zip(together, reversed(trained(*reversed(members))), strict=True):
        assert same(one, again)


def test_seeds_differ_and_global_generators_stay(own):
    before = python.generators()
    network = build.network(member(model=own(EVERYTHING)))
    first, second, again = (network.init([seed]).parameters["first.weight"] for seed in (0, 1, 0))
    assert torch.equal(first, again) and not torch.equal(first, second)
    trained(member(model=own(EVERYTHING)))
    assert python.generators() == before


def test_a_module_is_trained_as_the_built_in_network_is(own):
    """From the same weights, in the same order, the losses are the same up to rounding: 30 steps of 1e-7."""
    data = blobs()
    built_in, mine = member(data, budget=Length(10, "epochs")), member(data, model=own(MLP))
    start = build.network(mine).init([0])
    names = {"first": "hidden.0", "last": "output"}
    given = {
        f"{names[name.split('.')[0]]}.{name.split('.')[1]}": tensor
        for name, tensor in start.parameters.items()
    }
    wanted = build.network(built_in).init([0]).parameters
    ordered = {name: given[name] for name in wanted}
    left = trained(replace(built_in, init=State(ordered, {})))[0]
    right = trained(replace(mine, budget=Length(10, "epochs"), init=start))[0]
    assert torch.allclose(left.history["train_loss"], right.history["train_loss"], rtol=0, atol=1e-6)
    assert torch.equal(left.history["train_error"], right.history["train_error"])


def test_a_module_is_trained_as_torch_trains_it(own):
    """Everything at once against a plain loop with `torch.optim`, without dropout: same examples, same steps."""
    text = EVERYTHING.replace("nn.Dropout(0.2)", "nn.Identity()")
    data = blobs()
    one = member(data, model=own(text), batch=None, budget=Length(20, "epochs"))
    fitted = trained(one)[0]
    network = build.network(one)
    module = fresh(network.build, 0)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    split = data.split("train")
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(module(split.inputs), split.targets)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert torch.allclose(fitted.history["train_loss"], torch.tensor(losses).double(), rtol=0, atol=2e-6)
    idle = network.init([0]).buffers["idle.weight"]
    assert torch.equal(fitted.state.buffers["idle.weight"], idle)
    mean = fitted.state.buffers["norm.running_mean"][0]
    assert torch.allclose(mean, module.norm.running_mean, rtol=0, atol=1e-5)


WRONG = {
    "a scalar": ("return self.last(F.relu(self.first(x))).sum()", "wrong-shape"),
    "transposed": ("return self.last(F.relu(self.first(x))).T", "wrong-shape"),
    "a tuple": ("return self.last(self.first(x)), x", "wrong-shape"),
    "whole numbers": ("return self.last(self.first(x)).long()", "wrong-shape"),
    "a counter": (
        "self.calls = getattr(self, 'calls', 0) + 1; return self.last(self.first(x)) * self.calls",
        "not-reproducible",
    ),
    "time": ("import time; return self.last(self.first(x)) * time.perf_counter()", "not-reproducible"),
    "own generator": (
        "import os; return self.last(self.first(x)) + os.urandom(1)[0] + 256 * os.urandom(1)[0]",
        "not-reproducible",
    ),
    "chance in evaluation": ("return self.last(F.dropout(self.first(x), 0.5))", "not-reproducible"),
    "no gradient": ("return self.last(self.first(x)).detach()", "component-failed"),
    "checkpointed": (
        "from torch.utils.checkpoint import checkpoint\n"
        "        return self.last(checkpoint(lambda y: F.relu(self.first(y)), x, use_reentrant=False))",
        "not-stateless",
    ),
    "raises": ("raise ValueError('too <b>wide</b>')", "component-failed"),
    "exits": ("import sys; sys.exit(3)", "component-failed"),
}


@pytest.mark.parametrize(("body", "code"), WRONG.values(), ids=WRONG)
def test_what_would_go_wrong_is_refused(own, body, code):
    text = MLP.replace("return self.last(torch.relu(self.first(x.flatten(1))))", body)
    with pytest.raises(Problem) as found:
        build.network(member(model=own(text)))
    assert found.value.code == code, found.value.message
    assert "`Net`" in found.value.message
    if body.startswith(("raise", "import sys")):
        assert "(nets.py:13)" in found.value.message


def test_old_norms_on_weights_and_lazy_layers_are_refused(own):
    for layer, code in (
        ("torch.nn.utils.spectral_norm(nn.Linear(inputs, width))", "not-reproducible"),
        ("nn.LazyLinear(width)", "component-failed"),
    ):
        text = MLP.replace("nn.Linear(inputs, width)", layer)
        with pytest.raises(Problem) as found:
            build.network(member(model=own(text)))
        assert found.value.code == code, found.value.message


def test_weights_from_elsewhere_than_the_seed_are_refused(own):
    text = MLP.replace(
        "    def forward",
        "        self.last.weight.data.normal_(generator=torch.Generator().manual_seed(id(self)))\n\n    def forward",
    )
    with pytest.raises(Problem, match="starts from other weights each time"):
        build.network(member(model=own(text)))


def test_the_coordinator_never_imports(own, monkeypatch, tmp_path):
    """Stacks are decided without the file: with code of the user's, members are trained one by one."""
    monkeypatch.setattr(python, "_allowed", [])
    mark = tmp_path / "imported"
    text = f"open({str(mark)!r}, 'w').close()\n{MLP}"
    schedule = own(
        f"open({str(mark)!r}, 'w').close()\ndef half(steps, per): return [0.5] * steps", "schedule", "half"
    )
    optimizer = component("optimizer", "sgd").model_copy(
        update={"arguments": {**component("optimizer", "sgd").arguments, "schedule": schedule}}
    )
    for fields in ({"model": own(text)}, {"optimizer": optimizer}):
        members = [member(seed=seed, **fields) for seed in range(3)]
        assert known_cost(members[0]) is None
        assert stacks(members) == [[0], [1], [2]]
    assert not mark.exists()
    with pytest.raises(Problem, match="may not run in this process"):
        build.network(member(model=own(text)))


def test_the_static_key_holds_the_fingerprint(own):
    one, other = own(MLP), own(MLP.replace("torch.relu", "torch.tanh"))
    assert static_key(member(model=one)) != static_key(member(model=other))
    moved = one.model_copy(update={"code": one.code.model_copy(update={"path": "/elsewhere/nets.py"})})
    assert static_key(member(model=one)) == static_key(member(model=moved))


LOSS = """
def own(outputs, targets, *, power=2.0):
    chosen = F.one_hot(targets, outputs.shape[1]).movedim(-1, 1)
    return (outputs - chosen).abs().pow(power).mean(1)
"""


def test_a_loss_and_an_optimizer_of_ones_own(own):
    descent = """
    from gendsl_runtime.component import PerMember, Positive, Schedule
    from gendsl_runtime.train.optimizer import Optimizer

    def descent(*, lr: PerMember[Positive], schedule: Schedule = "constant"):
        def update(parameters, gradients, slots, rate, step):
            parameters.sub_(rate * gradients)

        return Optimizer(lr, schedule, None, 0, update)
    """
    optimizer = own(descent, "optimizer", "descent", lr=0.1, schedule=component("schedule", "constant"))
    loss = own(LOSS, "loss", "own", power=2.0)
    mine = [member(optimizer=optimizer, loss=loss, seed=seed) for seed in range(3)]
    plain = [
        member(optimizer=component("optimizer", "sgd", lr=0.1), loss=loss, seed=seed) for seed in range(3)
    ]
    for one, other in zip(fit(mine), fit(plain), strict=True):
        assert torch.allclose(one.history["train_loss"], other.history["train_loss"], rtol=0, atol=1e-6)
    assert all(map(same, fit(mine), trained(*mine)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def own(outputs, targets): return outputs.mean()", "gives float32 () for outputs (1, 3, 16)"),
        ("def own(outputs, targets): return targets", "gives int64 (1, 16)"),
        ("def own(outputs, targets): return outputs.detach()[:, 0]", "without a gradient"),
        ("def own(outputs, targets): return outputs[:, 0] * torch.rand(1)", "draws random numbers"),
        ("def own(outputs, targets): return None", "gives a NoneType"),
        ("def own(outputs, targets): return outputs[:, 99]", "raised IndexError"),
    ],
)
def test_what_a_loss_returns_is_checked(own, text, said):
    with pytest.raises(Problem) as found:
        trained(member(loss=own(text, "loss", "own")))
    assert said in found.value.message and ("nets.py:" in found.value.message or "draws" in said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def own(*, lr, schedule): return torch.optim.SGD", "gives a type, not an `Optimizer`"),
        ("def own(*, lr, schedule): return Optimizer(lr[:0], schedule, None, 0, None)", "has the rates"),
        (
            "def own(*, lr, schedule): return Optimizer(lr, schedule, None, 0, lambda p, g, s, r, t: p - g)",
            "an update that returns a Tensor",
        ),
    ],
)
def test_what_an_optimizer_returns_is_checked(own, text, said):
    text = text.replace("lr,", "lr: 'PerMember[float]',", 1)
    text = f"from gendsl_runtime.train.optimizer import Optimizer\n{text}"
    optimizer = own(text, "optimizer", "own", lr=0.1, schedule=component("schedule", "constant"))
    with pytest.raises(Problem) as found:
        trained(member(optimizer=optimizer))
    assert said in found.value.message and "nets.py:6" in found.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def own(steps, per_epoch): return [1.0]", "factors with shape (1,)"),
        ("def own(steps, per_epoch): return [float('nan')] * steps", "not finite"),
        ("def own(steps, per_epoch): return 'fast'", "gives a str"),
    ],
)
def test_what_a_schedule_returns_is_checked(own, text, said):
    optimizer = component("optimizer", "sgd", schedule=own(text, "schedule", "own"))
    with pytest.raises(Problem) as found:
        trained(member(optimizer=optimizer))
    assert said in found.value.message and "nets.py:" in found.value.message


def test_modules_beside_the_file_are_imported_afresh(own, tmp_path):
    """Also where their text changes within the second that bytecode is dated by; clashes are refused."""
    texts = []
    for folder, factor in (("a", 2), ("b", 3)):
        place = tmp_path / folder
        (place / "parts").mkdir(parents=True)
        (place / f"{folder}_help.py").write_text(f"from parts_{folder}.deep import factor\n")
        (place / f"parts_{folder}").mkdir()
        (place / f"parts_{folder}" / "deep.py").write_text(f"factor = {factor}\n")
        path = place / "nets.py"
        path.write_text(
            f"def own(steps, per):\n    import {folder}_help\n    return [{folder}_help.factor] * steps\n"
        )
        code = coded(path, "own")
        one = Component(kind="schedule", name="own", version=0, arguments={}, code=code)
        texts.append(build.bound(one, "schedule")(2, 1).tolist())
        assert not list(place.rglob("*.pyc"))
    assert texts == [[2.0, 2.0], [3.0, 3.0]]
    clash = tmp_path / "c"
    clash.mkdir()
    (clash / "a_help.py").write_text("")
    (clash / "nets.py").write_text("def own(steps, per): return [1.0] * steps\n")
    code = coded(clash / "nets.py", "own")
    one = Component(kind="schedule", name="own", version=0, arguments={}, code=code)
    with pytest.raises(Problem, match="have a module `a_help`"):
        build.bound(one, "schedule")(2, 1)


ANALYSES = {
    "accuracy": {"on": "test"},
    "hessian_top": {"count": 2, "on": "train"},
    "margins": {"on": "test"},
    "el2n": {},
    "weight_norms": {},
    "parameter_count": {},
    "generalization_gap": {},
}


@pytest.mark.parametrize("name", ANALYSES)
def test_built_in_analyses_see_a_module_as_they_see_a_network(own, name):
    """Of a stack of three, each with an exact copy of its weights in the built-in `mlp`, in float32."""
    data = blobs()
    ones = [member(data, seed=seed) for seed in range(3)]
    mine = [member(data, model=own(MLP), seed=seed) for seed in range(3)]
    network, plain = build.network(mine[0]), build.network(ones[0])
    state = network.init([0, 1, 2])
    names = {"first": "hidden.0", "last": "output"}
    twin = State(
        {f"{names[key.split('.')[0]]}.{key.split('.')[1]}": v for key, v in state.parameters.items()}, {}
    )
    loss = build.loss(ones, device="cpu", dtype=torch.float32)
    found = [
        components.load("analysis", name)(Runs(net, values, (data,) * 3, (0, 1, 2), loss), **ANALYSES[name])
        for net, values in (
            (network, state),
            (plain, State({k: twin.parameters[k] for k in plain.init([0]).parameters}, {})),
        )
    ]
    assert found[0].keys() == found[1].keys()
    for key, values in found[0].items():
        left, right = (torch.as_tensor(one[key], dtype=torch.float64) for one in found)
        assert torch.allclose(left, right, rtol=1e-4, atol=1e-5), (key, values)
    alone = Runs(network, state, (data,) * 3, (0, 1, 2), loss).select([1])
    single = components.load("analysis", name)(alone, **ANALYSES[name])
    for key, values in single.items():
        whole = torch.as_tensor(found[0][key])
        if len(whole) == 3 and torch.as_tensor(values).shape[0] == 1:
            assert torch.equal(torch.as_tensor(values)[0], whole[1]), key
