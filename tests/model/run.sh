#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh - checks the protocol models with Spin.
#
#   run.sh check [FILE|NAME...]    every configuration of configs.txt (or of FILE, or the named ones); fails on any error and on
#                                  every search that is not complete, unless the configuration is declared partial
#   run.sh mutants [NAME...]       every line of mutants.txt: a rule taken away, which its configuration must catch
#   run.sh trace NAME [SWITCHES]   checks one configuration (with more switches, e.g. -DN_PROMO) and prints the counterexample;
#                                  SHORT=1 goes on looking for shorter ones
#
# Environment: JOBS parallel checks (2), MEM MiB for each (2600), TMO seconds for each (240), MTMO for a mutant (90), DEPTH (500000),
# OUT work directory (out/model at the top).
set -u
here=$(cd "$(dirname "$0")" && pwd)
JOBS=${JOBS:-2} MEM=${MEM:-2600} TMO=${TMO:-240} MTMO=${MTMO:-90}
OUT=${OUT:-$here/../../out/model}
DEPTH=${DEPTH:-500000}
export here MEM TMO MTMO OUT DEPTH

trim() { local s=$1; s=${s#"${s%%[![:space:]]*}"}; printf '%s' "${s%"${s##*[![:space:]]}"}"; }

# build DIR MODEL SWITCHES CFLAGS: generates and compiles the verifier
build() {
	mkdir -p "$1" && cp "$here/$2.pml" "$1/m.pml" && cd "$1" || return 1
	rm -f pan* m.pml.trail
	# shellcheck disable=SC2086 # switches are words
	spin -a $3 m.pml >spin.log 2>&1 && test -s pan.c && cc -O2 -w -DSAFETY -DNOREDUCE -DVECTORSZ=2048 -DMEMLIM="$MEM" $4 -o pan pan.c >cc.log 2>&1
}

# verdict DIR RC: one word on what the search in DIR proves
verdict() {
	local log=$1/pan.log
	if grep -q 'errors: [1-9]' "$log"; then echo ERROR
	elif grep -q 'max search depth too small' "$log"; then echo DEPTH
	elif grep -qi 'out of memory\|reached.*memory\|MEMLIM\|memory limit' "$log"; then echo MEMORY
	elif [ "$2" = 124 ]; then echo TIMEOUT
	elif [ "$2" != 0 ] || grep -q 'Search not completed' "$log" || ! grep -q 'errors: 0' "$log"; then echo BROKEN
	else echo OK; fi
}

states() { awk '/states, stored/ {s=$1} /^Depth=/ {for (i=1; i<=NF; i++) if ($i=="States=") s=$(i+1)} END {print s==""?"-":s}' "$1/pan.log"; }
memory() { awk '/total actual memory usage/ {m=int($1)} /Memory=/ {for (i=1; i<=NF; i++) if ($i=="Memory=") m=int($(i+1))} END {print m==""?"-":m}' "$1/pan.log"; }
violated() { grep -m1 -o 'assertion violated.*(at' "$1/pan.log" | sed 's/assertion violated *//; s/ *(at$//; s/.*||\(I[0-9]\)/\1/; s/)$//'; }

# search DIR SECONDS: runs the verifier; sets rc and secs
search() {
	local t0 t1
	t0=$(date +%s%N)
	(cd "$1" && timeout "$2" nice -n 10 ./pan -E ${SHORT:+-i} -m"$DEPTH" -w24 >pan.log 2>&1); rc=$?
	t1=$(date +%s%N)
	secs=$(awk -v n=$((t1 - t0)) 'BEGIN {printf "%.1f", n/1e9}')
}

# check_one LINE: prints one row; status 1 unless the configuration holds
check_one() {
	local name model sw mode what dir limit v
	IFS='|' read -r name model sw mode what <<<"$1"
	name=$(trim "$name") model=$(trim "$model") sw=$(trim "$sw") mode=$(trim "$mode") what=$(trim "$what")
	dir=$OUT/$name limit=$TMO
	if [ -z "$model" ]; then printf '%-18s no such configuration\n' "$name"; return 1; fi
	[[ $mode == partial* ]] && limit=${mode#partial }
	if ! build "$dir" "$model" "$sw" ""; then printf '%-18s BROKEN: see spin.log and cc.log in %s\n' "$name" "$dir"; return 1; fi
	search "$dir" "$limit"
	v=$(verdict "$dir" "$rc")
	[[ $mode == partial* && $v == TIMEOUT ]] && v=PARTIAL
	printf '%-18s %-8s %12s states %7s s %6s MiB  %s%s\n' "$name" "$v" "$(states "$dir")" "$secs" "$(memory "$dir")" "$what" "${v/#ERROR/: $(violated "$dir")}" |
		sed 's/\(OK\|DEPTH\|MEMORY\|TIMEOUT\|BROKEN\|PARTIAL\)$//'
	[ "$v" = OK ] || [ "$v" = PARTIAL ]
}

# mutant_one LINE: rule | configuration; prints one row; status 1 if the mutant survives
mutant_one() {
	local mutant config line name model sw dir v
	IFS='|' read -r mutant config _ <<<"$1"
	mutant=$(trim "$mutant") config=$(trim "$config")
	line=$(grep -h "^$config *|" "$here/configs.txt" "$here/deep.txt")
	if [ -z "$line" ]; then printf '%-14s no configuration %s\n' "$mutant" "$config"; return 1; fi
	IFS='|' read -r name model sw _ <<<"$line"
	model=$(trim "$model") sw=$(trim "$sw") dir=$OUT/mutant-$mutant-$config
	if ! grep -q "\b$mutant\b" "$here/$model.pml"; then printf '%-14s is not in %s.pml\n' "$mutant" "$model"; return 1; fi
	if ! build "$dir" "$model" "$sw -D$mutant" ""; then printf '%-14s BROKEN: see %s\n' "$mutant" "$dir"; return 1; fi
	search "$dir" "$MTMO"
	v=$(verdict "$dir" "$rc")
	if [ "$v" = ERROR ]; then
		printf '%-14s %-18s caught by %-22s %9s states %6s s\n' "$mutant" "$config" "$(violated "$dir")" "$(states "$dir")" "$secs"
	else
		printf '%-14s %-18s SURVIVES (%s) %s states %s s\n' "$mutant" "$config" "$v" "$(states "$dir")" "$secs"; return 1
	fi
}

# unguarded: models, mutants.txt and the protocol page must name the same rules, but for those that mutants.txt
# declares to be checked elsewhere; prints what one of them lacks
unguarded() {
	local doc=$here/../../docs/protocol.md bad=0 m elsewhere
	elsewhere=$(sed -n 's/^# elsewhere://p' "$here/mutants.txt")
	for m in $({ grep -ho '\b[NM]_[A-Z0-9]\+' "$here"/*.pml; grep -o '\b[FM]_[A-Z0-9]\+' "$doc" | sed 's/^F_/N_/'; } | grep -v '^N_NAME$\|^M_NAME$\|^N_x$' | sort -u); do
		if [[ " $elsewhere " == *" $m "* ]]; then
			! grep -qw "$m" "$here"/*.pml || { echo "$m is in a model"; bad=1; }
			continue
		fi
		grep -qw "$m" "$here"/*.pml || { echo "$m is in no model"; bad=1; }
		rows "$here/mutants.txt" | grep -q "^$m *|" || { echo "$m has no line in mutants.txt"; bad=1; }
		grep -qw "${m/#N_/F_}" "$doc" || { echo "${m/#N_/F_} is not on the protocol page"; bad=1; }
	done
	return $bad
}

export -f trim build verdict states memory violated search check_one mutant_one

# each FUNCTION: runs FUNCTION on every line of stdin, JOBS at a time, and fails if one failed
# shellcheck disable=SC2016 # the inner shell expands its own
each() { tr '\n' '\0' | xargs -0 -r -P "$JOBS" -I{} bash -c "$1"' "$1"' _ {}; }
rows() { grep -v '^ *\(#\|$\)' "$1"; }

case ${1:-} in
check)
	shift; file=$here/configs.txt
	if [ -f "${1:-}" ]; then file=$1; shift; fi
	if [ $# -gt 0 ]; then list=$(for n; do grep -h "^$n *|" "$file" "$here/deep.txt" || echo "$n"; done); else list=$(rows "$file"); fi
	start=$SECONDS
	printf '%s\n' "$list" | each check_one; rc=$?
	echo "$(printf '%s\n' "$list" | wc -l) configurations, $((SECONDS - start)) s, $([ $rc = 0 ] && echo 'no error' || echo FAILED)"
	exit $((rc != 0)) ;;
mutants)
	shift; start=$SECONDS; rc=0
	if [ $# -gt 0 ]; then list=$(for n; do rows "$here/mutants.txt" | grep "^$n *|" || echo "$n"; done); else list=$(rows "$here/mutants.txt"); fi
	if [ $# = 0 ]; then unguarded || rc=1; fi
	printf '%s\n' "$list" | each mutant_one || rc=1
	echo "$(printf '%s\n' "$list" | wc -l) mutants, $((SECONDS - start)) s, $([ $rc = 0 ] && echo 'all caught' || echo FAILED)"
	exit $rc ;;
trace)
	IFS='|' read -r name model sw _ <<<"$(grep -h "^$2 *|" "$here/configs.txt" "$here/deep.txt")"
	[ -n "$name" ] || { echo "no configuration $2"; exit 2; }
	model=$(trim "$model") sw="$(trim "$sw") ${*:3}" dir=$OUT/trace-$2
	build "$dir" "$model" "$sw" "${SHORT:+-DREACH}" || { cat "$dir"/*.log; exit 2; }
	search "$dir" "$TMO"; echo "$(verdict "$dir" "$rc") $(violated "$dir"): $(states "$dir") states, $secs s"
	# shellcheck disable=SC2086 # switches are words
	[ -f "$dir/m.pml.trail" ] && cd "$dir" && spin -t $sw m.pml | sed -n 's/^ *EV //p' ;;
*) sed -n '3,13s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
