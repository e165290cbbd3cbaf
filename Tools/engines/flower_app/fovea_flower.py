"""Fovea under Flower: the sites' app, and the coordinator's.

fovea_step and fovea_mean come from each participant's own installation; what is sent to the sites is this file.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from fovea_mean import Coordinator
from fovea_step import Site, Snapshot, StepFailure

client = ClientApp()
server = ServerApp()


def packed(tensors: dict[str, np.ndarray]) -> ArrayRecord:
    return ArrayRecord({name: Array(tensor) for name, tensor in tensors.items()})


def unpacked(record: ArrayRecord) -> dict[str, np.ndarray]:
    return {name: array.numpy() for name, array in record.items()}


@client.train()
def train(message: Message, context: Context) -> Message:
    """A site's task: runs `fovea federate-step` on the weights of the server."""
    site = Site.configured()
    try:
        tensors, numbers = site.step(unpacked(message.content["arrays"]), message.content["config"]["server-round"])
    except StepFailure as failure:
        raise StepFailure(f"{site.name}: {failure}") from failure
    content = {"arrays": packed(tensors), "metrics": MetricRecord(numbers), "config": ConfigRecord({"site": site.name})}
    return Message(RecordDict(content), reply_to=message)


class Rounds(FedAvg):
    """Federated averaging that ends with an error where a site fails, is late or is missing.

    Flower's own FedAvg logs a site's failure, and averages the others.
    """

    def __init__(self, own: Coordinator, base: Snapshot) -> None:
        super().__init__(fraction_evaluate=0.0, min_train_nodes=own.sites, min_available_nodes=own.sites)
        self.own = own
        self.base = base

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        return super().configure_train(self.own.rounds[server_round - 1], arrays, config, grid)

    def aggregate_train(self, server_round: int, replies: Iterable[Message]) -> tuple[ArrayRecord, MetricRecord]:
        updates, round_number = [], self.own.rounds[server_round - 1]
        for reply in replies:
            if reply.has_error():
                raise StepFailure(f"round {round_number}: node {reply.metadata.src_node_id}: {reply.error.reason}")
            content = reply.content
            updates.append(
                self.own.update(
                    str(content["config"]["site"]), unpacked(content["arrays"]), dict(content["metrics"]), self.base
                )
            )
        tensors = self.own.mean(updates, round_number)
        print(f"round {round_number}: saved {self.own.save(tensors, self.base, round_number)}", flush=True)
        return packed(tensors), MetricRecord({"patients": sum(one.patients for one in updates)})


@server.main()
def main(grid: Grid, context: Context) -> None:
    """All rounds."""
    own = Coordinator.configured()
    base = Snapshot.read(own.base)
    Rounds(own, base).start(grid, packed(base.tensors), num_rounds=len(own.rounds), timeout=own.timeout)
