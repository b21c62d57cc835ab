"""The training form: the fields of `train name { ... }`."""

from __future__ import annotations

from gendsl_runtime.component import Count, Epochs, Length, Loss, Model, Optimizer, Seed, Stop
from gendsl_runtime.component import train as form
from gendsl_runtime.data import Dataset
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.fitted import Diverged, Fitted
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.member import Member


@form(version=1)
def train(
    *,
    model: Model,
    dataset: Dataset,
    optimizer: Optimizer,
    loss: Loss | None = None,
    batch: Count | None = None,
    budget: Length,
    stop: Stop | None = None,
    checkpoints: list[Epochs] = (),  # type: ignore[assignment]
    init: Runs | None = None,
    seed: Seed = 0,
) -> Fitted | Diverged:
    """One network, trained on the splits of a dataset that are meant for it.

    The engine trains many members at once (`gendsl_runtime.train.loop.fit`); a member's result does not
    depend on which others it is trained with. History: `train_loss` and `train_error` of each epoch, as met
    in the batches.

    Args:
        model: what is trained.
        dataset: what it is trained on.
        optimizer: how the weights change.
        loss: what the optimizer lowers; `cross_entropy` for classes and `mse` for numbers unless given.
        batch: examples a step, the last of an epoch possibly smaller; the whole training set unless given.
        budget: length of the training, in epochs or steps.
        stop: ends the training early, `train_error == 0%`: `train_error`, `train_accuracy` or `train_loss`,
            measured in evaluation mode on everything trained on after each epoch. Of several conditions all must
            hold: `train_error == 0% and train_loss < 0.5`.
        checkpoints: epochs whose weights are kept; 0 is the start.
        init: another run, whose final weights are the start in place of fresh ones.
        seed: seed of the weights at the start and of the order of the data.
    """
    assert loss is not None, "`check` fills in the loss of the task"
    member = Member(
        data=dataset,
        data_digest=b"",
        model=model,
        optimizer=optimizer,
        loss=loss,
        batch=batch,
        budget=budget,
        stop=stop,
        checkpoints=checkpoints,
        init=None if init is None else init.state,
        seed=seed,
    )
    return fit([member])[0]
