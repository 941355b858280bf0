"""What the parts of MessagingService share."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TypeAlias

import grpc.aio
from google.protobuf.message import Message

from hireflow.messaging.v1 import thread_pb2_grpc
from services.common.database import Database
from services.messaging.use_cases.feeds import Feeds

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]


class Calls(thread_pb2_grpc.MessagingServiceServicer):
    """What every part is made with: time and new ids, and on which hosts files are kept."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        file_hosts: Collection[str],
    ) -> None:
        self._database = database
        self._feeds = Feeds(database)
        self._clock = clock
        self._new_id = new_id
        self._file_hosts = file_hosts
