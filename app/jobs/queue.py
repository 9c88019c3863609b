"""The queue in Redis: how jobs are put into it. It may be away or lose everything; the job rows in the database remember (design, decision 4)."""

from __future__ import annotations

import re

from redis import Redis
from rq import Queue, Retry
from rq.serializers import JSONSerializer

NAME = "huying"
FUNCTION = "app.jobs.tasks.run"
"""The one function that workers call: it takes a job row's key, so that whoever can write to Redis cannot run anything else."""

ANSWER_SECONDS = 5
"""How long a command may take before Redis counts as away."""

JOB_SECONDS = 300
"""How long a job may run before its process is ended."""


def connect(url: str) -> Redis:
    """A connection that gives up soon. Nothing is sent before the first command."""
    return Redis.from_url(url, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS)


def queue(connection: Redis) -> Queue:
    return Queue(NAME, connection=connection, serializer=JSONSerializer, default_timeout=JOB_SECONDS)


def queue_id(key: str, attempt: int) -> str:
    """The job's id in Redis, of letters, digits, `_` and `-`: one per row and attempt, since Redis remembers a failed one for a year."""
    return f"{re.sub('[^A-Za-z0-9_-]', '-', key)}-{attempt}"


def put(connection: Redis, row_id: int, key: str, attempt: int, *, first: bool = False) -> None:
    """Put a job row into the queue, `first` before all that wait. Raises redis.RedisError where that is impossible now."""
    queue(connection).enqueue_call(
        FUNCTION,
        kwargs={"row_id": row_id},
        job_id=queue_id(key, attempt),
        retry=Retry(max=3, interval=[10, 60, 300]),
        description=key,
        result_ttl=3600,
        failure_ttl=86400,
        at_front=first,
    )
