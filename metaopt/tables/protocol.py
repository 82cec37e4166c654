"""How the networks of a built table are made and trained; plain values, so that reading a card loads no torch."""

from __future__ import annotations

from dataclasses import dataclass

#: The only implemented value of each of these; a card states them so that it is complete.
_ONLY = {
    "schedule": "cosine",
    "loss": "cross_entropy",
    "pixels": "standardized",
    "augmentation": "none",
    "last_batch": "dropped",
}


@dataclass(frozen=True)
class NetworkScale:
    """Size of a network and the constants of its modules.

    Attributes:
        channels: Channels in the first stack, doubled in each further one.
        stacks: Stacks of cells, with a pooling by two between them.
        cells: Cells per stack.
        in_channels: Channels of an image.
        classes: Classes of images.
        batch_norm_momentum: Share of a batch in the running statistics, as PyTorch counts it.
        batch_norm_epsilon: Added to a variance.
        initial_weights: ``he_normal``: convolutions by He et al. 2015, equation 10, with fan-in; the classifier normal
            with variance 1 / fan-in; biases 0. Nothing else is implemented.

    Raises:
        ValueError: if ``initial_weights`` has another value.
    """

    channels: int = 8
    stacks: int = 3
    cells: int = 1
    in_channels: int = 1
    classes: int = 10
    batch_norm_momentum: float = 0.2
    batch_norm_epsilon: float = 1e-5
    initial_weights: str = "he_normal"

    def __post_init__(self) -> None:
        if self.initial_weights != "he_normal":
            raise ValueError(f"initial_weights is {self.initial_weights!r}; allowed: he_normal")


@dataclass(frozen=True)
class Protocol:
    """How a network is trained by stochastic gradient descent.

    Attributes:
        epochs: Epochs after which the network is scored; the last one ends the training.
        batch_size: Images per step.
        learning_rate: Learning rate of the first step.
        momentum: Momentum of the descent.
        weight_decay: L2 penalty on all parameters, those of batch norm and biases among them.
        nesterov: Whether the momentum is Nesterov's.
        schedule: ``cosine``: the learning rate falls to 0 after the last step and changes after every step.
        loss: ``cross_entropy``: its mean over a batch.
        pixels: ``standardized``: the training images' mean is subtracted, the rest divided by their deviation.
        augmentation: ``none``.
        last_batch: ``dropped``: an epoch leaves out the images that do not fill a batch.

    Raises:
        ValueError: if one of the last five has another value.
    """

    epochs: tuple[int, ...]
    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float
    nesterov: bool = True
    schedule: str = "cosine"
    loss: str = "cross_entropy"
    pixels: str = "standardized"
    augmentation: str = "none"
    last_batch: str = "dropped"

    def __post_init__(self) -> None:
        for name, only in _ONLY.items():
            if getattr(self, name) != only:
                raise ValueError(f"{name} is {getattr(self, name)!r}; allowed: {only}")
