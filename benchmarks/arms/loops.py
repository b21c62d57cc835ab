"""One seed in PyTorch: `plain` is the idiomatic loop, `hand` the best that we can write by hand.

    python benchmarks/arms/loops.py plain|hand CASE DATA EPOCHS

`plain` is DataLoader, nn.Module, torch.optim, `.item()` at each step. `hand` is tensors in memory, one gather
an epoch, the fused optimizer, metrics looked at once an epoch, inference-mode evaluation, channels-last for
the CNN. Both read the last step of the transformer only, and compute no more than it needs.
"""

from __future__ import annotations

import sys

import torch
from serve import data, serve
from torch import nn
from torch.nn import functional

BATCH = {"mlp": 64, "cnn": 64, "mnist": 64, "transformer": 128}
WIDTH, HEADS, BLOCKS = 32, 4, 2


def module(case: str, classes: int):
    """64-64-10, 784-256-10, two 3 x 3 convolutions with pooling and 64 units, or two blocks of attention."""
    if case == "mlp":
        return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    if case == "mnist":
        return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    if case == "transformer":
        return Transformer(classes)
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


class Block(nn.Module):
    """Causal attention and a feed-forward layer, normalised before; the last one for the last step alone."""

    def __init__(self, is_last: bool) -> None:
        super().__init__()
        self.is_last = is_last
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)])
        self.query, self.key_value = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 2 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.forward_part = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.ReLU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        normed = self.norms[0](x)
        x, asked = (x[:, -1:], normed[:, -1:]) if self.is_last else (x, normed)
        query = self.query(asked).unflatten(2, (HEADS, -1)).transpose(1, 2)
        key, value = self.key_value(normed).unflatten(2, (2, HEADS, -1)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=not self.is_last)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.forward_part(self.norms[1](x))


class Transformer(nn.Module):
    """Tokens `(B, 3)` to the classes of the answer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(classes + 1, WIDTH), nn.Parameter(torch.randn(3, WIDTH))
        self.blocks = nn.Sequential(*(Block(index == BLOCKS - 1) for index in range(BLOCKS)))
        self.norm, self.output = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, classes)

    def forward(self, x):
        return self.output(self.norm(self.blocks(self.tokens(x) + self.places)[:, -1]))


def optimizer(case: str, parameters, **given):
    if case == "transformer":
        return torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01, **given)
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9, **given)


def plain(case: str, path: str, epochs: int):
    """The idiomatic loop."""
    from torch.utils.data import DataLoader, TensorDataset

    x, y, test_x, test_y = map(torch.from_numpy, data(path))
    classes = int(y.max()) + 1
    loader = DataLoader(TensorDataset(x, y), batch_size=BATCH[case], shuffle=True)
    held_out = DataLoader(TensorDataset(test_x, test_y), batch_size=512)

    def run() -> float:
        torch.manual_seed(0)
        net, loss = module(case, classes), nn.CrossEntropyLoss()
        descent = optimizer(case, net.parameters())
        for _ in range(epochs):
            total, wrong = 0.0, 0
            for inputs, labels in loader:
                descent.zero_grad()
                outputs = net(inputs)
                value = loss(outputs, labels)
                value.backward()
                descent.step()
                total += value.item() * len(inputs)
                wrong += (outputs.argmax(1) != labels).sum().item()
        net.eval()
        with torch.no_grad():
            hits = sum((net(inputs).argmax(1) == labels).sum().item() for inputs, labels in held_out)
        return hits / len(test_y)

    return run


def hand(case: str, path: str, epochs: int):
    """The best loop for one seed."""
    x, y, test_x, test_y = map(torch.from_numpy, data(path))
    classes = int(y.max()) + 1

    def run() -> float:
        torch.manual_seed(0)
        net = module(case, classes)
        net = net.to(memory_format=torch.channels_last) if case == "cnn" else net
        descent = optimizer(case, net.parameters(), fused=True)
        for _ in range(epochs):
            order = torch.randperm(len(x))
            inputs, labels = x.index_select(0, order), y.index_select(0, order)
            inputs = inputs.contiguous(memory_format=torch.channels_last) if case == "cnn" else inputs
            seen, values = [], []
            for a, b in zip(inputs.split(BATCH[case]), labels.split(BATCH[case]), strict=True):
                outputs = net(a)
                value = functional.cross_entropy(outputs, b)
                descent.zero_grad(set_to_none=True)
                value.backward()
                descent.step()
                seen.append(outputs.detach())
                values.append(value.detach())
            torch.stack(values).mean().item()
            (torch.cat(seen).argmax(1) != labels).float().mean().item()
        with torch.inference_mode():
            return (net(test_x).argmax(1) == test_y).float().mean().item()

    return run


def operations(case: str, path: str) -> float:
    """Floating-point operations of one step of one seed, products and convolutions, there and back."""
    from torch.utils.flop_counter import FlopCounterMode

    x, y, *_ = map(torch.from_numpy, data(path))
    net = module(case, int(y.max()) + 1)
    with FlopCounterMode(display=False) as counted:
        functional.cross_entropy(net(x[: BATCH[case]]), y[: BATCH[case]]).backward()
    return float(counted.get_total_flops())


if __name__ == "__main__":
    arm, case, path, epochs = sys.argv[1:]
    torch.set_num_threads(1)
    if arm == "operations":
        print(operations(case, path))
    else:
        serve((plain if arm == "plain" else hand)(case, path, int(epochs)))
