"""How a session begins: an engine is started, says what it needs, and the memory is made for it.

Only the engine's process loads processors, because they may do anything. So only when it is ready
does anybody know how many controls they have and how late they are, and how much memory that takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.artifact import Artifact
from engine.config import HostConfig
from engine.controls import ControlTable, controls_for
from engine.errors import ConfigError
from engine.framing import Schedule
from engine.latency import LatencyLedger
from engine.worker.child import EngineProcess, Ready, Task
from engine.worker.layout import MAX_CONTROLS, Layout
from engine.worker.segment import Segment


@dataclass(frozen=True)
class Opening:
    """An engine that is ready, and the memory for it.

    Attributes:
        artifact: the model.
        config: of the host.
        engine: its process; its loop does not run yet.
        ready: what it said.
        segment: the memory, which the engine does not know yet.
        controls: those of the stems, then those of the processors, in that memory.
        ledger: model, framing, resampler and processors.
    """

    artifact: Artifact
    config: HostConfig
    engine: EngineProcess
    ready: Ready
    segment: Segment
    controls: ControlTable
    ledger: LatencyLedger

    @classmethod
    def of(
        cls, artifact: Artifact, task: Task, *, direct: bool, controls: Mapping[str, float]
    ) -> "Opening":
        """Starts an engine, waits until it is ready and makes the memory.

        Args:
            artifact: the model.
            task: for the engine; its segment is empty.
            direct: as in `Session.open`.
            controls: values to begin with.

        Raises:
            StemwireError: as `Session.open`. No process and no memory is left.
        """
        engine = EngineProcess(task)
        try:
            ready = engine.wait_until_ready()
            grid = replace(task.config, block_size=task.quantum)
            ledger = Schedule.of(artifact.manifest, grid).ledger
            if task.processors is not None:
                ledger = ledger.plus("plugin chain", ready.chain_latency)
            stems = artifact.manifest.stems
            of_parts = (control for part in ready.parts for control in part.controls)
            table = ControlTable((*controls_for(stems), *of_parts))
            table.set_all(controls)
            layout = Layout.of(task.config, stems, len(table.controls), ledger.total)
            if not layout.is_sound:
                raise ConfigError(
                    f"The chains have {len(table.controls)} controls and {ready.chain_latency} "
                    f"frames of latency, but no more than {MAX_CONTROLS} and about 10 s are "
                    "possible; leave a plugin out."
                )
            segment = Segment.create(layout, is_direct=direct, quantum=task.quantum)
            segment.controls[...] = table.values
            table = ControlTable(table.controls, segment.controls)
            return cls(artifact, task.config, engine, ready, segment, table, ledger)
        except BaseException:
            engine.kill()
            raise

    def undo(self) -> None:
        """Ends the engine and removes the memory."""
        self.engine.kill()
        self.segment.unlink()
