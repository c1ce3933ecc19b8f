#!/bin/sh
! trap :\;exit\ 0 0 1 2 15
# armlevel's guard: libvirt's hook for QEMU guests, /etc/libvirt/hooks/qemu.d/50-armlevel
#
# libvirt ends a running guest whose hook fails at `reconnect`, waits for a hook without a limit, and calls every hook
# for every event of every guest. So this file fails towards yes: from its second line on whatever ends it early (a
# syntax error of a file that was cut, a signal) ends it with 0, and there is one way to a refusal, the last line.
# Nothing is started before it is certain that this is a call that the guard answers.
# Source: libvirt docs/hooks.rst; src/util/virhook.c (virHookCall), src/qemu/qemu_process.c (qemuProcessReconnect).

case $2/$3 in
migrate/begin | restore/begin | prepare/begin) ;;
*) exit 0 ;;
esac

PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
guard=/usr/lib/armlevel/armlevel-guard.pyz
# What `python3 ARCHIVE` does first takes Python longer than an answer that is kept.
start='import sys; sys.path.insert(0, sys.argv.pop(1)); import armlevel_guard'

# The domain's XML comes on standard input. What libvirt still has to write when this ends, it drops.
xml=$(timeout -s KILL 2 head -c 8388609 2>/dev/null)

# A guest without a mark of ours is a stranger.
case $xml in
*https://armlevel.dev/guest/1*) ;;
*) exit 0 ;;
esac

# A start is looked at where the mark names a level: nothing else can be off it.
case $2/$xml in
prepare/*" level="*) ;;
prepare/*) exit 0 ;;
esac

# Standard output belongs to libvirt, which would take it for new XML: nothing of ours goes there.
said=$(printf '%s\n' "$xml" 2>/dev/null |
    timeout -s KILL 2 python3 -I -S -B -c "$start" "$guard" hook "$2" "$1" 2>&1 >/dev/null)
status=$?

# A refusal has its status and its first word; whatever else is not 0 is a fault of the guard's own, which is no
# reason to hold a guest up.
case $status/$2/$said in
0/*) exit 0 ;;
1/prepare/*) ;;
1/*/"armlevel: "*)
    printf '%s\n' "$said" >&2
    trap - 0
    exit 1
    ;;
esac

timeout -s KILL 2 logger -t armlevel-guard -p daemon.warning -- \
    "the guard did not answer (status $status), and let $2 of $1 be; see: armlevel guard status" \
    </dev/null >/dev/null 2>&1
exit 0
