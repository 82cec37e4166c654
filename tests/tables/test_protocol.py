from __future__ import annotations

from dataclasses import replace

import pytest

from metaopt.tables.protocol import NetworkScale, Protocol

PROTOCOL = Protocol(epochs=(1, 3), batch_size=32, learning_rate=0.1, momentum=0.9, weight_decay=5e-4)


@pytest.mark.parametrize("name", ["schedule", "loss", "pixels", "augmentation", "last_batch"])
def test_what_is_not_implemented_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 'other'; allowed: {getattr(PROTOCOL, name)}"):
        replace(PROTOCOL, **{name: "other"})


def test_other_initial_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="initial_weights is 'xavier'; allowed: he_normal"):
        NetworkScale(initial_weights="xavier")
