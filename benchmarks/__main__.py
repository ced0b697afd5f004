"""`make bench [ONLY=names]`: measures on this machine and prints one JSON object a line.

name, value, unit; baseline and ratio where a bare alternative was measured in the same run, its turns between ours;
`bar` is what we promise and `holds` whether it was kept here. ONLY takes names or prefixes, by commas.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

# name -> module; each module has a function of that name which yields or returns result rows.
BENCHES = {
    "engine_overhead": "benchmarks.engine",
    "pipeline_vs_diffusers": "benchmarks.sampler",
    "switch_s": "benchmarks.switching",
    "train_overhead": "benchmarks.train",
    "fixed_cost_ms": "benchmarks.studio",
    "first_event_ms": "benchmarks.studio",
    "web_rss_mb": "benchmarks.studio",
    "cold_start_s": "benchmarks.studio",
    "claim_ms": "benchmarks.line",
    "eta_error": "benchmarks.simulated",
    "swap_saved": "benchmarks.simulated",
    "jain_fairness": "benchmarks.line",
    "dispatch_gap_ms": "benchmarks.worker",
    "batch_gain": "benchmarks.worker",
    "load_pages_ms": "benchmarks.load",
    "load_healthz_ms": "benchmarks.load",
    "load_lag_ms": "benchmarks.load",
    "load_final_states_s": "benchmarks.load",
    "load_restart_lost": "benchmarks.load",
    "api_overhead": "benchmarks.api",
    "api_reads": "benchmarks.api",
    "gallery_first_ms": "benchmarks.gallery",
    "gallery_sorts_ms": "benchmarks.gallery",
    "gallery_filters_ms": "benchmarks.gallery",
    "gallery_text_ms": "benchmarks.gallery",
    "gallery_words_ms": "benchmarks.gallery",
    "gallery_depth": "benchmarks.gallery",
    "gallery_growth": "benchmarks.gallery",
    "gallery_whole_reads": "benchmarks.gallery",
    "gallery_sqlite_ms": "benchmarks.gallery",
}


def chosen(only: str) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """The benches whose names begin with one of the words in `only`; all for an empty one. SystemExit for none."""
    prefixes = [word.strip() for word in only.split(",") if word.strip()]
    names = [name for name in BENCHES if not prefixes or any(name.startswith(prefix) for prefix in prefixes)]
    if not names:
        raise SystemExit(f"No benchmark is called {only}. There are: {', '.join(BENCHES)}")
    for name in names:
        yield name, getattr(import_module(BENCHES[name]), name)


def main() -> int:
    """0 when every bar was kept."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--only", default="")
    kept = True
    for name, measure in chosen(parser.parse_args().only):
        row = {"name": name, **measure()}
        print(json.dumps(row), flush=True)
        kept = kept and row.get("holds", True)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
