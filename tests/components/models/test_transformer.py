"""The transformer against torch.nn."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gendsl_runtime.models.transformer import transformer
from gendsl_runtime.noise import noise
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.layers.dropout import Dropout


class Written(nn.Module):
    """A transformer as one writes it with torch.nn; parameters in the order of ours."""

    def __init__(self, steps, outputs, *, vocabulary, features, causal, norm, activation, read) -> None:
        super().__init__()
        self.first = nn.Linear(features, 12) if vocabulary is None else nn.Embedding(vocabulary, 12)
        self.positions = nn.Embedding(steps, 12)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                12, 3, 20, dropout=0.0, activation=activation, batch_first=True, norm_first=norm == "pre"
            )
            for _ in range(2)
        )
        self.norm = nn.LayerNorm(12) if norm == "pre" else nn.Identity()
        self.output = nn.Linear(12, outputs)
        self.causal, self.read = causal, read

    def forward(self, inputs):
        x = self.first(inputs) + self.positions.weight
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype)
        for block in self.blocks:
            x = block(x, src_mask=mask if self.causal else None)
        x = self.norm(x)
        return self.output(x[:, -1] if self.read == "last" else x.mean(1))

    def named(self):
        """Our name of each parameter."""
        first = "input" if isinstance(self.first, nn.Linear) else "tokens"
        words = {
            "first": first,
            "blocks": "block",
            "self_attn.in_proj_": "attention.in.",
            "self_attn.out_proj": "attention.out",
        }
        words |= {"linear1": "forward.0", "linear2": "forward.1", "norm1": "norm.0", "norm2": "norm.1"}
        for name, value in self.named_parameters():
            for theirs, ours in words.items():
                name = name.replace(theirs, ours)
            yield name, value


@pytest.mark.parametrize("vocabulary", [None, 7])
@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize(
    ("causal", "read", "activation"),
    [(True, "last", "relu"), (False, "mean", "gelu"), (False, "last", "relu")],
)
def test_it_agrees_with_torch(vocabulary, norm, causal, read, activation) -> None:
    """Outputs and every gradient in float64."""
    shape = (5,) if vocabulary else (5, 4)
    parts = {"causal": causal, "norm": norm, "activation": activation, "read": read}
    network = transformer(shape, 3, vocabulary, heads=3, width=12, feed_forward=20, **parts)
    module = Written(5, 3, vocabulary=vocabulary, features=4, **parts).double()
    state = network.init([3]).to("cpu", torch.float64)
    leaves = {name: value.requires_grad_() for name, value in state.parameters.items()}
    theirs = dict(module.named())
    assert set(theirs) == set(leaves)
    with torch.no_grad():
        for name, value in theirs.items():
            value.copy_(leaves[name][0])
    inputs = torch.randint(0, 7, (1, 6, 5)) if vocabulary else torch.randn(1, 6, *shape, dtype=torch.float64)
    outputs, _ = network.apply(leaves, {}, inputs, training=True)
    expected = module(inputs[0])
    torch.testing.assert_close(outputs[0].T, expected, rtol=1e-10, atol=1e-11)
    slopes = torch.randn_like(expected)
    wanted = torch.autograd.grad(expected, list(theirs.values()), slopes)
    found = torch.autograd.grad(outputs, [leaves[name] for name in theirs], slopes.T[None])
    for mine, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine[0], other, rtol=1e-10, atol=1e-11)


def test_attention_starts_as_torch_starts_it() -> None:
    """Bounds, and the variance of 3 x 96 x 96 draws: the standard error of a uniform's variance is 0.9 var /
    sqrt(n)."""
    values = transformer((2, 3), 2, width=96, layers=1).init([0]).parameters
    drawn = values["block.0.attention.in.weight"]
    theirs = nn.MultiheadAttention(96, 4)
    bound = (6 / (4 * 96)) ** 0.5
    assert drawn.abs().max() <= bound
    assert theirs.in_proj_weight.abs().max() <= bound
    assert abs(drawn.var() / (bound**2 / 3) - 1) < 5 * 0.9 / drawn.numel() ** 0.5
    assert not values["block.0.attention.in.bias"].any()
    assert not theirs.in_proj_bias.any()
    assert values["block.0.attention.out.weight"].abs().max() <= 96**-0.5
    assert abs(values["positions.weight"].mean()) < 5 / (2 * 96) ** 0.5


def test_a_causal_step_does_not_see_the_future() -> None:
    network = transformer((4,), 3, 6, width=8, read="mean")
    state = network.init([0])
    leading = torch.randint(0, 6, (1, 1, 4))
    changed = leading.clone()
    changed[..., -1] = (changed[..., -1] + 1) % 6
    steps = torch.cat([leading, changed], 1)
    blocks = network.layers[:-2]  # all but the mean and the output
    from gendsl_runtime.train.layers.layer import Pass

    stack = steps.transpose(1, 2)
    for layer in blocks:
        stack = layer.apply(Pass(state.parameters, {}, training=False), stack)
    assert torch.equal(stack[0, :, :-1, 0], stack[0, :, :-1, 1])
    assert not torch.equal(stack[0, :, -1, 0], stack[0, :, -1, 1])


def test_without_positions_an_encoder_does_not_know_the_order() -> None:
    network = transformer((4,), 3, 6, width=8, causal=False, positions="none", read="mean", norm="none")
    state = network.init([0])
    tokens = torch.tensor([[[0, 1, 2, 3], [3, 1, 0, 2]]])
    outputs, _ = network.apply(state.to("cpu", torch.float64).parameters, {}, tokens, training=False)
    torch.testing.assert_close(outputs[..., 0], outputs[..., 1], rtol=1e-12, atol=1e-13)


def test_heads_share_the_width_evenly() -> None:
    with pytest.raises(Problem, match="width of 10 cannot be shared evenly by 4 heads"):
        transformer((3,), 2, 5, width=10)


@pytest.mark.parametrize("norm", ["pre", "post", "none"])
def test_what_is_dropped(norm) -> None:
    """Of everything: embeddings, places and what the parts add. What is left are offsets, which start at zero but in
    the answer, and after a norm too."""
    kept, dropped = (transformer((4,), 3, 6, width=8, norm=norm, dropout=share) for share in (0.0, 1.0))
    state, tokens = kept.init([0, 1]), torch.randint(0, 6, (2, 5, 4))
    assert not kept.is_noisy
    assert dropped.is_noisy
    random = noise([0, 1], device="cpu")
    found, _ = dropped.apply(state.parameters, {}, tokens, training=True, noise=random)
    assert torch.equal(found, state.parameters["output.bias"][:, :, None].expand_as(found))
    still, _ = dropped.apply(state.parameters, {}, tokens, training=False)
    assert torch.equal(still, kept.apply(state.parameters, {}, tokens, training=False)[0])


def test_each_dropout_has_noise_of_its_own() -> None:
    network = transformer((4,), 3, 6, width=8, layers=3, dropout=0.1)
    parts = [part for layer in network.layers for part in getattr(layer, "body", (layer,))]
    names = [part.name for part in parts if isinstance(part, Dropout)]
    assert len(names) == len(set(names)) == 1 + 2 * 3
