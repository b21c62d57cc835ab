"""Wrong labels at random places of the training set."""

from __future__ import annotations

from gendsl_runtime.component import Seed, Share, SplitName, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.data.mislabelling import needs_classes, other_labels
from gendsl_runtime.random import generator


@dataset(
    version=1,
    like="data",
    needs="classification",
    paper=["zhang2017understanding", "nakkiran2020deep"],
)
def with_label_noise(data: Dataset, *, share: Share, on: SplitName = "train", seed: Seed = 0) -> Dataset:
    """Symmetric label noise: a share of the training labels is replaced by another class.

    Of the n labels in the split exactly `round(share * n)` are wrong, at random places; the wrong label is
    uniform over the other classes. The test set keeps its true labels. With one `seed` a larger share spoils
    the same places in the same way and further ones, so shares can be compared pair by pair.

    Args:
        data: a classification dataset.
        share: how many of the labels are wrong, 0 to 1.
        on: the split that is spoiled.
        seed: seed of the places and of the wrong labels; `seed = seed` draws them anew for every replicate.

    Papers:
        Zhang et al. (2017), Understanding deep learning requires rethinking generalization, ICLR. Nakkiran et
        al. (2020), Deep double descent, ICLR.

    Example:
        dataset noisy = with_label_noise(digits, share=20%, seed=seed)
    """
    needs_classes(data, "with_label_noise")
    split = data.split(on)
    places = generator("with_label_noise.places", seed).permutation(len(split))[: round(share * len(split))]
    wrong = other_labels(split.targets, data.outputs, generator("with_label_noise.labels", seed))
    labels = split.targets.clone()
    labels[places] = wrong[places]
    return data.with_splits(**{on: Split(split.inputs, labels)})
