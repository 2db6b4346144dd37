"""Bags analysed over a Ray cluster; the only module that knows Ray.

Every camera of every bag is a piece of work, and a long one is cut into shares that come before
it (`bag.shares`). All machines see the bags and the results under the same paths. Who dies has
his work done again by another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
import logging
from pathlib import Path
import socket
from typing import Any

from interwild_ros.bag.account import assets_of
from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.jobs import BagJob, Measured, NamedBag, Outcome, Progress, Request, Say
from interwild_ros.bag.plan import Entry, Plan
from interwild_ros.bag.shares import foresee, Foresight, parts_of, Said, Share, share_length
from interwild_ros.bag.sturdy import open_sturdy, SturdyReader
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError, InterwildError, SettingError
from interwild_ros.openmp import PASSIVE_WAITING
from interwild_ros.pipeline.pipeline import load_pipeline, Pipeline
from interwild_ros.pipeline.warm_up import warm_up
import ray
from ray import ObjectRef
import torch

_TIMES_AGAIN = 5  # that work is given to another worker after one has died
_LOOK_SEC = 0.5
_ANSWER_SEC = 10.0


@dataclass(frozen=True)
class ClusterJob:
    """What every worker has to know; `threads` are those of a worker."""

    request: Request
    out: Path
    share_length: int
    threads: int

    @property
    def settings(self) -> Settings:
        """Return the settings of a worker: results depend on the number of threads."""
        settings: Settings = self.request.settings.changed({'threads': self.threads})
        return settings


@dataclass(eq=False)
class _Camera:
    """One camera on its way.

    `shares` are those that are not done; `said` what all of them say, in their order, and
    `firsts_ns` the stamps at which they begin; `done` counts pictures.
    """

    bag: NamedBag
    measured: Measured
    shares: dict[ObjectRef[int], Share] = field(default_factory=dict)
    said: list[ObjectRef[Said]] = field(default_factory=list)
    firsts_ns: list[int] = field(default_factory=list)
    done: int = 0


@contextmanager
def cluster(address: str | None = None) -> Iterator[None]:
    """Be part of a cluster for as long as the block.

    :param address: where it is, `auto` or host:port; None makes one of this machine alone.
    :raises AssetError: when there is none.
    """
    _see(address)
    try:
        ray.init(
            address=address or 'local',
            include_dashboard=None if address else False,
            runtime_env={'env_vars': dict([PASSIVE_WAITING])},
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        hint = 'one that wants a token gets it by RAY_AUTH_MODE=token'
        raise AssetError(f'there is no Ray cluster at {address}: {error}; {hint}') from error
    try:
        yield
    finally:
        ray.shutdown()


def _see(address: str | None) -> None:
    """Raise where nobody answers at host:port: Ray itself would try for minutes."""
    host, _, port = (address or '').rpartition(':')
    if not (host and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_SEC).close()
    except (OSError, OverflowError) as error:
        raise AssetError(f'there is no Ray cluster at {address}: {error}') from error


def analyse_on_cluster(
    bags: Sequence[NamedBag],
    out: Path,
    request: Request,
    *,
    length: int = 0,
    say: Say = lambda progress: None,
) -> Iterator[Outcome]:
    """Analyse every camera of every bag, and yield each result when its folder stands.

    Within `cluster`. What comes out is what `analyse_bags` makes with as many threads.

    :param length: of a share, in pictures; 0 chooses by the size of the cluster.
    :raises AssetError: when a bag cannot be read or the disk is full; what is finished stays.
    :raises SettingError: when no machine has as many cores as a worker wants threads.
    """
    threads = request.settings.threads or torch.get_num_threads()
    job = ClusterJob(request, out, length, threads)
    yield from _Work(job, say).run(bags)


class _Work:
    """All that is to be done, as it comes back from the cluster."""

    def __init__(self, job: ClusterJob, say: Say) -> None:
        self._say = say
        self._job = job
        self._options = _options(job.threads)
        self._job_ref = ray.put(job)
        self._open: dict[ObjectRef[Any], tuple[str, Any]] = {}

    def run(self, bags: Sequence[NamedBag]) -> Iterator[Outcome]:
        try:
            for bag in bags:
                self._send('measure', bag, _measure, bag)
            while self._open:
                (ready, _) = ray.wait(list(self._open), num_returns=1, timeout=_LOOK_SEC)
                for ref in ready:
                    yield from self._back(ref)
        finally:
            for ref in self._open:
                ray.cancel(ref, force=True)

    def _send(self, what: str, of: Any, task: Any, *args: Any) -> Any:
        """Have something done, and return what Ray gives for it; the first of these is awaited."""
        refs = task.options(name=what, **self._options).remote(self._job_ref, *args)
        self._open[refs[0] if isinstance(refs, list) else refs] = (what, of)
        return refs

    def _back(self, ref: ObjectRef[Any]) -> Iterator[Outcome]:
        what, of = self._open.pop(ref)
        if what == 'measure':
            for found in _result(ref):
                if isinstance(found, Outcome):
                    yield found
                else:
                    self._begin(_Camera(of, found))
        elif what == 'share':
            self._share_done(of, ref)
        else:
            yield _result(ref)

    def _begin(self, camera: _Camera) -> None:
        plan = camera.measured.plan
        length = self._job.share_length or share_length(len(plan), _workers(self._options))
        for share, part in parts_of(plan, length):
            entry = camera.measured.entry_of(part)
            args = (camera.bag, camera.measured.camera, part, share.first - share.lead, entry)
            done, said = self._send('share', camera, _foresee, *args)
            camera.shares[done] = share
            camera.said.append(said)
            camera.firsts_ns.append(int(plan.stamps_ns[share.first]))
        if not camera.shares:
            self._finish(camera)

    def _share_done(self, camera: _Camera, ref: ObjectRef[int]) -> None:
        _result(ref)
        camera.done += len(camera.shares.pop(ref))
        measured = camera.measured
        self._say(
            Progress(camera.bag.name, measured.camera.image, camera.done, len(measured.plan))
        )
        if not camera.shares:
            self._finish(camera)

    def _finish(self, camera: _Camera) -> None:
        # In a list they are not all given to the worker at once.
        args = (camera.bag, camera.measured, camera.said, camera.firsts_ns)
        self._send('analyse', camera, _analyse, *args)


@ray.remote(max_retries=_TIMES_AGAIN)
def _measure(job: ClusterJob, bag: NamedBag) -> list[Outcome | Measured]:
    with open_sturdy(bag.path) as opened:
        work = _bag_job(job, bag, opened)
        return [*work.finished(), *work.measured()]


@ray.remote(max_retries=_TIMES_AGAIN, num_returns=2)
def _foresee(
    job: ClusterJob,
    bag: NamedBag,
    camera: CameraTopics,
    plan: Plan,
    lead: int,
    entry: Entry | None,
) -> tuple[int, Said]:
    with open_sturdy(bag.path) as opened:
        pipeline = _pipeline(job.settings)
        said = foresee(opened, camera, plan, pipeline=pipeline, lead=lead, entry=entry)
        return len(said), said


@ray.remote(max_retries=_TIMES_AGAIN)
def _analyse(
    job: ClusterJob,
    bag: NamedBag,
    measured: Measured,
    shares: list[ObjectRef[Said]],
    first_stamps_ns: list[int],
) -> Outcome:
    foresight = Foresight([partial(_get, ref) for ref in shares], first_stamps_ns)
    with open_sturdy(bag.path) as opened:
        work = _bag_job(job, bag, opened)
        return work.analysed(measured, foresight=foresight if shares else None)


def _get(ref: ObjectRef[Said]) -> Said:
    said: Said = ray.get(ref)
    return said


def _bag_job(job: ClusterJob, bag: NamedBag, opened: SturdyReader) -> BagJob:
    pipeline, assets = _pipeline(job.settings), _assets(job.settings)
    return BagJob(bag, opened, job.out, job.request, pipeline, assets)


@lru_cache(maxsize=1)
def _assets(settings: Settings) -> dict[str, Any]:
    """Return what the networks are, with the sums of their files, which are read once."""
    return assets_of(_pipeline(settings).card, settings)


@lru_cache(maxsize=1)
def _pipeline(settings: Settings) -> Pipeline:
    """Return the networks, which a worker's process loads once."""
    pipeline = load_pipeline(settings)
    warm_up(pipeline)
    return pipeline


def _options(threads: int) -> dict[str, float]:
    """Return what a worker takes of its machine: a GPU where there are any, else its threads."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    machines = [node['Resources'] for node in nodes if node['Alive']]
    if any(machine.get('GPU') for machine in machines):
        return {'num_gpus': 1, 'num_cpus': 1}
    most = max((machine.get('CPU', 0) for machine in machines), default=0)
    if threads > most:
        raise SettingError(
            f'threads is {threads}, but no machine of the cluster has more than {most:g} cores'
        )
    return {'num_cpus': threads}


def _workers(options: dict[str, float]) -> int:
    """Return how many workers there can be at a time."""
    all_of: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(
        1,
        min(
            int(all_of.get(kind, 0) // options[name])
            for kind, name in (('CPU', 'num_cpus'), ('GPU', 'num_gpus'))
            if name in options
        ),
    )


def _result(ref: ObjectRef[Any]) -> Any:
    """Return what came back.

    :raises AssetError: when every worker that had this work died.
    """
    try:
        return ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise (cause if isinstance(cause, InterwildError) else error) from None
    except ray.exceptions.RayError as error:
        text = (str(error).splitlines() or [type(error).__name__])[0]
        raise AssetError(f'the cluster could not do its work: {text}') from error
