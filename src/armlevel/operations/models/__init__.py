"""The JSON of every result, for its schema: a file an operation, and what several of them hold in ``shared``.

Documents that stand inside a result are those of ``documents.models``.
"""

from __future__ import annotations

from pydantic import BaseModel

from armlevel.operations.models.agents import AgentsModel, EnrolledModel, NewTokenModel, ReportAnswerModel
from armlevel.operations.models.baseline import BaselineModel
from armlevel.operations.models.check import CheckModel
from armlevel.operations.models.collect import CollectModel
from armlevel.operations.models.diff import DiffModel
from armlevel.operations.models.doctor import DoctorModel
from armlevel.operations.models.drift import DriftModel
from armlevel.operations.models.explain import ExplanationModel
from armlevel.operations.models.export import ExportModel
from armlevel.operations.models.facts import FactsModel
from armlevel.operations.models.fleet import (
    FleetAddModel,
    FleetAuditModel,
    FleetHostModel,
    FleetListModel,
    FleetLogModel,
    FleetStoreModel,
)
from armlevel.operations.models.fleet_copies import (
    FleetBackupModel,
    FleetExportModel,
    FleetForgetModel,
    FleetRestoreModel,
    FleetRetireModel,
)
from armlevel.operations.models.fleet_moves import (
    FleetEvacuateModel,
    FleetGuestsModel,
    FleetRolloutModel,
    FleetWatchModel,
)
from armlevel.operations.models.fleet_pools import (
    FleetAcceptModel,
    FleetCheckModel,
    FleetLevelModel,
    FleetPoolsModel,
    FleetWhyModel,
)
from armlevel.operations.models.freeze import FreezeModel, SignatureModel
from armlevel.operations.models.guard import GuardModel, OverrideModel
from armlevel.operations.models.guests import GuestsModel, RunningModel
from armlevel.operations.models.machines import MachinesModel
from armlevel.operations.models.matrix import MatrixModel
from armlevel.operations.models.migrate import AnyGuestsModel, MovesModel
from armlevel.operations.models.nova_filter import NovaFilterModel
from armlevel.operations.models.plan import PlanModel
from armlevel.operations.models.run import RunModel
from armlevel.operations.models.shared import ResultModel
from armlevel.operations.models.show import ShowModel
from armlevel.operations.models.verify import VerifyModel

__all__ = ["MODELS", "ResultModel"]

MODELS: dict[str, type[BaseModel]] = {
    "baseline/1": BaselineModel,
    "check/1": CheckModel,
    "moves/1": MovesModel,
    "any-guest/1": AnyGuestsModel,
    "collect/1": CollectModel,
    "matrix/1": MatrixModel,
    "plan/1": PlanModel,
    "diff/1": DiffModel,
    "drift/1": DriftModel,
    "facts/1": FactsModel,
    "show/1": ShowModel,
    "export/1": ExportModel,
    "nova-filter/1": NovaFilterModel,
    "freeze/1": FreezeModel,
    "signature/1": SignatureModel,
    "verify/1": VerifyModel,
    "run/1": RunModel,
    "explanation/1": ExplanationModel,
    "machines/1": MachinesModel,
    "doctor/1": DoctorModel,
    "guard/1": GuardModel,
    "override/1": OverrideModel,
    "guests/1": GuestsModel,
    "running-guests/1": RunningModel,
    "report-answer/1": ReportAnswerModel,
    "enrolled/1": EnrolledModel,
    "new-token/1": NewTokenModel,
    "agents/1": AgentsModel,
    "fleet-store/1": FleetStoreModel,
    "fleet-add/1": FleetAddModel,
    "fleet-list/1": FleetListModel,
    "fleet-host/1": FleetHostModel,
    "fleet-log/1": FleetLogModel,
    "fleet-audit/1": FleetAuditModel,
    "fleet-pools/1": FleetPoolsModel,
    "fleet-level/1": FleetLevelModel,
    "fleet-accept/1": FleetAcceptModel,
    "fleet-check/1": FleetCheckModel,
    "fleet-why/1": FleetWhyModel,
    "fleet-guests/1": FleetGuestsModel,
    "fleet-evacuate/1": FleetEvacuateModel,
    "fleet-rollout/1": FleetRolloutModel,
    "fleet-watch/1": FleetWatchModel,
    "fleet-retire/1": FleetRetireModel,
    "fleet-backup/1": FleetBackupModel,
    "fleet-restore/1": FleetRestoreModel,
    "fleet-export/1": FleetExportModel,
    "fleet-forget/1": FleetForgetModel,
}
