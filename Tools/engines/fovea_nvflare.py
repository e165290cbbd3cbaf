"""Fovea under NVIDIA FLARE: one class for the sites, two for the server.

It is installed at each participant and named in its list of allowed classes; a job brings no code of its own.
"""

from __future__ import annotations

from nvflare.apis.executor import Executor
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal
from nvflare.app_common.abstract.fl_model import FLModel, ParamsType
from nvflare.app_common.abstract.model import ModelLearnable, ModelLearnableKey, make_model_learnable
from nvflare.app_common.abstract.model_persistor import ModelPersistor
from nvflare.app_common.app_constant import AppConstants
from nvflare.app_common.utils.fl_model_utils import FLModelUtils
from nvflare.app_common.workflows.model_controller import ModelController

from fovea_mean import Coordinator, Update
from fovea_step import Site, Snapshot, StepFailure

FAILURE = "fovea_failure"


class Step(Executor):
    """A site's task: runs `fovea federate-step` on the weights of the server."""

    def execute(self, task_name: str, shareable: Shareable, fl_ctx: FLContext, abort_signal: Signal) -> Shareable:
        model = FLModelUtils.from_shareable(shareable)
        try:
            tensors, numbers = Site.configured().step(model.params, model.current_round, lambda: abort_signal.triggered)
        except StepFailure as failure:
            self.log_error(fl_ctx, str(failure))
            reply = FLModel(metrics={FAILURE: 1.0}, meta={FAILURE: str(failure)})
        else:
            reply = FLModel(params_type=ParamsType.FULL, params=tensors, meta=numbers)
        return FLModelUtils.to_shareable(reply)


class Snapshots(ModelPersistor):
    """The server's model: the coordinator's base, and a snapshot for each round."""

    def load_model(self, fl_ctx: FLContext) -> ModelLearnable:
        return make_model_learnable(Snapshot.read(Coordinator.configured().base).tensors, {})

    def save_model(self, model: ModelLearnable, fl_ctx: FLContext) -> None:
        own = Coordinator.configured()
        path = own.save(
            model[ModelLearnableKey.WEIGHTS], Snapshot.read(own.base), fl_ctx.get_prop(AppConstants.CURRENT_ROUND)
        )
        self.log_info(fl_ctx, f"saved {path}")


class Rounds(ModelController):
    """Federated averaging that ends with an error where a site fails, is late or is missing.

    NVFLARE's own FedAvg logs what goes wrong with one site's result, and averages the others.
    """

    def __init__(self) -> None:
        super().__init__(ignore_result_error=False)

    def run(self) -> None:
        own = Coordinator.configured()
        base = Snapshot.read(own.base)
        model = self.load_model()
        for round_number in own.rounds:
            model.current_round = round_number
            sites = self.sample_clients()
            results = self.send_model_and_wait(targets=sites, data=model, timeout=own.timeout)
            if self.abort_signal.triggered:
                return
            updates = [self.update(own, result, base, round_number) for result in results]
            model = FLModel(params_type=ParamsType.FULL, params=own.mean(updates, round_number))
            self.save_model(model)

    def update(self, own: Coordinator, result: FLModel, base: Snapshot, round_number: int) -> Update:
        """One site's result, checked."""
        site = result.meta["client_name"]
        if failure := result.meta.get(FAILURE):
            raise StepFailure(f"round {round_number}: {site}: {failure}")
        told = {key: result.meta.get(key) for key in ("patients", "loss", "validation_loss")}
        self.info(f"round {round_number}: {site}: {told}")
        return own.update(site, result.params, result.meta, base)
