from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

import pytest

from logsinks.capture.protocol import Peer, PeerGone


@pytest.fixture
def pair() -> Iterator[tuple[Peer, Peer]]:
    one, other = socket.socketpair()
    peers = Peer(one), Peer(other)
    yield peers
    for peer in peers:
        peer.close()


def test_messages_and_their_descriptors(pair: tuple[Peer, Peer]):
    sender, receiver = pair
    read_end, write_end = os.pipe()
    sender.send({"t": "a"})
    sender.send({"t": "b"}, [read_end])
    sender.send({"t": "c"})
    os.close(read_end)
    found: list[tuple[dict[str, object], list[int]]] = []
    while len(found) < 3:
        found += receiver.receive()
    assert [(message["t"], len(fds)) for message, fds in found] == [("a", 0), ("b", 1), ("c", 0)]
    os.write(write_end, b"through")
    (fd,) = found[1][1]
    assert os.read(fd, 10) == b"through"
    assert not os.get_inheritable(fd)
    os.close(fd)
    os.close(write_end)


def test_what_cant_be_sent_waits(pair: tuple[Peer, Peer]):
    sender, receiver = pair
    sent = 0
    while not sender.waiting:
        sender.send({"number": sent, "text": "x" * 5000})
        sent += 1
    numbers: list[object] = []
    while len(numbers) < sent:
        numbers += [message["number"] for message, _ in receiver.receive()]
        sender.flush()
    assert numbers == list(range(sent))


def test_the_other_side_may_leave(pair: tuple[Peer, Peer]):
    sender, receiver = pair
    sender.close()
    with pytest.raises(PeerGone):
        receiver.receive()


def test_a_peer_that_never_reads_is_given_up(pair: tuple[Peer, Peer]):
    def send_for_ever() -> None:
        while True:
            pair[0].send({"text": "x" * 100_000})

    with pytest.raises(PeerGone):
        send_for_ever()


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<I", 1 << 30),
        struct.pack("<I", 2) + b"[]",
        struct.pack("<I", 2) + b"{]",
        struct.pack("<I", 7) + b'{"n":1}',
        struct.pack("<I", 8) + b'{"n":-1}',
    ],
)
def test_nonsense_ends_the_connection(pair: tuple[Peer, Peer], data: bytes):
    pair[0].socket.send(data)
    with pytest.raises(PeerGone):
        pair[1].receive()
