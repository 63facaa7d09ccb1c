"""What the demo will do, settled before anything starts: the machines of each member, and the jobs."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from demo.members import MEMBERS, Member, cut_machines
from demo.source import Source
from demo.trace import TraceMachine, read_trace
from demo.workload import TRACE_SECONDS_PER_SECOND, DemoJob, draw_jobs

JOB_COUNT = 240
WINDOW_SECONDS = 60.0
SEED = 12


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """Machines by member and jobs in the order of their arrival."""

    source: Source
    members: tuple[Member, ...]
    machines: Mapping[str, Sequence[TraceMachine]]
    jobs: tuple[DemoJob, ...]
    sharing_pods: int  # pods of the trace that were left out for sharing a GPU

    @property
    def all_machines(self) -> tuple[TraceMachine, ...]:
        """The machines of all members."""
        return tuple(machine for machines in self.machines.values() for machine in machines)

    def lines(self) -> Iterator[str]:
        """The plan in a few lines for people."""
        for member in self.members:
            machines = self.machines[member.name]
            gpus = Counter[str]()
            for machine in machines:
                gpus[machine.model] += machine.gpus
            listed = ", ".join(f"{count} {model}" for model, count in gpus.items() if count)
            cores = sum(machine.cpu_milli for machine in machines) // 1000
            yield f"{member.tier:<8}  {member.name:<15}  {len(machines)} machines, {cores} cores, GPUs: {listed}"
        with_gpus = sum(job.pod.gpus > 0 for job in self.jobs)
        indexed = sum(job.mode == "Indexed" for job in self.jobs)
        named = sum(bool(job.pod.models) for job in self.jobs)
        yield (
            f"{len(self.jobs)} jobs, {sum(job.completions for job in self.jobs)} pods: {with_gpus} jobs with GPUs, "
            f"{named} of them for certain models, {len(self.jobs) - with_gpus} for CPUs alone; {indexed} Indexed"
        )
        yield (
            f"{TRACE_SECONDS_PER_SECOND} s of the trace are 1 s here. {self.sharing_pods:,} pods that share a GPU are "
            "left out: a member lends whole ones"
        )


def make_plan(source: Source, *, count: int = JOB_COUNT, window_seconds: float = WINDOW_SECONDS) -> Plan:
    """The plan for this source, the same one each time. Raises DemoError where the source won't do."""
    trace = read_trace(source.folder)
    machines = cut_machines(MEMBERS, trace.machines)
    by_tier = {member.tier: machines[member.name] for member in MEMBERS}
    jobs = draw_jobs(trace.pods, by_tier, count=count, window_seconds=window_seconds, seed=SEED)
    return Plan(source, MEMBERS, machines, jobs, sum(pod.shares_gpu for pod in trace.pods))
