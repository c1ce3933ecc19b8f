"""What of nova's interface the filter uses, as small as can be; tests/nova/test_judge.py shows that nova has it so."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

__all__ = ["FILTER", "Nova", "Spec", "host"]

FILTER = Path(__file__).parents[2] / "src/armlevel/nova/filter.py"
UUID = "9f1c4a52-4f0e-4d2b-9d0c-0c2f3a7b8e11"


@dataclass
class Spec:
    """A RequestSpec: some of its fields may not be set."""

    instance_uuid: str = UUID
    extra_specs: dict[str, str] = field(default_factory=dict)
    image: Any = None
    rebuild: bool = False

    @property
    def flavor(self) -> SimpleNamespace:
        return SimpleNamespace(extra_specs=self.extra_specs)

    def __contains__(self, name: str) -> bool:
        return getattr(self, name, None) is not None


class Image:
    """An ImageMeta whose properties name traits."""

    def __init__(self, *traits: str) -> None:
        self.properties = {"traits_required": list(traits)}

    def __contains__(self, name: str) -> bool:
        return name == "properties"


def host(name: str, service: str = "") -> SimpleNamespace:
    """A HostState: the hypervisor's name, and the service's."""
    return SimpleNamespace(nodename=name, host=service or name)


class InstanceMappingNotFound(Exception):
    """What nova raises for an instance that it has not scheduled yet."""


class BaseHostFilter:
    """As nova.scheduler.filters has it."""

    RUN_ON_REBUILD = False

    def filter_all(self, hosts: Any, spec: Any) -> Any:
        raise NotImplementedError


class Nova:
    """A nova that knows the task states of instances; ``states`` may hold an exception to raise."""

    def __init__(self, path: Path | str) -> None:
        self.states: dict[str, Any] = {}
        self.asked = 0
        self.conf = SimpleNamespace(armlevel=SimpleNamespace(answers=str(path)), register_opts=mock.Mock())
        self.module = self._load()
        self.filter = self.module.ArmlevelFilter()

    def _load(self) -> Any:
        modules = {name: ModuleType(name) for name in _MODULES}
        for name, module in modules.items():
            above, _, last = name.rpartition(".")
            if above:
                setattr(modules[above], last, module)
        fakes: dict[str, Any] = modules
        fakes["oslo_config.cfg"].StrOpt = mock.Mock()
        fakes["nova.conf"].CONF = self.conf
        fakes["nova.exception"].InstanceMappingNotFound = InstanceMappingNotFound
        fakes["nova.context"].get_admin_context = lambda: "admin"
        fakes["nova.context"].target_cell = self._cell
        fakes["nova.objects"].InstanceMapping = SimpleNamespace(get_by_instance_uuid=self._mapping)
        fakes["nova.objects"].Instance = SimpleNamespace(get_by_uuid=self._instance)
        fakes["nova.scheduler.filters"].BaseHostFilter = BaseHostFilter
        fakes["nova.scheduler.utils"].request_is_rebuild = lambda spec: spec.rebuild
        spec = importlib.util.spec_from_file_location("armlevel_filter", FILTER)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with mock.patch.dict(sys.modules, {**modules, "armlevel_filter": module}):
            spec.loader.exec_module(module)
        return module

    @contextmanager
    def _cell(self, context: str, cell: str) -> Any:
        yield f"{context} in {cell}"

    def _mapping(self, context: str, uuid: str) -> SimpleNamespace:
        self.asked += 1
        if uuid not in self.states:
            raise InstanceMappingNotFound(uuid)
        if isinstance(self.states[uuid], Exception):
            raise self.states[uuid]
        return SimpleNamespace(cell_mapping=None if self.states[uuid] == "" else "cell 1")

    def _instance(self, context: str, uuid: str, expected_attrs: list[str]) -> SimpleNamespace:
        assert context == "admin in cell 1"
        return SimpleNamespace(task_state=self.states[uuid])

    def passing(self, spec: Spec, hosts: list[Any]) -> list[str]:
        """The names of the hosts that pass."""
        return [one.nodename for one in self.filter.filter_all(iter(hosts), spec)]


_MODULES = (
    "oslo_config",
    "oslo_config.cfg",
    "nova",
    "nova.conf",
    "nova.exception",
    "nova.context",
    "nova.objects",
    "nova.scheduler",
    "nova.scheduler.filters",
    "nova.scheduler.utils",
)
