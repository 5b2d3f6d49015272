"""Who is connected to the catcher. A client that is gone or stuck is dropped; nobody else notices."""

from __future__ import annotations

import selectors
import socket

from logsinks.capture.protocol import Peer, PeerGone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class Clients:
    """The listening socket and the connected peers."""

    def __init__(self, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        self._listener = listener
        self._selector = selector
        self._peers: dict[int, Peer] = {}
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ)

    def __bool__(self) -> bool:
        return bool(self._peers)

    def add(self, connected: socket.socket) -> None:
        """A new client."""
        peer = Peer(connected)
        self._peers[peer.fileno()] = peer
        self._selector.register(peer.fileno(), selectors.EVENT_READ)

    def serve(self, fd: int, events: int) -> list[tuple[Peer, dict[str, Any], list[int]]]:
        """What a ready descriptor of ours has brought."""
        if fd == self._listener.fileno():
            try:
                connected, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return []
            self.add(connected)
            return []
        peer = self._peers.get(fd)
        if peer is None:
            return []
        try:
            if events & selectors.EVENT_WRITE:
                peer.flush()
                self._watch(peer)
            if events & selectors.EVENT_READ:
                return [(peer, message, fds) for message, fds in peer.receive()]
        except PeerGone:
            self.drop(peer)
        return []

    def send(self, peer: Peer, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
        """Send to one client, if it is still there."""
        if peer.fileno() not in self._peers:
            return
        try:
            peer.send(message, fds)
        except PeerGone:
            self.drop(peer)
            return
        self._watch(peer)

    def tell(self, message: dict[str, Any]) -> None:
        """Send to all."""
        for peer in list(self._peers.values()):
            self.send(peer, dict(message))

    def drop(self, peer: Peer) -> None:
        """Forget a client."""
        fd = peer.fileno()
        if self._peers.pop(fd, None) is not None:
            self._selector.unregister(fd)
            peer.close()

    def _watch(self, peer: Peer) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.waiting else 0)
        self._selector.modify(peer.fileno(), events)
