#!/usr/bin/env bash
# pipe.sh [RECORDS]: evaluates the filters of the Pipes in template.yaml against stream records: a
# sample of every kind of row, and those in the file RECORDS.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools
vectors=tests/vectors
python tests/pipe_filters.py template.yaml docs/EVENTS.md $vectors/event-patterns.json $vectors/stream-records.jsonl "$@"
