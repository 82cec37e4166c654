from __future__ import annotations

import struct

import numpy as np
import pytest

import tfrecords
from metaopt.tables.importers.protobuf import Layout, MessageError, MetricsReader
from tfrecords import field, varint

START, HALF, END = (0.1, 0.2, 0.3, 0.0), (0.5, 0.25, 0.125, 7.5), (1.0, 0.75, 0.625, 15.25)


def message(parameters: int = 8_555_530, half: tuple[float, ...] = HALF, checkpoint: str | None = "") -> bytes:
    return tfrecords.metrics(4, [START, half, END], parameters, checkpoint=checkpoint)


def evaluations(*contents: bytes) -> bytes:
    return b"".join(field(1, 2, content) for content in contents)


def double(number: int, value: float) -> bytes:
    return field(number, 1, struct.pack("<d", value))


def read(*messages: bytes) -> tuple[list[list[list[float]]], list[list[float]], list[int]]:
    metrics = MetricsReader().read(messages)
    return metrics.accuracies.tolist(), metrics.times_s.tolist(), metrics.parameters.tolist()


def test_fields_are_found() -> None:
    assert read(message()) == ([[[0.5, 0.25, 0.125], [1.0, 0.75, 0.625]]], [[7.5, 15.25]], [8_555_530])


def test_epochs_are_found_where_they_are_said() -> None:
    silent = evaluations(OWN, OWN, OWN) + PARAMETERS
    half = evaluations(OWN, double(1, 2.0) + OWN, OWN) + PARAMETERS
    said = MetricsReader().read([message(), silent, half, message()]).epochs
    assert said[[0, 3]].tolist() == [[2.0, 4.0]] * 2
    assert np.isnan(said[1:3]).all()


@pytest.mark.parametrize("parameters", [0, 1, 127, 128, 2**14, 2**21 - 1, 2**28, 2**31 - 1])
def test_parameters_of_any_size(parameters: int) -> None:
    assert read(message(parameters))[2] == [parameters]


def test_messages_of_many_layouts_together_keep_their_places() -> None:
    rng = np.random.default_rng(0)
    wanted, messages = [], []
    for number in range(500):
        half = tuple(rng.random(4).tolist())
        wanted.append((half, number))
        # More layouts than are kept, some of them of the same length.
        checkpoint = [None, "", "a" * (number % 40), "b" * (number % 7)][number % 4]
        messages.append(message(number, half, checkpoint) + (field(9, 0, varint(number)) if number % 5 == 0 else b""))
    reader = MetricsReader()
    for _ in range(2):
        metrics = reader.read(messages)
        assert metrics.parameters.tolist() == [number for _, number in wanted]
        assert metrics.accuracies[:, 0].tolist() == [list(half[:3]) for half, _ in wanted]
        assert metrics.times_s[:, 0].tolist() == [half[3] for half, _ in wanted]


def test_same_length_and_other_order_is_another_layout() -> None:
    parts = [
        double(number, value) for number, value in zip((1, 2, 3, 4, 5), (4.0, 15.25, 1.0, 0.75, 0.625), strict=True)
    ]
    forth, back = b"".join(parts), b"".join(reversed(parts))
    tail = field(2, 0, varint(9))
    one, other = evaluations(forth, forth, forth) + tail, evaluations(back, back, back) + tail
    assert len(one) == len(other)
    assert read(one, other, one, tail + evaluations(back, forth, back)) == read(one, one, one, one)


def test_unknown_fields_are_skipped_and_the_last_of_two_counts() -> None:
    own = b"".join(double(number, 0.5) for number in (2, 3, 4, 5))
    foreign = field(7, 5, b"abcd") + field(100, 2, b"anything") + double(101, 3.0) + field(102, 0, varint(2**60))
    odd = (
        evaluations(b"", foreign + own, own + double(4, 0.25)) + field(2, 0, varint(1)) + foreign + field(2, 0, b"\x02")
    )
    accuracies, times, parameters = read(odd)
    assert accuracies == [[[0.5, 0.5, 0.5], [0.5, 0.25, 0.5]]]
    assert (times, parameters) == ([[0.5, 0.5]], [2])


OWN = b"".join(double(number, 0.5) for number in (2, 3, 4, 5))
PARAMETERS = field(2, 0, varint(5))


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (evaluations(OWN, OWN, OWN), "has no trainable_parameters"),
        (evaluations(OWN, OWN) + PARAMETERS, "has 2 evaluations; needed: 3"),
        (evaluations(OWN, OWN, OWN, OWN) + PARAMETERS, "has 4 evaluations; needed: 3"),
        (evaluations(OWN, OWN[:-9], OWN) + PARAMETERS, r"has no test_accuracy in evaluation_data \(halfway\)"),
        (evaluations(OWN, OWN, OWN[9:]) + PARAMETERS, r"has no training_time in evaluation_data \(end\)"),
        (evaluations(OWN, OWN, OWN) + double(2, 5.0), "has 64 bits as trainable_parameters; needed: a varint"),
        (evaluations(OWN, OWN, OWN) + field(2, 0, varint(2**64 - 5)), "a negative number"),
        (field(1, 0, b"\x05") + PARAMETERS, "has a varint as evaluation_data; needed: bytes with their length"),
        (evaluations(OWN, OWN, OWN[9:] + field(2, 5, b"abcd")) + PARAMETERS, "has 32 bits as training_time"),
        (field(3, 3, b"") + PARAMETERS, "wire type 3"),
        (b"\x80" * 11, "has no end"),
        (field(0, 0, b"\x05"), "no number or no end"),
        (b"", "has 0 evaluations"),
    ],
)
def test_what_is_no_metrics_is_refused(wrong: bytes, text: str) -> None:
    with pytest.raises(MessageError, match=text) as caught:
        MetricsReader().read([message(), message(3), wrong, message()])
    assert caught.value.index == 2


def test_a_message_cut_off_anywhere_is_refused() -> None:
    whole = evaluations(OWN, OWN, OWN) + PARAMETERS
    for size in range(len(whole)):
        with pytest.raises(ValueError):
            Layout.of(whole[:size])
