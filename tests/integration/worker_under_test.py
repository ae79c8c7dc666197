"""A worker process with the jobs under test and short times: `python worker_under_test.py '{"lease": 1.0}'`."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from regulars.kernel.config import load_config
from regulars.kernel.jobs import JobRegistry
from regulars.kernel.jobs.ports import Timing
from regulars.kernel.observability import configure_logging
from regulars.worker import build_worker, run

if __name__ == "__main__":
    config = load_config(dict(os.environ))
    configure_logging("info", json_lines=True)
    run(build_worker(config, jobs=JobRegistry.build(["jobs_under_test"]), timing=Timing(**json.loads(sys.argv[1]))))
