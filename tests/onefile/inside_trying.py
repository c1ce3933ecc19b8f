"""Runs inside an emulated host: try every packed guest of a file, and write what came of it with its time."""

import gzip
import json
import sys
import time
from pathlib import Path

from armlevel.onefile.trying import tried

if __name__ == "__main__":
    texts = json.loads(gzip.decompress(Path(sys.argv[1]).read_bytes()))
    answers = {}
    for name, text in texts.items():
        start, cpu = time.perf_counter(), time.process_time()
        said = tried(text, cache=None)
        took = time.perf_counter() - start, time.process_time() - cpu
        answers[name] = {**said._asdict(), "findings": [list(one) for one in said.findings], "took": took}
    Path(sys.argv[2]).write_bytes(gzip.compress(json.dumps(answers).encode(), 6, mtime=0))
