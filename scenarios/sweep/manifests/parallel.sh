#!/bin/sh
# A sweep on the machines of a file, one name a line, that share this directory:
#
#   ./parallel.sh MACHINES SHARDS my.yaml
#
# The line ":" is the machine itself. Given again, it goes on.
set -eu
machines=$1
shards=$2
scenario=$3
seq "$shards" | parallel --sshloginfile "$machines" --workdir "$PWD" --retries 3 \
	tcplab sweep "$scenario" --shard "{}/$shards" --workers 1 --out "shard{}" --quiet
tcplab merge $(seq -f 'shard%.0f' "$shards") --out results --quiet
