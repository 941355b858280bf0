"""A job with channels, and who works on it, as the tests of channels share them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from hireflow.messaging.v1 import channel_pb2, thread_pb2
from services.common.auth import Kind
from services.messaging.domain import (
    Job,
    Work,
)
from services.messaging.use_cases import channels
from tests.integration.messaging.world import Metadata, World, new_id


@dataclass(frozen=True)
class Site:
    """A job, and who works on it, as its events told messaging."""

    world: World
    job: Job
    employer: Metadata

    async def hire(self, trainer_id: str = "") -> Work:
        """A contract becomes active."""
        work = Work(
            new_id("c"), self.job.job_id, self.job.organisation_id, trainer_id or new_id("tr"), True
        )
        await self.told(replace(work, active=False))
        await self.told(work)
        return work

    async def told(self, work: Work, time: datetime | None = None) -> None:
        """An event of a contract arrives; it is of now, or of a time before."""
        async with self.world.database.begin() as tx:
            await channels.learn_work(tx, work, time or datetime.now(UTC))

    async def channel(self, name: str = "Everyone", request_id: str = "") -> thread_pb2.Thread:
        request = channel_pb2.CreateChannelRequest(
            request_id=request_id or new_id("r"), job_id=self.job.job_id, name=name
        )
        answer = await self.world.channels.CreateChannel(request, metadata=self.employer)
        return answer.thread

    async def add(self, thread_id: str, *trainer_ids: str, request_id: str = "") -> list[str]:
        """The reasons why each is not in it."""
        request = channel_pb2.AddChannelMembersRequest(
            request_id=request_id or new_id("r"), thread_id=thread_id, trainer_ids=trainer_ids
        )
        answer = await self.world.channels.AddChannelMembers(request, metadata=self.employer)
        assert [each.trainer_id for each in answer.results] == [*trainer_ids]
        return [each.error_reason for each in answer.results]

    async def remove(self, thread_id: str, *trainer_ids: str, request_id: str = "") -> None:
        request = channel_pb2.RemoveChannelMembersRequest(
            request_id=request_id or new_id("r"), thread_id=thread_id, trainer_ids=trainer_ids
        )
        await self.world.channels.RemoveChannelMembers(request, metadata=self.employer)

    async def members(
        self, thread_id: str, caller: Metadata | None = None, size: int = 0
    ) -> list[str]:
        """Everyone in it, page by page."""
        request = channel_pb2.ListChannelMembersRequest(page_size=size, thread_id=thread_id)
        found: list[str] = []
        while True:
            page = await self.world.channels.ListChannelMembers(
                request, metadata=caller or self.employer
            )
            found += [each.trainer_id for each in page.members]
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    def trainer(self, work: Work) -> Metadata:
        return self.world.by(Kind.TRAINER, caller=work.trainer_id)


async def site_of(world: World, *, adds_hires: bool) -> Site:
    job = Job(new_id("job"), new_id("org"), adds_hires)
    async with world.database.begin() as tx:
        await channels.learn_job(tx, job)
    return Site(world, job, world.by(Kind.EMPLOYER, job.organisation_id))
