"""The steps of a GPU, taken on the CPU: recorded, replayed, and equal to the plain ones to the bit.

Nothing here shows that a GPU does the same; see decision 097.
"""

from __future__ import annotations

import os
import warnings
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from gendsl.spec import Code
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.device import reproducible
from gendsl_runtime.length import Length
from gendsl_runtime.numerics import numerics
from gendsl_runtime.train import accelerate, stack
from gendsl_runtime.train.accelerate import recorder
from gendsl_runtime.train.count import Count, correction, correction_root
from gendsl_runtime.train.fuse import Cost
from gendsl_runtime.train.loop import Course, fit, train
from gendsl_runtime.train.optimizer import Optimizer
from gendsl_runtime.train.record import beaten
from tests.runtime.members import blobs, component, member, same
from tests.runtime.recording import Checking, Replaying


def optimizer(name: str, **given):
    return component("optimizer", name, **given)


def tokens(seed: int = 0) -> Dataset:
    chance = torch.Generator().manual_seed(seed)
    inputs = torch.randint(0, 7, (37, 5), generator=chance)
    targets = torch.randint(0, 3, (37,), generator=chance)
    return Dataset({"train": Split(inputs, targets)}, "classification", (5,), 3, vocabulary=7)


VECTORS = blobs(examples=37)
IMAGES = blobs(shape=(2, 6, 6), examples=37)
STEPS = blobs(shape=(4, 3), examples=37)
TARGETS = blobs(examples=37, task="regression")
OPTIMIZERS = {
    "sgd": lambda lr: optimizer("sgd", lr=lr),
    "momentum": lambda lr: optimizer("sgd", lr=lr, momentum=0.9, weight_decay=1e-3),
    "nesterov": lambda lr: optimizer("sgd", lr=lr, momentum=0.8, nesterov=True, clip=0.3),
    "cosine": lambda lr: optimizer("sgd", lr=lr, schedule=component("schedule", "cosine"), clip=0.5),
    "adam": lambda lr: optimizer("adam", lr=lr / 10, weight_decay=1e-3),
    "adamw": lambda lr: optimizer("adamw", lr=lr / 10, schedule=component("schedule", "cosine"), clip=0.5),
    "rmsprop": lambda lr: optimizer("rmsprop", lr=lr / 20, momentum=0.5, centered=True),
    "sam": lambda lr: optimizer("sam", base=optimizer("sgd", lr=lr, momentum=0.9), rho=0.1),
    "penalty": lambda lr: optimizer(
        "gradient_penalty", base=optimizer("sgd", lr=lr, momentum=0.9, clip=0.5), strength=2 * lr, blocks=3
    ),
    "asam": lambda lr: optimizer("sam", base=optimizer("adamw", lr=lr / 10), rho=0.1, adaptive=True),
}
MODELS = {
    "mlp": (component("model", "mlp", hidden=[8, 5]), VECTORS),
    "wide mlp": (component("model", "mlp", hidden=[5] * 5, activation="gelu"), VECTORS),
    "dropout": (component("model", "mlp", hidden=[8], dropout=0.3), VECTORS),
    "batch norm": (component("model", "mlp", hidden=[8], norm="batch"), VECTORS),
    "regression": (component("model", "mlp", hidden=[8]), TARGETS),
    "cnn": (component("model", "cnn"), IMAGES),
    "resnet": (component("model", "resnet", width=4, stages=2, norm="batch"), IMAGES),
    "transformer": (component("model", "transformer", width=6, heads=3), tokens()),
    "rnn": (component("model", "rnn", hidden=5), STEPS),
    "lstm": (component("model", "rnn", cell="lstm", hidden=5, embedding=3), tokens()),
}


def members(model: str = "mlp", name: str = "momentum", *, count: int = 3, **fields):
    """Members that differ in seed, rate and budget; 37 examples are two batches of 16 and one of 5."""
    network, data = MODELS[model]
    budgets = (16, 45, 29)
    return [
        member(
            data,
            model=network,
            optimizer=OPTIMIZERS[name](0.05 * (row + 1)),
            seed=row,
            budget=Length(budgets[row % 3], "steps"),
            **fields,
        )
        for row in range(count)
    ]


@pytest.fixture
def replaying(monkeypatch):
    """Trains as on a GPU: what is asked of the recorder stands in the object given."""
    made = Replaying()
    made.dtype = torch.float32

    def accelerated_fit(chosen):
        with monkeypatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("error")
            patch.setattr(stack, "recorder", lambda members, device: made)
            return train(chosen, device="cpu", dtype=made.dtype, tell=lambda steps: None)

    made.fit = accelerated_fit
    return made


def check(replaying, chosen) -> None:
    found = replaying.fit(chosen)
    assert all(same(one, plain) for one, plain in zip(found, fit(chosen, fuse=False), strict=True))
    assert replaying.recorded
    assert replaying.replayed > 2


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("count", [1, 3])
def test_every_optimizer(replaying, name: str, count: int) -> None:
    check(replaying, members(name=name, count=count))


@pytest.mark.parametrize("name", ["adamw", "sam", "penalty"])
@pytest.mark.parametrize("model", [model for model in MODELS if model != "mlp"])
def test_every_kind_of_network(replaying, model: str, name: str) -> None:
    check(replaying, members(model, name))


@pytest.mark.parametrize("model", ["mlp", "batch norm"])
def test_smoothed_labels(replaying, model: str) -> None:
    loss = component("loss", "cross_entropy", label_smoothing=0.1)
    check(replaying, members(model, "adam", loss=loss))


def on_meta(made: stack.Stack, recorder: Checking) -> stack.Stack:
    """The stack with memory that holds nothing, on a device that is not the CPU."""

    def moved(value: Tensor) -> Tensor:
        return value.to("meta")

    feed = replace(made.feed, inputs=moved(made.feed.inputs), targets=moved(made.feed.targets), _kept={})
    noise = made.noise
    return replace(
        made,
        parameters=moved(made.parameters),
        buffers={name: moved(value) for name, value in made.buffers.items()},
        slots=tuple(map(moved, made.slots)),
        optimizer=moved_optimizer(made.optimizer),
        rates=moved(made.rates),
        loss=replace(made.loss, own={name: moved(value) for name, value in made.loss.own.items()}),
        feed=feed,
        losses=moved(made.losses),
        wrong=None if made.wrong is None else moved(made.wrong),
        noise=None if noise is None else replace(noise, keys=moved(noise.keys), step=moved(noise.step)),
        recorder=recorder,
    )


def moved_optimizer(made: Optimizer) -> Optimizer:
    """Its functions hold what is each member's own, such as the momentum."""
    functions = [one for one in (made.update, made.correction) if one is not None]
    for cell in (cell for function in functions for cell in function.__closure__ or ()):
        if isinstance(cell.cell_contents, Tensor):
            cell.cell_contents = cell.cell_contents.to("meta")
    return replace(made, clip=None if made.clip is None else made.clip.to("meta"))


@pytest.mark.parametrize(
    ("model", "name"),
    [(model, "nesterov") for model in MODELS] + [("mlp", name) for name in OPTIMIZERS],
)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_recording_touches_no_memory_of_the_cpu(
    monkeypatch, model: str, name: str, smoothing: float
) -> None:
    """With everything on another device: what is made on the CPU in mid-step would be copied, which no graph holds."""
    monkeypatch.setattr(accelerate, "DOUBTS", 0)
    is_smooth = bool(smoothing) and model != "regression"
    fields = {"loss": component("loss", "cross_entropy", label_smoothing=smoothing)} if is_smooth else {}
    chosen = members(model, name, **fields)
    checking = Checking()
    made = on_meta(stack.start(chosen, device="cpu", dtype=torch.float32), checking)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for epoch in range(1, 5):
            made.run(epoch * made.feed.steps)
    assert checking.recorded == 2


def test_memory_of_the_cpu_would_be_seen(monkeypatch) -> None:
    made = on_meta(stack.start(members(), device="cpu", dtype=torch.float32), Checking())
    monkeypatch.setattr(accelerate, "beaten", lambda outputs, targets: torch.zeros(targets.shape).to("meta"))
    for end in (3, 6):
        made.run(end)
    with pytest.warns(RuntimeWarning, match="memory of the CPU"):
        made.run(9)


def test_an_epoch_longer_than_a_recording(replaying, monkeypatch) -> None:
    monkeypatch.setattr(accelerate, "LONGEST", 3)
    chosen = [
        replace(one, batch=8, budget=Length(41 + 5 * row, "steps")) for row, one in enumerate(members())
    ]
    check(replaying, chosen)


def test_full_batches_and_double_precision(replaying) -> None:
    chosen = [replace(one, batch=None) for one in members(name="adam")]
    check(replaying, chosen)
    replaying.dtype = torch.float64
    found = replaying.fit(chosen)
    assert found[0].state.parameters["output.weight"].dtype == torch.float64
    plain = fit(chosen, dtype=torch.float64)
    assert all(same(*pair) for pair in zip(found, plain, strict=True))


def test_stops_checkpoints_and_divergence(replaying) -> None:
    """Members leave at different times, for every reason there is."""
    data = blobs(examples=37, classes=2)
    chosen = [
        member(data, seed=seed, optimizer=OPTIMIZERS["momentum"](rate), budget=budget, **fields)
        for seed, rate, budget, fields in [
            (0, 0.1, Length(40, "epochs"), {"stop": ("train_error", "<", 0.2)}),
            (1, 0.2, Length(40, "epochs"), {"stop": ("train_error", "==", 0.0)}),
            (2, 1e12, Length(40, "epochs"), {}),
            (3, 0.1, Length(25, "epochs"), {"checkpoints": (0, 7, 25)}),
        ]
    ]
    found, plain = replaying.fit(chosen), fit(chosen, fuse=False)
    assert found[2] == plain[2]
    for place in (0, 1, 3):
        assert same(found[place], plain[place])
    assert found[0].status == "stopped"
    for epoch, state in found[3].checkpoints.items():
        kept = plain[3].checkpoints[epoch].parameters
        assert all(torch.equal(value, kept[name]) for name, value in state.parameters.items())
    assert replaying.replayed > 10


def test_a_stack_is_left_and_gone_on_with(replaying, monkeypatch) -> None:
    """After every block, as a checkpoint that is due asks for."""
    monkeypatch.setattr(stack, "recorder", lambda members, device: replaying)
    monkeypatch.setattr(accelerate, "LONGEST", 2)
    chosen = members("dropout", "adamw")
    course = Course(chosen, stack.start(chosen, device="cpu", dtype=torch.float32))
    while course.stack.members:
        course.advance(lambda: True)
    plain = fit(chosen, fuse=False)
    assert all(same(course.results[row], one) for row, one in enumerate(plain))


def asking(outputs: Tensor, targets: Tensor) -> Tensor:
    bool(outputs.sum() > 0)
    return beaten(outputs, targets)


def counting(outputs: Tensor, targets: Tensor) -> Tensor:
    """Its answer depends on a number of Python's, but not once it is recorded."""
    counting.calls += 1
    return beaten(outputs, targets) if counting.calls % 2 else beaten(outputs, targets).logical_not_()


@pytest.mark.parametrize(("fault", "why"), [(asking, "could not be"), (counting, "does not do")])
def test_what_cannot_be_recorded_is_trained_without(replaying, monkeypatch, fault, why: str) -> None:
    """Never wrong, and not silent."""
    counting.calls = 0
    (one,) = members(count=1)
    one = replace(one, budget=Length(10, "epochs"), batch=37)
    plain = fit([one])
    monkeypatch.setattr(accelerate, "beaten", fault)
    monkeypatch.setattr(stack, "recorder", lambda members, device: replaying)
    with pytest.warns(RuntimeWarning, match=why) as warned:
        (found,) = train([one], device="cpu", dtype=torch.float32, tell=lambda steps: None)
    assert len(warned) == 1
    assert replaying.replayed <= 2
    assert all(
        torch.equal(value, plain[0].state.parameters[name]) for name, value in found.state.parameters.items()
    )


def test_memory_that_is_short_is_told(replaying, monkeypatch) -> None:
    def full(call):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(replaying, "record", full)
    with pytest.raises(torch.OutOfMemoryError):
        replaying.fit(members(count=1))


def test_where_steps_are_recorded(monkeypatch) -> None:
    """On a GPU, but for code of the user's."""
    made = object()
    monkeypatch.setattr(accelerate, "CudaRecorder", lambda device: made)
    one = member()
    code = Code(path="/nets.py", name="Net", fingerprint="0" * 64)
    own = replace(one, model=one.model.model_copy(update={"code": code}))
    assert recorder([one], "cpu") is None
    assert recorder([one], "cuda") is recorder([one], torch.device("cuda:1")) is made
    assert recorder([own], "cuda") is None


class Stream:
    """A stand-in for `torch.cuda.Stream` that notes the order of things."""

    def __init__(self, name: str, heard: list[str]) -> None:
        self.name, self.heard = name, heard

    def wait_stream(self, other: Stream) -> None:
        self.heard.append(f"{self.name} waits for {other.name}")


def test_graphs_are_captured_on_the_stream_that_was_warmed(monkeypatch) -> None:
    """What is called of `torch.cuda`, in which order; what that does on a GPU is not shown."""
    heard: list[str] = []
    side, main = Stream("side", heard), Stream("main", heard)

    class Graph:
        def replay(self) -> None:
            heard.append("replay")

    def within(kind: str, stream: Stream):
        heard.append(f"{kind} {stream.name}")
        return nullcontext()

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: side)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: main)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: within("on", stream))
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph, *, stream: within("capture", stream))
    made = accelerate.CudaRecorder(torch.device("cuda"))
    made.take(lambda: heard.append("take"))
    assert heard == ["side waits for main", "on side", "take", "main waits for side"]
    heard.clear()
    made.record(lambda: heard.append("call"))()
    assert heard == ["capture side", "call", "replay"]


def test_stacks_on_a_gpu_follow_its_memory(monkeypatch) -> None:
    small, long = Cost(operations=2e6, bytes=1e5), Cost(operations=3e10, bytes=1e8)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (80e9, 80e9))
    assert small.most("cuda") == 50_000
    assert long.most("cuda") == 3
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1e9, 80e9))
    assert (small.most("cuda"), long.most("cuda")) == (1250, 1)
    assert small.most("cpu") == small.members


def test_a_gpu_has_a_numerics_class_of_its_own() -> None:
    assert numerics("cuda") == numerics("cuda:1")
    assert "tf32=off" in numerics("cuda")
    assert "tf32" not in numerics("cpu")


def test_what_the_numerics_class_says_is_set(monkeypatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    matmul = SimpleNamespace(allow_tf32=True)
    monkeypatch.setattr(torch.backends.cuda, "matmul", matmul)
    for place, name in (
        (torch.backends.cudnn, "allow_tf32"),
        (torch.backends.cudnn, "benchmark"),
        (torch.utils.deterministic, "fill_uninitialized_memory"),
    ):
        monkeypatch.setattr(place, name, True)
    asked = []
    monkeypatch.setattr(torch, "use_deterministic_algorithms", asked.append)
    reproducible("cpu")
    assert torch.backends.cudnn.allow_tf32
    assert not asked
    reproducible("cuda:0")
    assert not (matmul.allow_tf32 or torch.backends.cudnn.allow_tf32)
    assert asked == [True]
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


@pytest.mark.parametrize("decay", [0.9, 0.999, 0.0])
def test_a_count_gives_what_python_gives(decay: float) -> None:
    """Rounded once to the type of the parameters, as a number of Python's is beside a tensor."""
    tables: dict = {}
    for step in (1, 2, 77):
        count = Count(torch.tensor([step - 1]), 100, torch.float32, tables)
        for function in (correction, correction_root):
            assert function(decay, count).item() == torch.tensor(function(decay, step), dtype=torch.float32)
            assert function(decay, count).shape == ()
