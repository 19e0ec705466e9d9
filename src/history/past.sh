# shellcheck shell=sh
# What past runs did.

# STATE: the runs in folder STATE, the newest first: a line `run NAME`, the head of its document line by
# line behind `head`, how many steps it has behind `steps`, its progress behind `progress` with commas for
# line ends, and `kept` when it can be put back.
fp_past() {
	read -r fp_boot </proc/sys/kernel/random/boot_id && printf 'boot %s\n' "$fp_boot"
	[ -e "$1" ] || [ -h "$1" ] || return 0
	fp_state_safe "$1" || return 1
	# shellcheck disable=SC2012 # the names are those of runs: letters, digits and `-`
	fp_table=$(ls -1t -- "$1"/runs/*/run 2>/dev/null | head -n 200)
	while IFS= read -r fp_name; do
		fp_name=${fp_name%/run}
		if [ -h "$fp_name/run" ] || [ ! -f "$fp_name/run" ]; then continue; fi
		printf 'run %s\n' "${fp_name##*/}"
		head -c 8192 -- "$fp_name/run" | fp_past_head
		printf 'steps %s\n' "$(grep -c '^{"id":' "$fp_name/run")"
		printf 'progress %s\n' "$(head -c 1048576 -- "$fp_name/progress" | tr '\n' ',')"
		[ ! -d "$fp_name/before" ] || printf 'kept\n'
	done <<-EOT
		$fp_table
	EOT
}

fp_past_head() {
	while IFS= read -r fp_line; do
		case $fp_line in '"steps":'*) return ;; esac
		printf 'head %s\n' "$fp_line"
	done
}
