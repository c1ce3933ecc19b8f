#!/bin/sh
# The first process of a nested guest: tick, and answer what the console is asked.
#
#   tick N UPTIME      every quarter of a second
#   time WORD UPTIME   asked for with `clock WORD`
#   state              asked for: the features each CPU lists, a digest that each CPU computes with them, whether the
#                      vectors of a program that uses them are as long as when it began, and what PCI devices with
#                      memory above 4 GiB say: in their configuration, and in that memory
export PATH=/usr/bin LC_ALL=C
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs dev /dev
stty -F /dev/ttyAMA0 raw -echo
exec < /dev/ttyAMA0 > /dev/ttyAMA0 2>&1
seq 1 20000 > /tmp/numbers
vectors=
if grep -q '^Features.* sve ' /proc/cpuinfo; then
    vectors-kept & vectors=$!
fi

device_state() {
    while read -r start _; do
        case $start in
        0x00000000* | '') continue ;;
        esac
        echo 1 2> /dev/null > "$1/enable"
        # (the word of a virtio device that holds its number of queues; whoever reads where nothing is may be killed)
        word=$(busybox devmem $((start + 16)) 32 2> /dev/null) || word="none"
        echo "pci ${1##*/} $(busybox hexdump -n 4 -e '1/4 "%08x"' "$1/config") $start $word"
    done < "$1/resource"
}

state() {
    echo begin
    grep -E '^(processor|Features|CPU (implementer|variant|part|revision))' /proc/cpuinfo | while IFS=: read -r key value; do
        case $key in
        processor*) cpu=${value# } ;;
        *) echo "cpu $cpu $key:$value" | tr -s '\t ' ' ' ;;
        esac
    done
    # OpenSSL's digest takes the SHA and NEON instructions the CPU lists.
    for cpu in $(cd /sys/devices/system/cpu && echo cpu[0-9]*); do
        set -- "$(taskset -c "${cpu#cpu}" openssl-sha256sum < /tmp/numbers 2>&1)"
        echo "sum ${cpu#cpu} ${1%% *}"
    done
    if [ "$vectors" ]; then
        case $(cat /proc/$vectors/stat 2> /dev/null) in
        '' | *' Z '*) echo "vectors changed" ;;
        *) echo "vectors kept" ;;
        esac
    fi
    for device in /sys/bus/pci/devices/*; do
        device_state "$device"
    done
    echo "clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
    echo end
}

tick=0
while :; do
    tick=$((tick + 1))
    read -r up _ < /proc/uptime
    echo "tick $tick $up"
    if read -r -t 0.25 word more; then
        case $word in
        clock)
            read -r up _ < /proc/uptime
            echo "time $more $up"
            ;;
        state) state ;;
        esac
    fi
done
