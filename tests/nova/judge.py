"""Run by a Python that has nova, not by pytest: real objects of nova asked about the pairs that a file lists.

    python judge.py FOLDER      FOLDER has the filter's file, ``questions.json``, and gets nova's databases

Prints one JSON object: which hosts passed for each question, and each line of the log. It takes nothing of this
project but the filter, which nova loads by ``available_filters``.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

STATES = {
    "live migration": "migrating",
    "evacuation": "rebuilding",
    "resize": "resize_prep",
    "unshelving": "unshelving",
}


def databases(folder: Path) -> None:
    """Make nova's two databases, by nova's own migrations."""
    import nova.conf
    from nova.db import migration
    from nova.db.api import api as api_db
    from nova.db.main import api as main_db

    conf = nova.conf.CONF
    conf.set_override("connection", f"sqlite:///{folder}/cell.db", group="database")
    conf.set_override("connection", f"sqlite:///{folder}/api.db", group="api_database")
    main_db.configure(conf)
    api_db.configure(conf)
    for database in ("main", "api"):
        migration.db_sync(database=database)


class Cloud:
    """A cell with the instances that are asked about, each in the task state of its move."""

    def __init__(self, folder: Path) -> None:
        from nova import context, objects

        objects.register_all()
        self.objects = objects
        self.context = context.get_admin_context()
        self.cell = objects.CellMapping(
            self.context,
            uuid="11111111-1111-1111-1111-111111111111",
            name="cell1",
            transport_url="none:///",
            database_connection=f"sqlite:///{folder}/cell.db",
        )
        self.cell.create()

    def spec(self, question: dict[str, Any]) -> Any:
        """Return the request, as nova has it when it schedules such a move of the instance."""
        objects, uuid, move = self.objects, question["uuid"], question["move"]
        flavor = objects.Flavor(
            flavorid="arm", name="arm", memory_mb=512, vcpus=1, root_gb=1, ephemeral_gb=0, swap=0,
            extra_specs=question.get("extra_specs", {}),
        )  # fmt: skip
        properties = objects.ImageMetaProps(traits_required=question.get("traits", []))
        if move in STATES:
            self._instance(uuid, flavor, STATES[move])
        elif move == "boot":
            objects.InstanceMapping(
                self.context, instance_uuid=uuid, cell_mapping=None, project_id="p"
            ).create()
        hints = {"_nova_check_type": ["rebuild"]} if move == "rebuild" else {}
        return objects.RequestSpec(
            self.context,
            instance_uuid=uuid,
            project_id="p",
            flavor=flavor,
            image=objects.ImageMeta(properties=properties),
            scheduler_hints=hints,
            num_instances=1,
        )

    def _instance(self, uuid: str, flavor: Any, state: str) -> None:
        from nova import context

        self.objects.InstanceMapping(
            self.context, instance_uuid=uuid, cell_mapping=self.cell, project_id="p"
        ).create()
        with context.target_cell(self.context, self.cell) as cell:
            self.objects.Instance(
                cell, uuid=uuid, project_id="p", user_id="u", task_state=state, flavor=flavor, host="source"
            ).create()


class Kept(logging.Handler):
    """Keeps the lines of the filter's log."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def main(folder: Path) -> None:
    """Ask, and print what came out."""
    import nova.conf
    from nova.scheduler import filters
    from nova.scheduler.host_manager import HostState

    asked = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
    from oslo_config import cfg

    conf = nova.conf.CONF
    conf.register_opt(
        cfg.StrOpt("transport_url", default="fake:/")
    )  # of oslo.messaging; no message is sent here
    conf([], project="nova", version="judge", default_config_files=[str(folder / "nova.conf")])
    databases(folder)
    # As HostManager loads what `available_filters` names, and chooses from it by `enabled_filters`.
    handler = filters.HostFilterHandler()
    found = handler.get_matching_classes(conf.filter_scheduler.available_filters)
    chosen = {one.__name__: one for one in found}
    enabled = [chosen[name]() for name in conf.filter_scheduler.enabled_filters]
    kept = Kept()
    log = logging.getLogger(type(enabled[-1]).__module__)
    log.addHandler(kept)
    log.setLevel(logging.INFO)
    cloud = Cloud(folder)
    hosts = [HostState(service, node, cloud.cell.uuid) for service, node in asked["hosts"]]
    results = []
    for question in asked["questions"]:
        if "file" in question:  # another file in its place, or none
            answers = Path(conf.armlevel.answers)
            answers.unlink(missing_ok=True)
            if question["file"] is not None:
                answers.write_text(question["file"], encoding="utf-8")
        spec = cloud.spec(question)
        kept.lines.clear()
        enabled[-1].lines._said.clear()
        passed = handler.get_filtered_objects(enabled, hosts, spec)
        alone = [one.nodename for one in hosts if enabled[-1]._filter_one(one, spec)]
        results.append({"passed": [one.nodename for one in passed], "alone": alone, "log": list(kept.lines)})
    run_on_rebuild = {type(one).__name__: type(one).RUN_ON_REBUILD for one in enabled}
    print(json.dumps({"filters": run_on_rebuild, "loaded": len(found), "results": results}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
