"""What a stack of N seeds costs, in seeds of a plain and of a hand-written PyTorch loop.

    python benchmarks/engine.py [--case mlp|cnn] [--rounds 7] [--epochs 10]

Digits (1437 train, 360 test), batch 64, SGD with momentum. Every arm trains the same number of epochs, keeps
the loss and the error of each epoch from its steps, and evaluates the test set once at the end. CPU time of
one thread, medians of interleaved rounds, each arm in a process of its own, so that the engine's numerical
setting slows nobody else down. `plain` is DataLoader, nn.Module, torch.optim; `hand` is tensors in memory,
one gather an epoch, the fused optimizer, inference-mode evaluation, and channels-last for the CNN.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

COUNTS = {"mlp": (1, 8, 32), "cnn": (1, 8)}
TARGETS = {
    ("mlp", 32): "<= 5.0 hand, <= 2.3 plain",
    ("mlp", 8): "<= 2.0 hand, <= 0.9 plain",
    ("mlp", 1): "<= 1.15 hand",
    ("cnn", 8): "<= 3.4 hand",
    ("cnn", 1): "<= 1.25 hand",
}
BATCH, RATE, MOMENTUM = 64, 0.1, 0.9


def digits(case: str):
    """Inputs and labels of both splits, scaled to 0..1."""
    import torch
    from sklearn.datasets import load_digits

    data = load_digits()
    inputs = torch.tensor(data.data, dtype=torch.float32) / 16
    inputs = inputs.view(-1, 1, 8, 8) if case == "cnn" else inputs
    labels = torch.tensor(data.target)
    return (inputs[:1437], labels[:1437]), (inputs[1437:], labels[1437:])


def module(case: str):
    """64-64-10, or two 3 x 3 convolutions of 8 and 16 channels with pooling, 64 units and the output."""
    from torch import nn

    if case == "mlp":
        return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


def plain(case: str, epochs: int):
    """The idiomatic loop."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    train, test = digits(case)
    loader = DataLoader(TensorDataset(*train), batch_size=BATCH, shuffle=True)
    held_out = DataLoader(TensorDataset(*test), batch_size=512)

    def run() -> float:
        torch.manual_seed(0)
        net, loss = module(case), torch.nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=MOMENTUM)
        for _ in range(epochs):
            total, wrong = 0.0, 0
            for x, y in loader:
                optimizer.zero_grad()
                outputs = net(x)
                value = loss(outputs, y)
                value.backward()
                optimizer.step()
                total += value.item() * len(x)
                wrong += (outputs.argmax(1) != y).sum().item()
        net.eval()
        with torch.no_grad():
            return sum((net(x).argmax(1) == y).sum().item() for x, y in held_out) / len(test[1])

    return run


def hand(case: str, epochs: int):
    """The best loop we can write by hand for one seed."""
    import torch
    from torch.nn.functional import cross_entropy

    (inputs, labels), (test_inputs, test_labels) = digits(case)

    def run() -> float:
        torch.manual_seed(0)
        net = module(case)
        if case == "cnn":
            net = net.to(memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=MOMENTUM, fused=True)
        for _ in range(epochs):
            order = torch.randperm(len(inputs))
            x, y = inputs.index_select(0, order), labels.index_select(0, order)
            if case == "cnn":
                x = x.contiguous(memory_format=torch.channels_last)
            seen, values = [], []
            for a, b in zip(x.split(BATCH), y.split(BATCH), strict=True):
                outputs = net(a)
                value = cross_entropy(outputs, b)
                optimizer.zero_grad(set_to_none=True)
                value.backward()
                optimizer.step()
                seen.append(outputs.detach())
                values.append(value.detach())
            torch.stack(values).mean().item()
            (torch.cat(seen).argmax(1) != y).float().mean().item()
        with torch.inference_mode():
            return (net(test_inputs).argmax(1) == test_labels).float().mean().item()

    return run


def engine(case: str, epochs: int, count: int):
    """The engine with `count` seeds in one call of `fit`."""
    from gendsl.spec import Component, Nothing, Number
    from gendsl_runtime.data import Dataset, Split
    from gendsl_runtime.length import Length
    from gendsl_runtime.network import joined
    from gendsl_runtime.runs import Runs
    from gendsl_runtime.train import build
    from gendsl_runtime.train.loop import fit
    from gendsl_runtime.train.member import Member

    train, test = (Split(*part) for part in digits(case))
    data = Dataset({"train": train, "test": test}, "classification", tuple(train.inputs.shape[1:]), 10)

    def component(kind: str, name: str, **arguments) -> Component:
        return Component(kind=kind, name=name, version=1, arguments=arguments)

    zero = Number(value=0.0)
    optimizer = component(
        *("optimizer", "sgd"),
        lr=Number(value=RATE),
        momentum=Number(value=MOMENTUM),
        weight_decay=zero,
        schedule=component("schedule", "constant"),
        clip=Nothing(),
    )
    loss = component("loss", "cross_entropy", label_smoothing=zero)
    members = [
        Member(
            data,
            b"digits",
            component("model", case),
            optimizer,
            loss,
            Length(epochs, "epochs"),
            BATCH,
            seed=s,
        )
        for s in range(count)
    ]

    def run() -> float:
        fitted = fit(members)
        state = joined([one.state for one in fitted])
        network = build.network(members[0])
        runs = Runs(
            network,
            state,
            (data,) * count,
            tuple(range(count)),
            build.loss(members, device="cpu", dtype=None),
        )
        return float(runs.accuracy("test").mean())

    return run


def serve(arm: str, case: str, epochs: int) -> None:
    """Run an arm once for every line of the input, and print its CPU seconds and test accuracy."""
    if not arm.startswith("engine"):
        import torch

        torch.set_num_threads(1)
    run = {"plain": plain, "hand": hand}[arm](case, epochs) if arm in ("plain", "hand") else None
    run = run or engine(case, epochs, int(arm.removeprefix("engine")))
    run()
    for _ in sys.stdin:
        start = time.process_time()
        accuracy = run()
        print(time.process_time() - start, accuracy, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=sorted(COUNTS), action="append")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--arm", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.arm:
        serve(given.arm, given.case[0], given.epochs)
        return
    for case in given.case or sorted(COUNTS, reverse=True):
        compare(case, given.rounds, given.epochs)


def compare(case: str, rounds: int, epochs: int) -> None:
    """Interleaved rounds of every arm, and the table."""
    arms = ["plain", "hand", *(f"engine{count}" for count in COUNTS[case])]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--case", case, "--epochs", str(epochs), "--arm"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    processes = {arm: subprocess.Popen([*command, arm], **pipes) for arm in arms}
    seconds: dict[str, list[float]] = {arm: [] for arm in arms}
    accuracy: dict[str, float] = {}
    for _ in range(rounds):
        for arm, process in processes.items():
            process.stdin.write("run\n")
            process.stdin.flush()
            spent, accuracy[arm] = map(float, process.stdout.readline().split())
            seconds[arm].append(spent)
    for process in processes.values():
        process.stdin.close()
        process.wait()
    cost = {arm: statistics.median(values) for arm, values in seconds.items()}
    print(f"\n{case}, {epochs} epochs of 23 steps, batch {BATCH}: CPU seconds, medians of {rounds} rounds")
    for arm in arms:
        ratio = f"{cost[arm] / cost['hand']:6.2f} hand  {cost[arm] / cost['plain']:6.2f} plain"
        count = int(arm.removeprefix("engine")) if arm.startswith("engine") else 0
        target = TARGETS.get((case, count), "")
        print(f"{arm:9} {cost[arm]:7.3f} s  {ratio}  accuracy {accuracy[arm]:.3f}  {target}")


if __name__ == "__main__":
    main()
