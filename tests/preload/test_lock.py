"""Who waits for the library's lock sleeps: a vCPU thread that spins on a CPU would keep the holder from letting it go.

The two functions are taken from the library's source as they stand and built for this machine: they are plain C11 but
for the system call, which the program here makes with the C library.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.repository.frame import ROOT

SOURCE = (ROOT / "preload/machine.c").read_text(encoding="utf-8")
AROUND = r"""
#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
static int calls;
static long sys6(long n, long a, long b, long c, long d, long e, long f)
{ __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST); return syscall(n, a, b, c, d, e, f); }
@LOCK@
enum { THREADS = 8, ROUNDS = 20000 };
static long count;
static int waiter;
static void *rounds(void *unused)
{ for (int i = 0; i < ROUNDS; i++) { lock_machines(); count++; unlock_machines(); } return unused; }
static void *waits(void *unused)
{
	__atomic_store_n(&waiter, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	lock_machines(); unlock_machines(); return unused;
}
/* The state of a thread, and whether the call that it is in is futex(). */
static bool sleeps(int tid)
{
	char path[64], text[512]; long call = -1; char *at;
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	FILE *file = fopen(path, "r"); if (!file) return false;
	size_t got = fread(text, 1, sizeof text - 1, file); fclose(file); text[got] = 0;
	if (!(at = strrchr(text, ')')) || at[2] != 'S') return false;
	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
	if (!(file = fopen(path, "r"))) return true;
	int said = fscanf(file, "%ld", &call); fclose(file);
	return said != 1 || call == SYS_futex;
}
int main(void)
{
	pthread_t all[THREADS], one;
	lock_machines(); unlock_machines();
	int alone = calls;
	for (int i = 0; i < THREADS; i++) pthread_create(&all[i], 0, rounds, 0);
	for (int i = 0; i < THREADS; i++) pthread_join(all[i], 0);
	lock_machines();
	pthread_create(&one, 0, waits, 0);
	while (!__atomic_load_n(&waiter, __ATOMIC_SEQ_CST) || !sleeps(waiter)) usleep(1000);
	unlock_machines();
	pthread_join(one, 0);
	printf("{\"alone\": %d, \"count\": %ld, \"wanted\": %d, \"free\": %d}\n", alone, count, THREADS * ROUNDS, held);
	return 0;
}
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler for this machine")
    lock = re.search(
        r"^static int held;.*?^}\n\nvoid unlock_machines.*?^}\n", SOURCE, re.MULTILINE | re.DOTALL
    )
    assert lock is not None
    place: Path = tmp_path_factory.mktemp("lock")
    (place / "lock.c").write_text(AROUND.replace("@LOCK@", lock[0]), encoding="utf-8")
    words = [compiler, "-std=gnu11", "-O2", "-pthread", "-o", str(place / "lock"), str(place / "lock.c")]
    subprocess.run(words, check=True)
    # A last stop: a waiter that spins never sleeps, and the program would wait for that for ever.
    done = subprocess.run([place / "lock"], capture_output=True, text=True, check=True, timeout=120)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_who_waits_for_the_lock_sleeps_in_the_kernel_until_it_is_let_go(said: dict[str, int]):
    assert said["free"] == 0  # and the program came to its end: the waiter was seen asleep, and woken


def test_a_lock_that_nobody_holds_costs_no_system_call(said: dict[str, int]):
    assert said["alone"] == 0


def test_the_lock_is_held_by_one(said: dict[str, int]):
    assert said["count"] == said["wanted"]


def test_nothing_in_the_library_spins():
    for path in sorted((ROOT / "preload").glob("*.[ch]")):
        assert "sched_yield" not in path.read_text(encoding="utf-8"), path.name
