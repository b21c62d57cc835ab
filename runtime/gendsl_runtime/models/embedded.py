"""A network that starts as a smaller one planted in it."""

from __future__ import annotations

from gendsl_runtime.component import Model, NonNegative, Positive, model
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.embedded import Embedded
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.layer import Layered
from gendsl_runtime.train.layers.linear import Flatten, Linear


@model(version=1, paper="goldblum2020truth")
def embedded(
    shape: tuple[int, ...],
    outputs: int,
    net: Model,
    *,
    shift: Positive = 4.0,
    push: NonNegative = 0.0,
) -> Network:
    """A ReLU network that, with `init = RUN`, starts as the smaller network of that run, everything else dead.

    `net` is an `mlp` with ReLU. Where RUN trained `linear`, `f(x) = A x + b`, the first C units of each hidden layer
    carry the C outputs, lifted by `shift` c so far that no ReLU is ever off (Goldblum et al. 2020, "Truth or
    Backpropaganda?", theorem 1):

        h_1 = relu(A x + b + c),  h_2 = relu(h_1),  ...,  f(x) = h_L - c

    where `A x + b > -c` on all data. Other units have no incoming and no outgoing weights and a bias of `-c`: off for
    any input. Around that point the network is affine in x, hence its loss is at least that of the best affine map: the
    minimum of the linear model is a local minimum of the network, however much better the network could be.
    `local_minimum` certifies it.

    Where RUN trained an `mlp` with ReLU that is narrower or has fewer layers, its hidden units are copied to the first
    ones; its outputs are passed on through the layers that are left, lifted as above; if there are none, nothing is.
    What was a local minimum of the smaller network need not be one here, since dead units that are revived may help;
    in some neighbourhood none is. The activation of that run is not known here: it must be ReLU.

    The start, with or without `init`, is then moved by `push`: independent normal numbers of that standard deviation on
    every weight and bias, of the training's seed. A run of `net` itself is taken as it is, and pushed. Without `init`
    this is `net`.

    Numerical error: weights are float32, so that `b + c - c` is `b` to about 2e-7 for c = 4.

    Args:
        net: the network; an `mlp` with biases and the activation `relu`, nothing more.
        shift: c.
        push: standard deviation of what is added to each weight and bias at the start.

    Example:
        train planted { model = embedded(mlp(hidden=[16, 16]), shift=4) init = best_linear ... }
    """
    inner = net(shape, outputs)
    layers = inner.layers if isinstance(inner, Layered) else ()
    linear = [layer for layer in layers if isinstance(layer, Linear)]
    plain = [layer for one in linear[:-1] for layer in (one, Pointwise("relu"))]
    is_plain = all(one.bias and one.factor == 1.0 and one.parametrisation == "standard" for one in linear)
    if not is_plain or len(linear) < 2 or list(layers) != [Flatten(), *plain, linear[-1]]:
        raise Problem(
            "wrong-kind",
            "`embedded` takes an `mlp` with hidden layers, biases and ReLU, and nothing else in it",
            help="write `embedded(mlp(hidden=[16, 16], activation=relu))`",
        )
    return Embedded(shape, outputs, tuple(layers), shift, push)
