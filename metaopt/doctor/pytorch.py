"""Whether PyTorch computes, and on what."""

from __future__ import annotations

import torch

from metaopt.doctor.finding import Finding


def pytorch() -> Finding:
    """Whether PyTorch computes."""
    if float((torch.ones(2, 2) @ torch.ones(2, 2)).sum()) != 8.0:
        return Finding("problem", f"PyTorch {torch.__version__} computes wrongly", "install torch again")
    return Finding("ok", f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")


def device() -> Finding:
    """What searches run on."""
    if torch.cuda.is_available():
        cards = [torch.cuda.get_device_properties(n) for n in range(torch.cuda.device_count())]
        return Finding("ok", ", ".join(f"{card.name}, {card.total_memory / 2**30:.0f} GB" for card in cards))
    if torch.version.cuda:
        return Finding("warning", "PyTorch is built for CUDA and sees no device", "check the driver")
    return Finding("ok", "CPU; this build of PyTorch is for CPUs")
