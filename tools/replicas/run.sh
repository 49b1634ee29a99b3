#!/usr/bin/env bash
# Starts three replicas of the gateway on loopback, with a Redis and the simulator, and prints
# what to try. It ends all of them when it ends. ARGS of the replicas follow.
set -euo pipefail
cd "$(dirname "$0")/../.."

command -v redis-server >/dev/null || { echo "redis-server is not installed: apt-get install redis-server" >&2; exit 1; }

redis=127.0.0.1:6390 simulator=127.0.0.1:8095
logs=$(mktemp -d "${TMPDIR:-/tmp}/replicas.XXXXXX")
pids=()

end() {
	trap - EXIT INT TERM
	kill -CONT "${pids[@]}" 2>/dev/null || true # Somebody may have stopped one.
	kill "${pids[@]}" 2>/dev/null || true
	wait
}
trap end EXIT
trap 'rm -r "$logs"; exit 0' INT TERM # After a failure the logs stay.

# launch NAME COMMAND… starts a process in the background; its output is in a file.
launch() {
	local name=$1
	shift
	"$@" >"$logs/$name.log" 2>&1 &
	pids+=($!)
}

# listens NAME ADDRESS waits until a process that was just launched listens.
listens() {
	local host=${2%:*} port=${2#*:}
	for _ in $(seq 100); do
		kill -0 "${pids[-1]}" 2>/dev/null || break
		(exec 3<>"/dev/tcp/$host/$port") 2>/dev/null && kill -0 "${pids[-1]}" && return
		sleep 0.1
	done
	echo "$1 does not listen at $2:" >&2
	cat "$logs/$1.log" >&2
	exit 1
}

launch redis redis-server --bind "${redis%:*}" --port "${redis#*:}" --save '' --appendonly no --dir "$logs"
listens redis $redis
launch simulator bin/simulator --demo --addr $simulator
listens simulator $simulator
for n in 1 2 3; do
	AUDIAN_AUTH_TOKEN=any launch "replica$n" bin/server --upstream-url=http://$simulator/v2 --redis-url=redis://$redis \
		--http-addr=127.0.0.1:808$n --grpc-addr=127.0.0.1:908$n --admin-addr=127.0.0.1:918$n "$@"
	listens "replica$n" 127.0.0.1:918$n
done

participants=/v2/conferences/conf_demo/participants
cat <<END
Three replicas share one poll, one log and one budget:

replica 1  HTTP http://127.0.0.1:8081  gRPC 127.0.0.1:9081  admin http://127.0.0.1:9181  process ${pids[2]}
replica 2  HTTP http://127.0.0.1:8082  gRPC 127.0.0.1:9082  admin http://127.0.0.1:9182  process ${pids[3]}
replica 3  HTTP http://127.0.0.1:8083  gRPC 127.0.0.1:9083  admin http://127.0.0.1:9183  process ${pids[4]}
Redis $redis, process ${pids[0]}; simulator http://$simulator/_simulator/; logs in $logs

Watch on two replicas: the messages and their ids are the same. An id of one resumes on the other.

  curl -N -H 'Accept: text/event-stream' http://127.0.0.1:8081$participants:watch
  curl -N -H 'Accept: text/event-stream' http://127.0.0.1:8082$participants:watch
  curl -N -H 'Accept: text/event-stream' -H 'Last-Event-ID: ID' http://127.0.0.1:8083$participants:watch

Add through the third: both watchers get it at once. The same Idempotency-Key at another replica dials nobody.

  curl -H 'Content-Type: application/json' -H 'Idempotency-Key: 1' -d '{"phone_number":"+12025550123","name":"Ada"}' http://127.0.0.1:8083$participants
  curl -i -H 'Content-Type: application/json' -H 'Idempotency-Key: 1' -d '{"phone_number":"+12025550123","name":"Ada"}' http://127.0.0.1:8082$participants

See who polls, then stop that replica: another polls within 3 s and an interval.

  for n in 1 2 3; do curl -s http://127.0.0.1:918\$n/metrics | grep '^gateway_poll_duration_seconds_count'; done
  kill -STOP ${pids[2]}    # and kill -CONT ${pids[2]}

Stop Redis: the watchers turn STALE; when it continues, they get what they missed.

  kill -STOP ${pids[0]}; sleep 8; kill -CONT ${pids[0]}

Ctrl-C ends everything.
END
wait
