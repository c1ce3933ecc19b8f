"""Examples of each verb, as its help and its page show them: command lines, each with what it is for."""

from __future__ import annotations

__all__ = ["EXAMPLES"]

#: verb -> (command line without ``armlevel``, what it does)
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("check guest.json hosts/", "may this guest start and arrive on these hosts?"),
        ("baseline @graviton2-6.1 @graviton2-6.18 -o pool.json", "the richest CPU that both can run"),
        ("help check", "all about one verb"),
    ),
    "probe": (("probe -o here.json", "read this machine's KVM, as root or in group kvm"),),
    "collect": (
        ("collect n1 n2 root@n3 -d hosts", "a profile of each, in a directory"),
        (
            "collect --hosts inventory.ini --group compute --become sudo --fleet",
            "an Ansible group, into the fleet",
        ),
    ),
    "show": (
        ("show @graviton3-6.18", "a recorded machine, decoded"),
        ("show capabilities.xml --explain", "another tool's file, every field"),
    ),
    "diff": (("diff @graviton2-6.1 @graviton2-6.18", "what another kernel changed for guests"),),
    "baseline": (
        ("baseline @graviton2-6.1 @graviton2-6.18 -o pool.json", "level two hosts, and keep the CPU"),
        ("baseline hosts/ --hide FEAT_SVE", "level a directory of hosts, without SVE"),
    ),
    "check": (
        ("check pool.json hosts/", "may the guest start and arrive on each host?"),
        ("check @graviton2-6.1 @graviton2-6.18", "the passthrough guest of one on another"),
    ),
    "migrate": (
        ("migrate @graviton2-6.1 @graviton2-6.18", "both ways, for a passthrough guest"),
        ("migrate a.json b.json --guest pool.json --vmm qemu-11.1", "a levelled guest under QEMU 11.1"),
    ),
    "guests": (
        ("guests hosts/", "the guests of this host, and where each may go"),
        ("guests --running running.json --profile n1.json hosts/", "of another host, as its agent read them"),
        ("guests --stamp", "write what is known into libvirt's metadata"),
    ),
    "matrix": (
        ("matrix '@graviton*' --svg moves.svg", "who can go where, on the terminal and as a picture"),
    ),
    "plan": (
        ("plan hosts/", "the fewest groups that share a CPU, and what each costs"),
        ("plan hosts/ --add new.json", "what if this host joined?"),
    ),
    "freeze": (("freeze pool.json --name pool --version 1 --key key.pem", "exact bytes, signed"),),
    "verify-signature": (("verify-signature pool-1.json --key public.pem", "signed with this key?"),),
    "drift": (("drift hosts/ --guest pool.json", "do they still run it? For CI and cron"),),
    "verify": (("verify pool.json", "try it on this machine's KVM, in a scratch VM"),),
    "run": (
        ("run --guest pool.json -- qemu-system-aarch64 -M virt -accel kvm -cpu host", "start QEMU with it"),
    ),
    "fleet": (
        ("fleet init", "make the store, once"),
        ("fleet add hosts/ --label rack=r1", "put in a directory of profiles"),
        ("fleet list", "which kinds of hosts there are, and how many of each"),
    ),
    "fleet init": (("fleet init --fleet /srv/armlevel/fleet.db", "a store that several people share"),),
    "fleet add": (("fleet add hosts/ --label rack=r1", "put in a directory of profiles, each with a label"),),
    "fleet list": (("fleet list", "which kinds of hosts there are, and how many of each"),),
    "fleet show": (("fleet show n1-03", "what one host is, what it was, and since when"),),
    "fleet log": (("fleet log --last 20", "what happened last"),),
    "fleet pool": (("fleet pool list", "the pools, and the level of each"),),
    "fleet pool create": (
        ("fleet pool create web --host 'n1-*'", "all hosts whose names begin so, and those to come"),
        ("fleet pool create web --label site=ams --hide FEAT_SVE", "by label, and without SVE"),
    ),
    "fleet pool edit": (
        (
            "fleet pool edit web --silent-after 7 --reason 'agents report hourly'",
            "the level stays what it is",
        ),
    ),
    "fleet pool list": (("fleet pool list", "the pools, and the level of each"),),
    "fleet host": (("fleet host retire n1-03 --reason 'scrapped'", "it holds no level down any more"),),
    "fleet host label": (
        ("fleet host label n1-03 rack=r7 site=ams", "pools by label have it from now on"),
        ("fleet host label n1-03 --remove site", "take one away"),
    ),
    "fleet host rename": (("fleet host rename n1-03 n1-17", "the same host, with all it was"),),
    "fleet backup": (("fleet backup /backup/fleet.db", "one file, proved; keep the line that it prints"),),
    "fleet restore": (
        ("fleet restore /backup/fleet.db --head heads.txt", "where no store is, if it proves"),
        ("fleet restore /backup/fleet.db --replace old.db", "in the place of one, which is kept in old.db"),
    ),
    "fleet export": (("fleet export -o fleet.json", "take the fleet along: hosts for every verb"),),
    "fleet forget": (
        ("fleet forget n1-03 --reason 'kept for two years'", "a retired host, with all it was"),
        ("fleet forget --name ann --reason 'she asked'", "who did it is nobody's name any more"),
    ),
    "fleet host retire": (
        ("fleet host retire n1-03 --reason 'scrapped'", "it holds no level down any more"),
    ),
    "fleet level": (("fleet level web", "what is in force, who is outside, and what there could be"),),
    "fleet accept": (
        ("fleet accept web --reason 'first level'", "put the candidate into force"),
        ("fleet accept web --version 6 --reason 'back to what ran'", "an earlier version, byte for byte"),
    ),
    "fleet check": (
        ("fleet check web --add new.json", "would this host run the level?"),
        ("fleet check web --as canary.json", "and if all hosts of its silicon were like this canary?"),
        ("fleet check web --raise", "who holds the level down?"),
    ),
    "fleet why": (("fleet why web", "who accepted the level, out of what, and who holds it down"),),
    "fleet guests": (("fleet guests n1.json n2.json", "put in what armlevel guests --json printed there"),),
    "fleet evacuate": (
        ("fleet evacuate n1-03", "where may each guest of this host go?"),
        ("fleet evacuate --label rack=r12 --to 'n2-*'", "of a rack, to these hosts"),
    ),
    "fleet rollout": (
        ("fleet rollout web --as canary.json", "in which order, once a canary has the new kernel?"),
        ("fleet rollout web --as n1-00 --saved n1-03:db.json", "a saved image on n1-03 too"),
    ),
    "fleet watch": (
        ("fleet watch -q --prometheus /var/lib/node_exporter/armlevel.prom", "what changed? for a timer"),
    ),
    "fleet audit": (("fleet audit --head heads.txt", "is the history whole, and the one that was kept?"),),
    "lab": (
        ("lab list", "which kernels and CPU models there are"),
        ("lab probe neoverse-n1@6.12 -o n1.json", "boot one, and probe its KVM"),
    ),
    "lab list": (("lab list", "which kernels and CPU models there are, and what is cached"),),
    "lab run": (("lab run neoverse-n1@6.12 -- uname -a", "run a command in it, as root"),),
    "lab probe": (("lab probe neoverse-n1@6.12 -o n1.json", "its host profile"),),
    "lab verify": (("lab verify neoverse-n1@6.12 pool.json", "give a scratch VM there the guest's CPU"),),
    "lab hosts": (("lab hosts neoverse-n1@6.12 neoverse-n2@7.x -d hosts", "several, into a directory"),),
    "lab tcg": (("lab tcg cortex-a76 -o tcg.json", "what a guest reads under TCG with that -cpu"),),
    "lab migrate": (("lab migrate neoverse-n1@6.12 neoverse-n1@7.x", "move a running guest, and look"),),
    "import": (
        ("import capabilities.xml -o host.json", "what libvirt says of a host"),
        ("import domain.xml --host host.json -o guest.json", "the guest that a domain gets there"),
    ),
    "export": (
        ("export pool.json --to libvirt", "the <cpu> of a domain"),
        ("export pool.json --to firecracker --host host.json -o cpu.json", "a CPU template"),
    ),
    "explain": (
        ("explain 'Failed to put registers after init'", "an error line of QEMU"),
        ("explain 0x603000000013c020", "a KVM register id"),
    ),
    "machines": (("machines", "all of them"), ("machines graviton3", "some")),
    "facts": (
        ("facts FEAT_SVE", "what announces it, and what it needs"),
        ("facts 0xd0c ID_AA64PFR0_EL1.SVE", "a part number, a field"),
    ),
    "completion": (("completion bash", "print the script, to be put where the shell looks for it"),),
    "guard": (
        ("guard install", "libvirt's hook and what it starts; nothing is restarted"),
        ("guard status", "is it there, whole, and known to libvirt?"),
    ),
    "guard install": (("guard install", "guard this host"),),
    "guard status": (("guard status --json", "how it stands, for a machine"),),
    "guard remove": (("guard remove", "the hook goes first"),),
    "override": (
        ("override web-1 --for 2h --reason 'rack 4 is on battery'", "let it move, on the host where it is"),
        ("override web-1 --remove", "take that back"),
    ),
    "agent": (
        ("agent enrol agents --ssh n1", "know a host by its agent's key"),
        ("agent accept agents spool", "take its report"),
    ),
    "agent accept": (("agent accept agents spool", "take the report of a host"),),
    "agent enrol": (
        ("agent enrol agents --ssh n1", "fetch the agent's key over ssh"),
        ("agent enrol agents --request enrolment.json --known-hosts known_hosts", "the SSH host key vouches"),
        ("agent enrol agents --key agent_key.pub --name n1", "by hand"),
    ),
    "agent token": (("agent token agents --name 'web-*'", "for one of these hosts, once, within a day"),),
    "agent list": (("agent list agents", "who is known by which key"),),
    "agent retire": (("agent retire agents n1", "take nothing from it any more"),),
    "doctor": (("doctor", "can this machine be probed, and can it run levelled guests?"),),
}
