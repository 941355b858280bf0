import os
import socket
from pathlib import Path

import pytest

from deploy.local.data_dir import DataDir
from deploy.local.failure import StackFailure
from deploy.local.ports import HOST, PORT_NAMES, assign, choose_free, is_free


@pytest.fixture
def data(folder: Path) -> DataDir:
    return DataDir.at(folder / "data")


def test_ports_are_kept_from_start_to_start(data: DataDir) -> None:
    first = assign(data, {}, set(PORT_NAMES))

    assert assign(data, {}, set(PORT_NAMES)) == first
    assert len(set(first.values())) == len(PORT_NAMES)


def test_a_port_asked_for_that_is_taken_is_refused_with_its_holder(data: DataDir) -> None:
    with socket.create_server((HOST, 0)) as stranger:
        port = stranger.getsockname()[1]

        with pytest.raises(
            StackFailure,
            match=rf"Port {port}, asked for nats, is taken by .*process {os.getpid()}",
        ):
            assign(data, {"nats": port}, {"nats"})


def test_a_port_asked_for_is_still_meant_at_the_next_start(data: DataDir) -> None:
    port = choose_free()
    assign(data, {"nats": port}, {"nats"})

    with socket.create_server((HOST, port)), pytest.raises(StackFailure, match="asked for nats"):
        assign(data, {}, {"nats"})


def test_a_port_of_our_choice_gives_way_when_it_was_taken_since(data: DataDir) -> None:
    before = assign(data, {}, set(PORT_NAMES))

    with socket.create_server((HOST, before["nats"])):
        after = assign(data, {}, set(PORT_NAMES))

    assert after["nats"] != before["nats"]
    assert {**after, "nats": 0} == {**before, "nats": 0}


def test_one_port_is_not_given_to_two_parts(data: DataDir) -> None:
    port = choose_free()
    with pytest.raises(StackFailure, match=f"Port {port} is asked for by nats and by temporal"):
        assign(data, {"nats": port, "temporal": port}, {"nats", "temporal"})


def test_a_chosen_port_can_be_listened_on(data: DataDir) -> None:
    port = choose_free()
    assert is_free(port)
    with socket.create_server((HOST, port)):
        assert not is_free(port)
