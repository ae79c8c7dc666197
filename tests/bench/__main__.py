"""`python -m tests.bench [--quick] [--out bench.json]`; `make bench` runs it."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from regulars.kernel.plugins.loader import load_plugins
from tests.bench.figures import FIGURES, table
from tests.bench.run import run
from tests.bench.scale import FULL, QUICK


def main() -> None:
    """Measure, print the table, write the file."""
    parser = argparse.ArgumentParser(prog="tests.bench", description="Measure the platform.")
    parser.add_argument("--quick", action="store_true", help="only prove that the benchmark works")
    parser.add_argument("--out", type=Path, default=Path("bench.json"), help="file for the figures")
    options = parser.parse_args()
    found = asyncio.run(run(load_plugins(), QUICK if options.quick else FULL, lambda line: print(line, flush=True)))
    options.out.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    facts = {name: value for name, value in found.items() if isinstance(value, str)}
    print("\n".join(["", *(f"{name}: {value}" for name, value in facts.items()), ""]))
    print(table({figure.name: float(found[figure.name]) for figure in FIGURES}))
    print(f"\nWritten to {options.out}.")


if __name__ == "__main__":
    main()
