#!/usr/bin/env bash
# Evaluates the filters of the Pipes in template.yaml against stream records: those that the tests
# make, of every kind of row, and a sample of the changes that the product seldom makes.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tools
records=$DIR/stream-records.jsonl vectors=tests/vectors
SCIM_STREAM_RECORDS=$records quiet "cargo test events::passes" cargo test --test it -- events::passes
python tests/pipe_filters.py template.yaml docs/EVENTS.md $vectors/event-patterns.json $vectors/stream-records.jsonl "$records"
