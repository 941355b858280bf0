"""The whole system on one machine, for `hireflow up` and for tests alike."""

import signal
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from deploy.local import infrastructure, keys, postgres, stripe_account
from deploy.local.applications import (
    LOADED,
    MIGRATIONS,
    SERVICES,
    Applications,
    inherited_environment,
)
from deploy.local.data_dir import DataDir
from deploy.local.failure import StackFailure
from deploy.local.forking import ForkServer, PythonProgram
from deploy.local.keys import Kind
from deploy.local.ports import HOST, assign
from deploy.local.process import Child, ProcessSpec
from deploy.local.state import StateFile
from deploy.local.supervisor import Supervisor

PROCESSES = ("postgres", "nats", "temporal", "stripe", *SERVICES, "hiring", "worker")
_EXTRA_PORTS = {
    **{name: {f"{name}_metrics"} for name in (*SERVICES, "worker")},
    "temporal": {"temporal_ui"},
    "hiring": {"webhook", "hiring_metrics"},
}


@dataclass(frozen=True)
class Addresses:
    """Where everything listens, all on the loopback interface: `host:port` unless a URL.

    Every part has its address, also one that this stack was told to leave out.
    """

    postgres_url: str
    nats_url: str
    temporal_address: str
    temporal_ui: str
    stripe_base: str
    jobs: str
    proposals: str
    contracts: str
    messaging: str
    hiring: str
    worker: str
    webhook_url: str


class Stack:
    """A running stack. Get one from `Stack.open`."""

    def __init__(
        self,
        data: DataDir,
        addresses: Addresses,
        supervisor: Supervisor,
        applications: Applications,
    ) -> None:
        self.data = data
        self.addresses = addresses
        self._supervisor = supervisor
        self._applications = applications

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        data_dir: Path,
        *,
        only: Iterable[str] | None = None,
        ports: Mapping[str, int] | None = None,
        env_overrides: Mapping[str, Mapping[str, str]] | None = None,
        on_progress: Callable[[Child], None] | None = None,
        forks: ForkServer | None = None,
        apart: bool = False,
    ) -> AsyncIterator["Stack"]:
        """Start the stack, or the processes in `only`, and stop it all on the way out.

        The same directory again means the same data, addresses, keys and secrets. Migrations run
        whenever a process that needs them does. `env_overrides` maps a process to variables that
        replace or join its own. `on_progress` hears every change of every process.

        Python programs are forked from a process that has loaded their modules: the stack's own,
        or `forks`, one that several stacks share. With `apart` each loads its own, as it would in
        production.

        Open it in the main thread: children die with the thread that started them.

        Raises:
            StackFailure: it could not start, or a child crashed in the meantime and nothing else
                went wrong.

        """
        chosen = _choose(only)
        data = DataDir.at(data_dir)
        async with AsyncExitStack() as resources:
            resources.enter_context(data.locked())
            keys.ensure_keys(data)
            given = assign(data, ports or {}, _ports_of(chosen))
            applications = Applications(data, given, env_overrides or {})
            specs = [
                spec
                for spec in _specify_all(data, given, applications, chosen, env_overrides or {})
                if spec.name in chosen
            ]
            if forks is None and not apart and any(_is_python(spec) for spec in specs):
                forks = await resources.enter_async_context(
                    ForkServer(LOADED, inherited_environment())
                )
            state = resources.enter_context(StateFile(data, specs, on_progress))
            supervisor = await resources.enter_async_context(
                Supervisor(
                    specs, folder=data.root, log=data.log, on_change=state.changed, forks=forks
                )
            )
            state.running()
            resources.callback(state.stopping)
            yield cls(data, _addresses(data, given), supervisor, applications)
            if supervisor.failure is not None:
                raise supervisor.failure

    def process(self, name: str) -> Child:
        """Give one process: its `pid`, `state`, `log`, `spec.addresses`.

        Raises:
            StackFailure: the stack has no such process.

        """
        return self._supervisor.child(name)

    @property
    def processes(self) -> Sequence[Child]:
        """Every process of this stack, migrations included."""
        return tuple(self._supervisor.children.values())

    async def until_failure(self) -> StackFailure:
        """Wait until a process ends that nobody told to; returns what to tell the user."""
        return await self._supervisor.until_failure()

    async def kill(self, name: str, sent: signal.Signals = signal.SIGKILL) -> None:
        """Kill a process on purpose and wait until it is gone; the others stay."""
        await self._supervisor.kill(name, sent)

    async def stop(self, name: str) -> None:
        """End one process in an orderly way; the others stay. Repeating it changes nothing."""
        await self.process(name).stop()

    async def start(self, name: str) -> None:
        """Start a process that was killed or stopped and wait until it serves again.

        Raises:
            StackFailure: it runs already, or does not come up.

        """
        await self.process(name).start()

    async def restart(self, name: str) -> None:
        """End a process in an orderly way and start it again."""
        await self.stop(name)
        await self.start(name)

    async def pause(self, name: str) -> None:
        """Freeze a process and its children: it holds its connections and says nothing."""
        await self.process(name).pause()

    async def resume(self, name: str) -> None:
        """Let a paused process go on."""
        await self.process(name).resume()

    def environment(self, name: str) -> dict[str, str]:
        """Give an application's whole environment, for one more of the same kind beside it.

        Its metrics are at a free port, which it logs.
        """
        return self._applications.environment(name) | {"HIREFLOW_METRICS_LISTEN": f"{HOST}:0"}

    def mint_token(
        self,
        kind: Kind | str,
        *,
        sub: str | None = None,
        org: str | None = None,
        roles: Sequence[str] = (),
        ttl: timedelta = timedelta(hours=1),
    ) -> str:
        """Sign a bearer token; see `mint_token` below."""
        return mint_token(self.data, kind, sub=sub, org=org, roles=roles, ttl=ttl)


def mint_token(
    data: DataDir,
    kind: Kind | str,
    *,
    sub: str | None = None,
    org: str | None = None,
    roles: Sequence[str] = (),
    ttl: timedelta = timedelta(hours=1),
) -> str:
    """Sign a bearer token with the development key, valid from now on.

    Without `sub` the person is `<kind>-local`, the same one every time. An employer without
    roles is a member who may pay.

    Raises:
        StackFailure: see `deploy.local.keys.mint_token`.

    """
    kind = Kind(kind)
    return keys.mint_token(
        data,
        kind=kind,
        subject=sub or f"{kind}-local",
        organisation=org,
        roles=roles,
        lifetime=ttl,
        now=datetime.now(UTC),
        token_id=uuid4().hex,
    )


def _is_python(spec: ProcessSpec) -> bool:
    return isinstance(spec.command, PythonProgram)


def _choose(only: Iterable[str] | None) -> set[str]:
    if only is None:
        return {*PROCESSES, *MIGRATIONS}
    chosen = set(only)
    unknown = sorted(chosen - {*PROCESSES, *MIGRATIONS})
    if unknown:
        raise StackFailure(f"There is no process named {', '.join(unknown)}.")
    if chosen & set(SERVICES):
        chosen.add("migrate-services")
    if chosen & {"hiring", "worker"}:
        chosen.add("migrate-workflows")
    return chosen


def _ports_of(chosen: set[str]) -> set[str]:
    own = chosen & set(PROCESSES)
    return own.union(*(_EXTRA_PORTS.get(name, set()) for name in own))


def _specify_all(
    data: DataDir,
    ports: Mapping[str, int],
    applications: Applications,
    chosen: set[str],
    overrides: Mapping[str, Mapping[str, str]],
) -> Iterable[ProcessSpec]:
    def environment(name: str) -> dict[str, str]:
        return inherited_environment() | dict(overrides.get(name, {}))

    async def tell_stripe() -> None:
        await stripe_account.ensure_webhook(data, ports["stripe"], ports["webhook"])

    # Asked for one by one: a stack without Temporal needs no Temporal binary.
    if "postgres" in chosen:
        yield postgres.specify(data, ports["postgres"], environment("postgres"))
    if "nats" in chosen:
        yield infrastructure.specify_nats(data, ports["nats"], environment("nats"))
    if "temporal" in chosen:
        yield infrastructure.specify_temporal(
            data, ports["temporal"], ports["temporal_ui"], environment("temporal")
        )
    if "stripe" in chosen:
        yield infrastructure.specify_stripe(
            data, ports["stripe"], environment("stripe"), tell_stripe
        )
    yield from applications.specify()


def _addresses(data: DataDir, ports: Mapping[str, int]) -> Addresses:
    def at(name: str) -> str:
        return f"{HOST}:{ports[name]}"

    return Addresses(
        postgres_url=postgres.url(data, ports["postgres"]),
        nats_url=f"nats://{at('nats')}",
        temporal_address=at("temporal"),
        temporal_ui=f"http://{at('temporal_ui')}",
        stripe_base=f"http://{at('stripe')}",
        jobs=at("jobs"),
        proposals=at("proposals"),
        contracts=at("contracts"),
        messaging=at("messaging"),
        hiring=at("hiring"),
        worker=at("worker"),
        webhook_url=f"http://{at('webhook')}/stripe/webhook",
    )
