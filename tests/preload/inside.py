"""Runs inside an emulated host, standard library only: real QEMU, real KVM, the library, and what came of it."""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

JOB, OUT = Path("/job"), Path(os.environ.get("OUT", "/tmp"))
LIBRARIES = {"LD_LIBRARY_PATH": "/usr/lib/aarch64-linux-gnu"}
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
LAST_STOP = 600.0  # seconds against hanging: ten times what an idle machine needs
GUEST = (
    *("-kernel", "/guest/vmlinuz", "-initrd", "/guest/initrd"),
    *("-append", "console=ttyAMA0 quiet rdinit=/init"),
)


class Machine:
    """One QEMU, started by the entry of ``armlevel run`` or by the environment alone."""

    def __init__(
        self,
        name: str,
        version: str,
        tasks: dict[str, Any],
        *more: str,
        smp: int = 1,
        guest: tuple[str, ...] = GUEST,
    ) -> None:
        self.name, self.console = name, Path(f"/tmp/{name}.console")
        self.events: dict[str, Any] = {}
        self.console.write_text("")
        self.command = [
            f"/opt/qemu-{version}/qemu-system-aarch64",
            *("-M", f"virt-10.0,dtb-randomness=off,{tasks['board']}", "-cpu", tasks["cpu"]),
            *("-accel", "kvm,device=/dev/kvm-armlevel", "-smp", str(smp), "-m", "128M"),
            *("-nodefaults", "-display", "none", "-serial", f"file:{self.console}"),
            *("-sandbox", SANDBOX, *guest, *more),
        ]

    def by_entry(self, config: str = "config") -> None:
        """Start it as `armlevel run` does, and connect to its monitor."""
        entry = [sys.executable, "-I", "entry.py", config, self._out("log"), self._out("dump")]
        # QEMU is handed a socket that is connected already; it closes it when it ends.
        self.monitor, theirs = socket.socketpair()
        monitor = ["-chardev", f"socket,id=qmp,fd={theirs.fileno()}", "-mon", "chardev=qmp,mode=control"]
        with theirs, Path(self._out("said")).open("wb") as said:
            self.process = subprocess.Popen(
                [*entry, *self.command, *monitor],
                env={**os.environ, **LIBRARIES},
                stdout=said,
                stderr=said,
                pass_fds=(theirs.fileno(),),
            )
        self.lines = self.monitor.makefile("rw")
        if not self.line():
            raise SystemExit(f"{self.name}: {Path(self._out('said')).read_text()}")
        self.ask("qmp_capabilities")

    def by_environment(self, environment: dict[str, str], cpu: str = "") -> dict[str, Any]:
        """Start it with nothing but environment variables; it is to end by itself, and not with a guest that speaks."""
        command = list(self.command)
        if cpu == "-":  # what ends before its first instruction need not be QEMU
            command = [sys.executable, "-c", f"open({str(self.console)!r}, 'w').write('runs')"]
        elif cpu:
            command[command.index("-cpu") + 1] = cpu
        with Path(self._out("said")).open("w+b") as said:
            process = subprocess.Popen(
                command, env={**LIBRARIES, **environment}, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        ends = time.monotonic() + LAST_STOP
        while process.poll() is None and not self.heard() and time.monotonic() < ends:
            time.sleep(0.1)
        status = process.poll() or 0  # a QEMU that still runs is one that should not
        process.kill()
        process.wait()
        return {"status": status, "said": Path(self._out("said")).read_text(), "console": self.heard()}

    def heard(self) -> str:
        """Return what the guest has said on its console."""
        return self.console.read_text(errors="replace")

    def line(self) -> str:
        """Return a line of the monitor; nothing if QEMU has ended."""
        try:
            return self.lines.readline()
        except ConnectionResetError:
            return ""

    def ask(self, command: str, **arguments: Any) -> Any:
        """Ask the monitor."""
        self.lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            line = self.line()
            if not line:
                raise SystemExit(f"{self.name}: {command}: gone: {Path(self._out('said')).read_text()}")
            answer = json.loads(line)
            if "event" in answer:
                self.events[answer["event"]] = answer.get("data")
            if "error" in answer:
                raise SystemExit(f"{self.name}: {command}: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    def event(self, name: str) -> Any:
        """Wait for an event of the monitor, and return what it says."""
        while name not in self.events:
            answer = json.loads(self.line() or '{"event": "gone"}')
            if answer.get("event") == "gone":
                raise SystemExit(f"{self.name}: no {name}: {Path(self._out('said')).read_text()}")
            if "event" in answer:
                self.events[answer["event"]] = answer.get("data")
        return self.events[name]

    def ticks(self, count: int, boot: int = 1) -> int:
        """Wait until the guest ticked so often in its boot of that number; return how often it did.

        A boot begins with tick 1; a guest that came from elsewhere has ticked before, and goes on.
        """
        found, ends = 0, time.monotonic() + LAST_STOP
        while time.monotonic() < ends:
            before, *boots = self.heard().split("tick 1 ")
            found = (
                sum(1 + text.count("tick ") for text in boots[boot - 1 :]) if boots else before.count("tick ")
            )
            if found >= count or self.process.poll() is not None:
                break
            time.sleep(0.1)
        return found

    def expansion(self) -> dict[str, Any]:
        """The CPU as QEMU describes it to management."""
        answer = self.ask("query-cpu-model-expansion", type="full", model={"name": "host"})
        properties: dict[str, Any] = answer["model"]["props"]
        return properties

    def quit(self) -> int:
        """End it."""
        self.ask("quit")
        return self.process.wait()

    def _out(self, kind: str) -> str:
        return str(OUT / f"{self.name}.{kind}")


def show(tasks: dict[str, Any], version: str) -> dict[str, Any]:
    """What management and firmware see of the guest's CPU, under one QEMU; the guest powers itself off."""
    guest = Machine(f"show-{version}", version, tasks, "-no-shutdown", smp=2, guest=("-kernel", "/job/off"))
    guest.by_entry()
    guest.ask("dumpdtb", filename=str(OUT / f"tree-{version}"))
    found = {"expansion": guest.expansion(), "ended": guest.event("SHUTDOWN")["reason"]}
    guest.quit()
    return found


def live(tasks: dict[str, Any], version: str) -> dict[str, Any]:
    """Two vCPUs, the sandbox, a reset, and a migration to a second QEMU."""
    source = Machine("source", version, tasks, smp=2)
    source.by_entry()
    found: dict[str, Any] = {"born": source.ticks(2)}
    source.ask("system_reset")
    found["reset"] = source.ticks(2, boot=2)
    target = Machine("target", version, tasks, "-incoming", "unix:/tmp/migration", smp=2)
    target.by_entry()
    source.ask("migrate", uri="unix:/tmp/migration")
    ends = time.monotonic() + LAST_STOP
    while (
        source.ask("query-migrate").get("status") not in {"completed", "failed"} and time.monotonic() < ends
    ):
        time.sleep(0.1)
    found["migration"] = source.ask("query-migrate")["status"]
    found["arrived"] = target.ticks(3)
    found["status"] = target.ask("query-status")["status"]
    found["ended"] = [source.quit(), target.quit()]
    return found


def failures(tasks: dict[str, Any], version: str) -> dict[str, Any]:
    """Everything that must keep QEMU from a guest."""
    good = {"LD_PRELOAD": "/job/libarmlevel.so", "ARMLEVEL_CONFIG": "/job/config"}
    found = {}
    for name, (environment, cpu) in tasks["failures"].items():
        machine = Machine(f"failure-{name}", version, tasks)
        found[name] = machine.by_environment({**good, **environment}, cpu)
    for name, library in tasks["libraries"].items():
        entry = [sys.executable, "-I", "entry.py", "config", "", "", "true"]
        done = subprocess.run(entry, env={**os.environ, "LIBRARY": library}, capture_output=True, text=True)
        found[f"entry-{name}"] = {"status": done.returncode, "said": done.stderr, "console": ""}
    return found


def ways(tasks: dict[str, Any]) -> dict[str, Any]:
    """Start QEMU in each way; what holds its standard error holds this up, also a process in the background."""
    Path("/job/qemu-system-aarch64").symlink_to("/bin/busybox")  # a static program
    found = {}
    for name, (command, starts) in tasks["ways"].items():
        if (program := Path(command[0])).parent == JOB and not program.is_symlink():
            program.chmod(0o755)
        begun = time.monotonic()
        process, said = in_child(command, {"STARTS": starts}, f"{OUT}/way-{name}.log")
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        waiting = Path(f"/tmp/{name}.pid")
        if waiting.exists():
            os.kill(int(waiting.read_text()), signal.SIGTERM)
        with os.fdopen(said, "rb") as pipe:
            text = pipe.read().decode()
        found[name] = {"status": status, "said": text, "seconds": round(time.monotonic() - begun, 1)}
    return found


def in_child(command: list[str], environ: dict[str, str], log: str) -> tuple[int, int]:
    """Do the last step of `armlevel run` in a child that need not start Python again; return what it says as well."""
    sys.path.insert(0, str(JOB))
    entry = importlib.import_module("entry")
    read, write = os.pipe()
    if process := os.fork():
        os.close(write)
        return process, read
    try:
        os.environ.update({**LIBRARIES, **environ})
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor, number in ((null, 0), (write, 1), (write, 2), (null, 9)):
            os.dup2(descriptor, number)
        outcome = entry.main("config", log, "", *command)
        if isinstance(outcome, str):
            print(outcome, file=sys.stderr, flush=True)
        os._exit(1 if isinstance(outcome, str) else outcome)
    finally:
        os._exit(70)


def main() -> None:
    """Do the tasks that are named on the command line."""
    tasks = json.loads((JOB / "tasks.json").read_text())
    found = {}
    for word in sys.argv[1:]:
        what, _, version = word.partition(":")
        act = {"show": show, "live": live, "failures": failures}.get(what)
        found[word] = act(tasks, version) if act else ways(tasks)
    (OUT / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
