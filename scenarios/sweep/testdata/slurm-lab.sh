#!/usr/bin/env bash
# A Slurm of one machine, on loopback: a controller and NODES nodes of one CPU.
# For tests: as root, without systemd.
#
#   slurm-lab.sh start DIR [NODES]   prints the line that makes programs find it
#   slurm-lab.sh stop DIR
#   slurm-lab.sh fail DIR NODE       kills a node with all that runs there
#   slurm-lab.sh restore DIR NODE
set -euo pipefail

command=${1:?start, stop, fail or restore}
dir=${2:?the directory of the lab}
conf=$dir/slurm.conf

configure() {
	local host port=$((20000 + RANDOM % 20000))
	host=$(hostname -s)
	mkdir -p "$dir/state" "$dir/spool"
	# A node that does not answer is down within half a minute, and its tasks
	# are requeued; MinJobAge is how long squeue remembers.
	cat >"$conf" <<-CONF
		ClusterName=lab
		SlurmctldHost=$host(127.0.0.1)
		SlurmctldPort=$port
		SlurmUser=root
		SlurmdUser=root
		AuthType=auth/munge
		CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
		StateSaveLocation=$dir/state
		SlurmdSpoolDir=$dir/spool/%n
		SlurmctldPidFile=$dir/slurmctld.pid
		SlurmdPidFile=$dir/slurmd.%n.pid
		SlurmctldLogFile=$dir/slurmctld.log
		SlurmdLogFile=$dir/slurmd.%n.log
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		JobAcctGatherType=jobacct_gather/none
		AccountingStorageType=accounting_storage/none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_Core
		SchedulerType=sched/backfill
		SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
		MpiDefault=none
		ReturnToService=2
		MinJobAge=300
		KillWait=5
		SlurmdTimeout=${SLURMD_TIMEOUT:-20}
		MaxArraySize=101
	CONF
	local i
	for i in $(seq 1 "$nodes"); do
		echo "NodeName=n$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + i)) CPUs=1 RealMemory=1000 State=UNKNOWN" >>"$conf"
	done
	echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP" >>"$conf"
}

case $command in
start)
	nodes=${3:-2}
	configure
	if ! munge -n >/dev/null 2>&1; then
		install -d -o munge -g munge -m 0755 /run/munge
		install -d -o munge -g munge -m 0700 /var/log/munge /var/lib/munge
		runuser -u munge -- /usr/sbin/munged --pid-file=/run/munge/munged.pid
		touch "$dir/munged-is-ours"
	fi
	export SLURM_CONF=$conf
	slurmctld -f "$conf" -c
	for i in $(seq 1 "$nodes"); do slurmd -f "$conf" -N "n$i"; done
	for _ in $(seq 1 150); do
		if [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | wc -l)" = "$nodes" ]; then
			echo "export SLURM_CONF=$conf"
			exit 0
		fi
		sleep 0.2
	done
	echo "the nodes do not come up: see $dir/*.log" >&2
	exit 1
	;;
stop)
	for file in "$dir"/slurmd.*.pid "$dir"/slurmctld.pid; do
		if [ ! -s "$file" ]; then continue; fi
		pid=$(cat "$file")
		kill "$pid" 2>/dev/null || true
		for _ in $(seq 1 100); do
			# One that has ended and that nobody waits for is a zombie.
			if ! grep -qs '^State:[[:space:]]*[^Z[:space:]]' "/proc/$pid/status"; then break; fi
			sleep 0.1
		done
	done
	# Tasks, and what watches over them, outlive the node otherwise.
	for environ in /proc/[0-9]*/environ; do
		pid=${environ#/proc/}
		pid=${pid%/environ}
		grep -qszx "SLURM_CONF=$conf" "$environ" || continue
		if grep -qs '^slurmstepd' "/proc/$pid/cmdline" || grep -qsz '^SLURMD_NODENAME=' "$environ"; then kill -9 "$pid" || true; fi
	done
	if [ -e "$dir/munged-is-ours" ]; then kill "$(cat /run/munge/munged.pid)" 2>/dev/null || true; fi
	;;
fail)
	kill -9 "$(cat "$dir/slurmd.$3.pid")"
	rm -f "$dir/slurmd.$3.pid"
	# A task of the node goes with slurmstepd, which is its parent.
	for environ in /proc/[0-9]*/environ; do
		pid=${environ#/proc/}
		pid=${pid%/environ}
		if grep -qszx "SLURMD_NODENAME=$3" "$environ" && grep -qszx "SLURM_CONF=$conf" "$environ"; then
			stepd=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
			kill -9 "$stepd" "$pid" || true
		fi
	done
	;;
restore)
	SLURM_CONF=$conf slurmd -f "$conf" -N "$3"
	;;
*)
	echo "slurm-lab.sh: $command is not start, stop, fail or restore" >&2
	exit 2
	;;
esac
