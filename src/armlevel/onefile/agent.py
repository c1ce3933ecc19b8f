"""The agent of a host, as one file: `python3 armlevel-agent.pyz probe`, `send`, `enrol`, `key`.

Standard library only. Each is a program of its own, which systemd starts as somebody else: `probe` has /dev/kvm and no
network, `send` has the key and no device.
"""

from __future__ import annotations

import getopt
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from armlevel import __version__
from armlevel.documents.names import named
from armlevel.errors import ArmlevelError, UsageError
from armlevel.onefile.openssh import fingerprint, make_key
from armlevel.onefile.sender import ask_to_be_known, send

__all__ = ["main"]

_HELP = """\
usage: armlevel-agent probe [--state DIR] [-n NAME] [--no-vmms] [--guard FILE]
       armlevel-agent send  [--state DIR] [--own DIR] [--spool DIR] [-n NAME]
       armlevel-agent enrol [--own DIR] [-n NAME] [--host-key FILE | --token-file FILE] -o FILE
       armlevel-agent key   [--own DIR]

  probe  reads this machine and its /dev/kvm, in scratch VMs only, into the state directory; then has the guard try the
         guest CPUs of libvirt's domains here, so that its answers are ready
  send   signs a report of that with the agent's own key, and puts it into the spool: the newest only
  enrol  writes a request to be known by that key; the SSH host key, its certificate or a token vouches for it
  key    shows the public key, and makes it where there is none

  --guard FILE  the guard's archive (/usr/lib/armlevel/armlevel-guard.pyz)
  --state DIR   what was probed (/var/lib/armlevel)
  --own DIR     the key, and what was sent last (/var/lib/armlevel-sender)
  --spool DIR   where reports are fetched from (the directory spool in --own)
"""
BAD_USAGE = 2
INTERRUPTED = 130
_LONG = [
    "state=",
    "own=",
    "spool=",
    "name=",
    "host-key=",
    "token-file=",
    "output=",
    "guard=",
    "no-vmms",
    "help",
    "version",
]
_TOKEN = 256


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked, and say in one sentence what went wrong if anything did; 0, or 2."""
    try:
        options, rest = getopt.gnu_getopt(
            list(sys.argv[1:] if arguments is None else arguments), "n:o:h", _LONG
        )
        given = {_FULL.get(key, key): value for key, value in options}
        if "--help" in given:
            print(_HELP, end="")
        elif "--version" in given:
            print(f"armlevel {__version__}")
        elif len(rest) != 1 or rest[0] not in _DOES:
            raise UsageError(f"one of {', '.join(_DOES)} is needed", hint="armlevel-agent --help")
        else:
            _DOES[rest[0]](given)
    except (ArmlevelError, getopt.GetoptError) as exc:
        print(f"armlevel-agent: {exc}", file=sys.stderr)
        return BAD_USAGE
    except OSError as exc:
        print(f"armlevel-agent: {exc.filename or 'a file'}: {exc.strerror or exc}", file=sys.stderr)
        return BAD_USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _probe(given: Mapping[str, str]) -> None:
    from armlevel.documents.running import running_object
    from armlevel.documents.write import pretty
    from armlevel.onefile.collector import collect, compiled_plan
    from armlevel.onefile.known import known_guests, try_known
    from armlevel.onefile.prober import probe_into
    from armlevel.probe.running import read_running

    state, name = Path(given.get("--state", "/var/lib/armlevel")), _name(given)
    state.mkdir(parents=True, exist_ok=True)
    plan, vmms = compiled_plan(), "--no-vmms" not in given
    found = probe_into(
        state,
        lambda: collect(plan, name=name, vmms=vmms).host,
        lambda: pretty(running_object(read_running())),
    )
    print(f"probed: {found.digest}")
    guard = Path(given.get("--guard", "/usr/lib/armlevel/armlevel-guard.pyz"))
    if guard.exists() and (guests := known_guests()):
        answers = try_known(guests, guard, state / "tried")
        print(
            f"tried {len(guests)} known guests: {', '.join(f'{n} {one}' for one, n in sorted(answers.items()))}"
        )


def _send(given: Mapping[str, str]) -> None:
    own = _own(given)
    state, spool = Path(given.get("--state", "/var/lib/armlevel")), Path(given.get("--spool", own / "spool"))
    report = send(state, own, spool, name=_name(given))
    what = "no profile of this boot" if report.host is None else report.host[0]
    print(f"report {report.sequence} spooled: {what}, {len(report.events)} events")


def _enrol(given: Mapping[str, str]) -> None:
    if "--output" not in given:
        raise UsageError("where to write the request is needed", hint="-o FILE")
    if "--host-key" in given and "--token-file" in given:
        raise UsageError("one of --host-key and --token-file vouches, not both")
    host_key = Path(given["--host-key"]) if "--host-key" in given else None
    token = _token(Path(given["--token-file"])) if "--token-file" in given else ""
    line = ask_to_be_known(
        _own(given), Path(given["--output"]), name=_name(given), token=token, host_key=host_key
    )
    print(f"request written to {given['--output']}: {fingerprint(line)}")


def _key(given: Mapping[str, str]) -> None:
    print(make_key(_own(given) / "agent_key"))


def _own(given: Mapping[str, str]) -> Path:
    return Path(given.get("--own", "/var/lib/armlevel-sender"))


def _name(given: Mapping[str, str]) -> str:
    return named("--name", given.get("--name", ""))


def _token(path: Path) -> str:
    with path.open("rb") as stream:
        text = stream.read(_TOKEN + 1).decode("ascii", errors="replace").strip()
    if not text or len(text) > _TOKEN:
        raise UsageError(f"{path}: holds no token")
    return text


_FULL = {"-n": "--name", "-o": "--output", "-h": "--help"}
_DOES: dict[str, Callable[[Mapping[str, str]], None]] = {
    "probe": _probe,
    "send": _send,
    "enrol": _enrol,
    "key": _key,
}

if __name__ == "__main__":
    sys.exit(main())
