"""Which loopback port each part listens on, chosen once and kept."""

import json
import socket
from collections.abc import Mapping

from deploy.local.data_dir import DataDir, read_json, write_private
from deploy.local.failure import StackFailure

HOST = "127.0.0.1"
PORT_NAMES = (
    "postgres",
    "nats",
    "temporal",
    "temporal_ui",
    "stripe",
    "jobs",
    "proposals",
    "contracts",
    "messaging",
    "hiring",
    "webhook",
    "worker",
    "jobs_metrics",
    "proposals_metrics",
    "contracts_metrics",
    "messaging_metrics",
    "hiring_metrics",
    "worker_metrics",
)


def is_free(port: int) -> bool:
    """Tell whether a server could listen on that port of the loopback interface now."""
    with socket.socket() as probe:
        # As servers do: a port is not taken by closed connections that the kernel still remembers.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError:
            return False
    return True


def choose_free() -> int:
    """Choose a port that the kernel will not hand to anybody else for the next minute.

    A connection made to it and closed on the server's side stays in TIME_WAIT: the kernel skips
    such a port when it chooses one, while a server that names it may listen. That closes the gap
    between choosing a port here and the child's listening on it.
    """
    with socket.socket() as server, socket.socket() as client:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HOST, 0))
        server.listen(1)
        client.connect(server.getsockname())
        accepted, _ = server.accept()
        accepted.close()
        return int(server.getsockname()[1])


def holder(port: int) -> str:
    """Name the process that listens on a port, as far as this user may see it."""
    import psutil  # noqa: PLC0415 - needed only to explain a failure

    for connection in psutil.net_connections(kind="tcp"):
        if connection.status != psutil.CONN_LISTEN or connection.pid is None:
            continue
        if connection.laddr and connection.laddr.port == port:
            try:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
            except psutil.Error:
                break
    return "a process of another user"


def assign(data: DataDir, wanted: Mapping[str, int], names: set[str]) -> dict[str, int]:
    """Give every part its port: the wanted one, else the one it had, else a free one.

    A port that the user named, now or at an earlier start, is kept to; one that we chose gives
    way when somebody else took it since. Ports of parts outside `names` are not looked at.

    Raises:
        StackFailure: a port that the user named is taken or named twice, or a part is unknown.

    """
    unknown = sorted(set(wanted) - set(PORT_NAMES))
    if unknown:
        raise StackFailure(f"There is no part named {', '.join(unknown)} to give a port to.")
    saved = read_json(data.ports_file)
    chosen: dict[str, int] = {}
    entries: dict[str, dict[str, int | bool]] = {}
    for name in PORT_NAMES:
        entry = saved.get(name, {})
        given = name in wanted or bool(entry.get("given"))
        port = wanted.get(name) or entry.get("port") or choose_free()
        if name in names:
            port = _usable(name, port, given=given)
        if port in chosen.values():
            twin = next(other for other, taken in chosen.items() if taken == port)
            raise StackFailure(f"Port {port} is asked for by {twin} and by {name}.")
        chosen[name] = port
        entries[name] = {"port": port, "given": given}
    write_private(data.ports_file, json.dumps(entries, indent=2))
    return chosen


def _usable(name: str, port: int, *, given: bool) -> int:
    if is_free(port):
        return port
    if given:
        raise StackFailure(
            f"Port {port}, asked for {name}, is taken by {holder(port)}: free it or choose another."
        )
    return choose_free()
