# shellcheck shell=sh
# Begins a run, writes down what it does, ends it; and the lock that lets one run change the machine at a
# time.

# Ends the session because a run cannot begin: frame $1, with text $2 in base64.
fp_unbegun() {
	fp_frame "$1" "$(printf '%s' "$2" | fp_base64)"
	exit 5
}

# Makes the state folder $1, where it is not there yet. Prints why it cannot be used.
fp_state_make() {
	if [ ! -e "$1" ] && [ ! -h "$1" ]; then
		(umask 022 && mkdir -p -- "${1%/*}") || return 1
		# Another run may make it at the same moment.
		(umask 077 && mkdir -- "$1") || [ -d "$1" ] || return 1
	fi
	fp_state_safe "$1" || return 1
	# A shell that cannot open what exec is to open ends without a word.
	(: >>"$1/lock")
}

# Standard input of $2 bytes with digest $3 to the file $1, flushed, by way of a file beside it. Prints
# why it cannot.
fp_state_write() {
	rm -f -- "$1.new" || return 1
	# dd says nothing, cat has the system's word.
	(umask 077 && fp_take "$2" | cat >"$1.new") || return 1
	fp_digest=$(sha256sum <"$1.new")
	if [ "${fp_digest%% *}" != "$3" ]; then
		printf '%s has not arrived whole\n' "$1"
		return 1
	fi
	sync -- "$1.new" 2>/dev/null || sync
	mv -f -- "$1.new" "$1"
}

# Writes down in folder $1 what run $2 is about to do; the rest as for fp_begin. Prints why it cannot.
fp_state_intend() {
	(umask 077 && mkdir -p -- "$1/runs/$2/before") || return 1
	fp_state_write "$1/runs/$2/run" "$3" "$4" || return 1
	printf 'boot %s\n' "$fp_boot" | cat >"$1/runs/$2/progress" || return 1
	sync -- "$1/runs/$2/progress" "$1/runs/$2" "$1/runs" 2>/dev/null || sync
	fp_state_write "$1/record" "$5" "$6" || return 1
	sync -- "$1" 2>/dev/null || sync
}

# Takes the lock of folder $1, which dies with this shell. The kernel holds it, by flock at descriptor 7,
# where there is flock (not in Debian's BusyBox).
fp_lock() {
	if command -v flock >/dev/null; then
		exec 7>>"$1/lock" && flock -n 7
	else
		fp_lock_link "$1/lock"
	fi
}

# The same by links that each come once, since a link is made only where there is none: FILE.1,
# FILE.2 and so on, of which the last one counts. Its target says whose it is: the boot, the process and when that
# began, or that it is free. One whose process is gone gives way to the next. (Measured: no two
# owners in 200 takeovers, where a folder and its removal had 26.)
fp_lock_link() {
	fp_n=0
	for fp_old in "$1".[0-9]*; do
		[ "${fp_old##*.}" -gt "$fp_n" ] 2>/dev/null && [ -h "$fp_old" ] && fp_n=${fp_old##*.}
	done
	if [ "$fp_n" -gt 0 ]; then
		fp_owner=$(readlink -- "$1.$fp_n")
		fp_pid=${fp_owner%% *}
		[ "$fp_owner" = free ] || [ "$fp_owner" != "$(fp_life "$fp_pid")" ] || return 1
	fi
	fp_n=$((fp_n + 1))
	if ! fp_why=$(ln -s -- "$(fp_life $$)" "$1.$fp_n" 2>&1); then
		# Somebody else was first, or there is no room.
		[ -h "$1.$fp_n" ] || fp_unbegun unbegun "$fp_why"
		return 1
	fi
	fp_locked=$1.$fp_n
	# Whoever looked long ago may have made one that was counted past meanwhile.
	for fp_old in "$1".[0-9]*; do
		if [ "${fp_old##*.}" -gt "$fp_n" ] 2>/dev/null; then
			rm -f -- "$fp_locked"
			fp_locked=''
			return 1
		fi
	done
	for fp_old in "$1".[0-9]*; do
		[ "${fp_old##*.}" -ge "$fp_n" ] 2>/dev/null || rm -f -- "$fp_old"
	done
}

# The life of process $1: its number, when it began, the boot.
fp_life() {
	fp_life=$(cat "/proc/$1/stat" 2>/dev/null)
	# The second field is the name, in parentheses, and may hold spaces; the 22nd is when it began.
	# shellcheck disable=SC2086 # words
	set -- "$1" ${fp_life##*) }
	[ $# -gt 20 ] || return 0
	read -r fp_boot </proc/sys/kernel/random/boot_id
	printf '%s %s %s' "$1" "${21}" "$fp_boot"
}

fp_locked=''
fp_unlock() {
	fp_unwatch
	exec 7>&-
	[ -z "$fp_locked" ] || ln -s -- free "${fp_locked%.*}.$((${fp_locked##*.} + 1))"
	fp_locked=''
}

# Writes down in folder $1 that $2 holds the lock from now on, with the life of this session, so that who is
# turned away does not read of one that held it before. Prints why it cannot.
fp_hold_lock() {
	(umask 077 && printf '%s\n%s\n' "$2" "$(fp_life $$)" | cat >"$1/holder.new") &&
		mv -f -- "$1/holder.new" "$1/holder"
}

# Sets fp_holder to who held the lock of folder $1 last. Whether that session is still there.
fp_holding() {
	fp_holder='' fp_owner=''
	{ IFS= read -r fp_holder && IFS= read -r fp_owner; } 2>/dev/null <"$1/holder"
	fp_holder=$(printf '%.500s' "$fp_holder")
	[ -n "$fp_owner" ] && [ "$fp_owner" = "$(fp_life "${fp_owner%% *}")" ]
}

# STATE RUN WAIT SEEN HOLDER-SIZE RUN-SIZE RUN-DIGEST RECORD-SIZE RECORD-DIGEST [NOTICE LINE]; on the stream
# the holder's text, the run and the record. Takes the lock and writes down what is about to be done; and in
# NOTICE, as far as that can be written, where the record is.
fp_begin() {
	fp_state=$1
	fp_why=$(fp_state_make "$1" 2>&1) || fp_unbegun unbegun "$fp_why"
	# One that should have fired long ago and did not is put back now.
	[ ! -f "$1/guard/revert" ] || sh "$1/guard/revert" cron </dev/null >/dev/null 2>&1
	fp_who=$(fp_take "$5")
	fp_tries=0 fp_unnamed=0
	until fp_lock "$1"; do
		if [ "$fp_tries" -lt "$3" ]; then
			fp_tries=$((fp_tries + 1))
			sleep 1
		elif fp_holding "$1" || [ "$fp_unnamed" -ge 10 ]; then
			fp_unbegun locked "$fp_holder"
		else
			# Who has taken it this very moment is still writing down who it is.
			fp_unnamed=$((fp_unnamed + 1))
			sleep 0.3 2>/dev/null || sleep 1
		fi
	done
	fp_watch
	if fp_armed "$1"; then
		fp_frame armed "$fp_word"
		exit 5
	fi
	fp_holding "$1" || :
	fp_state_seen "$1"
	[ "$fp_seen" = "$4" ] || fp_unbegun moved "$fp_holder"
	fp_why=$(fp_hold_lock "$1" "$fp_who" 2>&1) ||
		fp_unbegun unbegun "it cannot be written down in $1: $fp_why"
	fp_keep_clean "$1" 2>/dev/null
	fp_kept_bytes=0 fp_known_folder=''
	fp_run=$1/runs/$2
	fp_why=$(fp_state_intend "$1" "$2" "$6" "$7" "$8" "$9" 2>&1) ||
		fp_unbegun unbegun "it cannot be written down in $1: $fp_why"
	[ $# -lt 11 ] || fp_notice "${10}" "${11}" 2>/dev/null
	fp_progress=$fp_run/progress
	fp_frame began
}

fp_progress=/dev/null

# Ends this session when a payload is due and nothing of it comes for half a minute: whoever holds the other
# end has vanished without a word, and the lock would stay for as long as the connection seems to live.
# A clock around dd would not do: the shell would take what comes after a gap for orders.
fp_watch() {
	# In braces: only there nothing of what is closed is put aside for later.
	{ fp_watch_over "$(fp_life $$)"; } </dev/null >/dev/null 2>&1 7>&- &
	fp_watcher=$!
	trap fp_unwatch EXIT
}

# Ends the watch at once, so that it does not outlive the session.
fp_unwatch() {
	[ -z "$fp_watcher" ] || kill "$fp_watcher" 2>/dev/null
	fp_watcher=''
}

# Seconds between two looks, and how long nothing may come.
fp_watch_pause=5 fp_watch_most=30
fp_watcher=''
fp_watch_over() {
	trap - PIPE HUP
	fp_stream=$(readlink "/proc/$$/fd/0")
	fp_was='' fp_still=0
	trap 'kill "$fp_pausing" 2>/dev/null; exit 0' TERM
	while
		sleep "$fp_watch_pause" &
		fp_pausing=$!
		wait "$fp_pausing"
	do
		[ "$(fp_life $$)" = "$1" ] || return 0
		fp_watch_look
		if [ -n "$fp_reading" ] && [ "$fp_reading" = "$fp_was" ]; then
			fp_still=$((fp_still + fp_watch_pause))
		else
			fp_still=0
		fi
		fp_was=$fp_reading
		[ "$fp_still" -ge "$fp_watch_most" ] || continue
		# It ends as soon as what it waits for has ended, before it takes another order. bash ends the watch on
		# its way out, which has work left to do then.
		trap '' TERM
		kill -TERM $$
		# Those that wait for the rest may hold the lock, too, and each may be followed by another.
		for fp_still in 1 2 3; do
			# shellcheck disable=SC2086 # numbers
			kill -KILL $fp_readers
			sleep 1
			fp_watch_look
		done
		kill -KILL $$
		return 0
	done
}

# Sets fp_readers to the processes that take a payload from the stream, and fp_reading to how much each has
# read. Where the kernel does not count that, nobody is watched.
fp_watch_look() {
	fp_readers='' fp_reading=''
	for fp_place in /proc/[0-9]*; do
		{ read -r fp_name <"$fp_place/comm"; } 2>/dev/null || continue
		[ "$fp_name" = dd ] || continue
		[ "$(readlink "$fp_place/fd/0")" = "$fp_stream" ] || continue
		{ read -r fp_name <"$fp_place/io"; } 2>/dev/null || continue
		fp_readers="$fp_readers ${fp_place##*/}"
		fp_reading="$fp_reading ${fp_place##*/} $fp_name"
	done
}

# Appends a line to the run's progress.
fp_note() {
	printf '%s\n' "$*" >>"$fp_progress"
} 2>/dev/null

# Whether the run waits to be confirmed by another session (guard.sh).
fp_held=''

# After the last step, and before the machine is looked at again: whoever has heard the answer may end this
# session at once.
fp_done() {
	fp_note end
	fp_progress=/dev/null
}
