# shellcheck shell=sh
# The lockout guard (contract C6). Before the first change that can cut the way in, a revert is armed:
# a script of its own in the state folder's `guard`, and something that runs it when nobody confirms in
# time, also after a reboot. Confirming and reverting race through one rename of `guard/armed`.
#
#   guard/armed       RUN BOOT DEADLINE, and the life of the session that makes the changes
#   guard/made        every guarded step is made: it may be confirmed
#   guard/reverting   what `armed` becomes when the revert has won, until everything is put back
#   guard/confirmed   what it becomes when the controller has won
#   guard/revert      the script
#   guard/forced      which services have read the new files (force.sh)
#   guard/sleeper     the life of the process that waits for the deadline, where systemd does not

fp_guard_name=fleetprov-revert
fp_guard_units=/etc/systemd/system
fp_guard_wants=$fp_guard_units/sysinit.target.wants
fp_guard_table=/etc/cron.d/$fp_guard_name

# Flushes files and folders, those that are there.
fp_guard_flush() {
	for fp_guard_one; do
		shift
		[ ! -e "$fp_guard_one" ] || set -- "$@" "$fp_guard_one"
	done
	[ $# = 0 ] || sync -- "$@" 2>/dev/null || sync
}

# Sets fp_guard_up to the seconds since the machine started, fp_boot to which start that was. The
# machine's clock may be set while we wait.
fp_guard_now() {
	read -r fp_guard_up _ </proc/uptime || return 1
	fp_guard_up=${fp_guard_up%%.*}
	read -r fp_boot </proc/sys/kernel/random/boot_id
}

# SECONDS FIRST LAST SERVICE...: arms the revert of the guarded steps FIRST to LAST. SERVICE: unit:NAME or
# init:NAME, what the steps start or stop; name:NAME, what reads the files they change. When that cannot
# be, fp_guard_off says why, and fp_step refuses those steps.
fp_guard_arm() {
	fp_guard=$fp_state/guard fp_guard_first=$2 fp_guard_last=$3
	fp_guard_off='' fp_keep_durable=yes
	fp_guard_one=$2
	while [ "$fp_guard_one" -le "$3" ]; do
		case $fp_barred in
		*" $fp_guard_one "*)
			fp_guard_off='what can cut the way in is changed together or not at all, and a part of it is left out'
			return
			;;
		esac
		fp_guard_one=$((fp_guard_one + 1))
	done
	if fp_guard_arming "$@" </dev/null >/dev/null 2>&1 7>&-; then
		fp_frame guard armed
	else
		fp_guard_off="${fp_guard_off:-the revert could not be armed}, so the machine could not put this back by itself"
		rm -f -- "$fp_guard/armed"
		fp_guard_clear </dev/null >/dev/null 2>&1 7>&-
	fi
}

fp_guard_arming() {
	fp_guard_seconds=$1
	shift 3
	(umask 077 && mkdir -p -- "$fp_guard") || return 1
	rm -f -- "$fp_guard/made" "$fp_guard/confirmed" "$fp_guard/forced"
	fp_force_begin
	(umask 077 && fp_guard_script "$@" >"$fp_guard/revert.new") || return 1
	mv -f -- "$fp_guard/revert.new" "$fp_guard/revert" || return 1
	if [ "$fp_self" = 0 ] && [ -d /run/systemd/system ]; then
		fp_guard_how=systemd
		fp_guard_write_units || return 1
	elif fp_guard_has_cron; then
		fp_guard_how=cron
		fp_guard_write_crontab || return 1
	else
		fp_guard_off='this machine has no systemd that we may use, and no crond runs on it'
		return 1
	fi
	fp_guard_now || return 1
	(
		umask 077
		printf '%s %s %s\n' "${fp_run##*/}" "$fp_boot" $((fp_guard_up + fp_guard_seconds)) &&
			printf '%s\n' "$(fp_life $$)"
	) >"$fp_guard/armed.new" || return 1
	fp_guard_flush "$fp_guard/revert" "$fp_guard/armed.new" "$fp_guard_units/$fp_guard_name-boot.service" \
		"$fp_guard_wants" "$fp_guard_units" "$fp_guard_table" "${fp_guard_table%/*}"
	mv -f -- "$fp_guard/armed.new" "$fp_guard/armed" || return 1
	fp_guard_flush "$fp_guard" "$fp_state"
	if [ "$fp_guard_how" = systemd ]; then
		systemctl --no-ask-password daemon-reload && systemctl --no-ask-password start "$fp_guard_name.timer"
	else
		fp_guard_sleep
	fi
}

# The text $1 in quotes, for a shell.
fp_guard_quoted() {
	printf '%s\n' "$1" | sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/'/"
}

# Prints the script that puts everything back: all that it needs is in it.
fp_guard_script() {
	printf '#!/bin/sh\n# Made by fleetprov: puts back what was changed unless that is confirmed in time.\n'
	# shellcheck disable=SC2016 # the script expands it
	printf 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH\nexport PATH\n'
	printf 'fp_nonce=- fp_key=\nfp_loop=%s\n' "$(fp_guard_quoted "$fp_loop")"
	# shellcheck disable=SC2016
	printf 'fp_libraries=%s\neval "$fp_libraries"\n' "$(fp_guard_quoted "$fp_libraries")"
	# shellcheck disable=SC2016
	printf 'fp_guard_go "${1-timer}" %s %s %s %s' "$(fp_guard_quoted "$fp_state")" "${fp_run##*/}" \
		"$fp_guard_first" "$fp_guard_last"
	for fp_guard_one; do
		printf ' %s' "$(fp_guard_quoted "$fp_guard_one")"
	done
	printf '\n'
}

# The path of the script as a word of a systemd unit.
fp_guard_unit_word() {
	printf '%s\n' "$fp_guard/revert" | sed 's/[\\"]/\\&/g; s/[%$]/&&/g; s/^/"/; s/$/"/'
}

# A timer for the deadline, and a unit that runs when the machine starts, before anything that lets
# somebody in or keeps them out. (OnBootSec in the timer would fire at once: measured.)
fp_guard_write_units() {
	fp_guard_word=$(fp_guard_unit_word)
	[ -d "$fp_guard_wants" ] || { mkdir -- "$fp_guard_wants" && : >"$fp_guard/wants"; } || return 1
	cat >"$fp_guard_units/$fp_guard_name.timer" <<-EOF || return 1
		# Made by fleetprov; gone when the change is confirmed or put back.
		[Unit]
		Description=Put back what is not confirmed to fleetprov
		[Timer]
		OnActiveSec=$fp_guard_seconds
		AccuracySec=100ms
	EOF
	cat >"$fp_guard_units/$fp_guard_name.service" <<-EOF || return 1
		# Made by fleetprov; gone when the change is confirmed or put back.
		[Unit]
		Description=Put back what was not confirmed to fleetprov
		StartLimitIntervalSec=0
		[Service]
		Type=oneshot
		ExecStart=/bin/sh $fp_guard_word timer
		Restart=on-failure
		RestartSec=5
	EOF
	cat >"$fp_guard_units/$fp_guard_name-boot.service" <<-EOF || return 1
		# Made by fleetprov; gone when the change is confirmed or put back.
		[Unit]
		Description=Put back what was not confirmed to fleetprov before the machine started
		DefaultDependencies=no
		RequiresMountsFor=$fp_guard_word
		After=local-fs.target systemd-remount-fs.service
		Before=sysinit.target network-pre.target nftables.service ssh.service ssh.socket sshd.service dropbear.service
		Conflicts=shutdown.target
		Before=shutdown.target
		[Service]
		Type=oneshot
		ExecStart=/bin/sh $fp_guard_word boot
		[Install]
		WantedBy=sysinit.target
	EOF
	ln -sf "../$fp_guard_name-boot.service" "$fp_guard_wants/$fp_guard_name-boot.service"
}

# Whether a crond runs, and which (fp_guard_daemon). It has to be seen: one that is only installed runs
# nothing.
fp_guard_has_cron() {
	command -v crontab || return 1
	for fp_guard_one in /proc/[0-9]*/comm; do
		{ read -r fp_guard_daemon <"$fp_guard_one"; } 2>/dev/null || continue
		case $fp_guard_daemon in cron | crond) return 0 ;; esac
	done
	return 1
}

# Sets fp_guard_text to our crontab without the line that we added, and a dot that keeps its line endings.
# Fails when it cannot be told.
fp_guard_crontab() {
	{ fp_guard_text=$({ fp_guard_said=$(crontab -l 2>&1 >&3); } 3>&1 || printf 'none %s' "$fp_guard_said"
		printf .); }
	case $fp_guard_text in
	"none "*"no crontab for "* | "none "*"can't open "*"No such file"*) fp_guard_text=. ;;
	"none "*) return 1 ;;
	esac
	fp_guard_text=$(printf '%s' "${fp_guard_text%.}" | sed "/# $fp_guard_name\$/d" && printf .)
}

# A line that looks each minute, also after a reboot: in a table of its own where cron reads such tables,
# otherwise in our crontab.
fp_guard_write_crontab() {
	fp_guard_word=$(fp_guard_quoted "$fp_guard/revert" | sed 's/%/\\%/g')
	fp_guard_word="[ ! -f $fp_guard_word ] || /bin/sh $fp_guard_word cron >/dev/null 2>&1 # $fp_guard_name"
	# Debian's daemon is called cron and reads /etc/cron.d; BusyBox's is called crond and does not.
	if [ "$fp_self" = 0 ] && [ "$fp_guard_daemon" = cron ] && [ -d "${fp_guard_table%/*}" ]; then
		printf '* * * * * root %s\n' "$fp_guard_word" >"$fp_guard_table"
		return
	fi
	fp_guard_crontab || return 1
	: >"$fp_guard/crontab" || return 1
	# What does not end its last line would have ours in it.
	case $fp_guard_text in
	. | *"
.") ;;
	*) fp_guard_text="${fp_guard_text%.}
." ;;
	esac
	printf '%s* * * * * %s\n' "${fp_guard_text%.}" "$fp_guard_word" | crontab -
}

# Waits for the deadline in a process of its own: cron looks only once a minute. It survives the loss of
# the session, and cron a reboot.
fp_guard_sleep() {
	command -v setsid || return 0
	# shellcheck disable=SC2016 # the other shell expands it
	(setsid sh -c 'sleep "$1"; exec /bin/sh "$2" timer' sh "$fp_guard_seconds" "$fp_guard/revert" &
		printf '%s\n' "$(fp_life "$!")" >"$fp_guard/sleeper")
}

# Removes everything that was armed. It may be run by what it removes.
fp_guard_clear() {
	if [ -e "$fp_guard_units/$fp_guard_name.timer" ] && [ "$fp_self" = 0 ]; then
		systemctl --no-ask-password stop "$fp_guard_name.timer"
		rm -f -- "$fp_guard_wants/$fp_guard_name-boot.service"
		rm -f -- "$fp_guard_units/$fp_guard_name-boot.service" "$fp_guard_units/$fp_guard_name.service" \
			"$fp_guard_units/$fp_guard_name.timer"
		[ ! -f "$fp_guard/wants" ] || rmdir -- "$fp_guard_wants"
		systemctl --no-ask-password daemon-reload
		fp_guard_flush "$fp_guard_units" "$fp_guard_wants"
	fi
	[ "$fp_self" != 0 ] || [ ! -e "$fp_guard_table" ] || rm -f -- "$fp_guard_table"
	if [ -f "$fp_guard/crontab" ]; then
		if fp_guard_crontab; then
			if [ "$fp_guard_text" = . ]; then
				crontab -r
			else
				printf '%s' "${fp_guard_text%.}" | crontab -
			fi
		fi
	fi
	if read -r fp_guard_word 2>/dev/null <"$fp_guard/sleeper"; then
		# The leader of its group, unless it is us who were woken.
		fp_guard_one=${fp_guard_word%% *}
		if [ "$fp_guard_one" != $$ ] && [ "$(fp_life "$fp_guard_one")" = "$fp_guard_word" ]; then
			kill -KILL "-$fp_guard_one"
		fi
	fi
	rm -f -- "$fp_guard/made" "$fp_guard/confirmed" "$fp_guard/sleeper" "$fp_guard/wants" "$fp_guard/crontab" \
		"$fp_guard/forced" \
		"$fp_guard/armed.new" "$fp_guard/revert.new" "$fp_guard/revert"
	rmdir -- "$fp_guard"
	fp_guard_flush "$fp_state"
}

# After the last guarded step. When all are made, they wait to be confirmed, and the lock is free: what is
# armed keeps others out. When one failed, those that were made are put back at once.
fp_guard_made() {
	[ -z "$fp_guard_off" ] || return 0
	fp_guard_one=$fp_guard_first
	while [ "$fp_guard_one" -le "$fp_guard_last" ]; do
		case $fp_bad in
		*" $fp_guard_one "*)
			mv -- "$fp_guard/armed" "$fp_guard/reverting" 2>/dev/null || exit 1
			fp_guard_put_back now "$@" </dev/null >/dev/null 2>&1 7>&- || exit 1
			fp_guard_tell
			return
			;;
		esac
		fp_guard_one=$((fp_guard_one + 1))
	done
	: >"$fp_guard/made" || exit 1
	for fp_guard_one in $fp_force_idle; do
		fp_frame guard idle "$fp_guard_one"
	done
	fp_held=yes
	fp_progress=/dev/null
	fp_unlock
	fp_frame guard made
}

# After fp_keep, before step fp_index changes anything: whether all of it can be put back.
fp_guard_kept() {
	for fp_guard_one in "$fp_run/before/$fp_index".*; do
		if { IFS= read -r fp_guard_word && IFS= read -r fp_guard_text; } <"$fp_guard_one"; then
			case $fp_guard_text in unkept*) ;; *) continue ;; esac
		fi
		fp_refuse "${fp_guard_word#*:} could not be put back: ${fp_guard_text#unkept }"
		return
	done
}

# Sets fp_guard_word to what is said last of step $1.
fp_guard_said_of() {
	fp_guard_word=$(sed -n "s/^$1 //p" "$fp_progress" | tail -n 1)
}

# Tells of each step that had been made that it was put back.
fp_guard_tell() {
	for fp_guard_one in $fp_guard_undone; do
		fp_frame step "$fp_guard_one" reverted
	done
}

# STATE RUN, in a session that came by the new way: the changes stay.
fp_guard_confirm() {
	fp_state=$1 fp_guard=$1/guard fp_progress=$1/runs/$2/progress
	read -r fp_guard_word 2>/dev/null <"$fp_guard/armed" || fp_guard_word=''
	if [ "${fp_guard_word%% *}" != "$2" ]; then
		fp_frame guard gone
	elif [ ! -f "$fp_guard/made" ] || ! fp_guard_lock 10; then
		fp_frame guard unmade
	elif mv -- "$fp_guard/armed" "$fp_guard/confirmed" 2>/dev/null; then
		fp_note end
		# Before it is told: after a power cut it has to be confirmed still.
		fp_guard_flush "$fp_guard" "$fp_progress"
		fp_guard_clear </dev/null >/dev/null 2>&1 7>&-
		fp_unlock
		fp_frame guard confirmed
	else
		fp_unlock
		fp_frame guard gone
	fi
	fp_progress=/dev/null
}

# Takes the lock, waiting $1 seconds at most.
fp_guard_lock() {
	fp_tries=0
	until fp_lock "$fp_state"; do
		[ "$fp_tries" -lt "$1" ] || return 1
		fp_tries=$((fp_tries + 1))
		sleep 1
	done
}

# MODE STATE RUN FIRST LAST SERVICE...: what the script does. MODE: timer, when time is over; boot, when the
# machine starts and no service runs yet; cron, each minute.
fp_guard_go() {
	fp_mode=$1 fp_state=$2 fp_guard=$2/guard fp_run=$2/runs/$3 fp_guard_first=$4 fp_guard_last=$5
	fp_progress=$fp_run/progress
	shift 5
	if [ ! -f "$fp_guard/armed" ] && [ ! -f "$fp_guard/reverting" ]; then
		# It is being armed or confirmed, unless whoever did that has gone.
		fp_guard_lock 0 && fp_guard_clear 7>&-
		return 0
	fi
	fp_guard_now
	if [ "$fp_mode" = cron ] && [ -f "$fp_guard/armed" ]; then
		read -r _ fp_guard_boot fp_guard_until <"$fp_guard/armed"
		[ "$fp_guard_boot" != "$fp_boot" ] || [ "$fp_guard_up" -ge "$fp_guard_until" ] || return 0
	fi
	mv -- "$fp_guard/armed" "$fp_guard/reverting" 2>/dev/null
	fp_guard_alone
	# Another one may have put it back while we waited.
	[ -f "$fp_guard/reverting" ] || return 0
	fp_guard_put_back "$fp_mode" "$@" 7>&-
}

# Takes the lock from whoever makes changes still: their time is over.
fp_guard_alone() {
	fp_guard_lock 0 && return 0
	if { read -r _ && read -r fp_guard_word; } 2>/dev/null <"$fp_guard/reverting"; then
		fp_guard_one=${fp_guard_word%% *}
		[ "$(fp_life "$fp_guard_one")" != "$fp_guard_word" ] || fp_guard_end "$fp_guard_one"
	fi
	fp_guard_lock 60
}

# Ends process $1 and everything that it started.
fp_guard_end() {
	kill -STOP "$1"
	fp_guard_ended=" $1 " fp_guard_more=yes
	while [ -n "$fp_guard_more" ]; do
		fp_guard_more=''
		for fp_guard_one in /proc/[0-9]*/stat; do
			{ read -r fp_guard_text <"$fp_guard_one"; } 2>/dev/null || continue
			# Behind the name, in parentheses: the state, then the parent.
			# shellcheck disable=SC2086 # words
			set -- ${fp_guard_text%% *} ${fp_guard_text##*) }
			case $fp_guard_ended in
			*" $1 "*) ;;
			*" $3 "*)
				fp_guard_ended="$fp_guard_ended$1 "
				fp_guard_more=yes
				;;
			esac
		done
	done
	# shellcheck disable=SC2086 # numbers
	kill -KILL $fp_guard_ended
}

# MODE SERVICE...: puts back everything that the guarded steps touched, the last one first, and removes what
# was armed. Twice: a service starts only when the files are back that were put back after it. Whatever
# cannot be put back is tried again by what was armed. Sets fp_guard_undone to the steps that had been made.
fp_guard_put_back() {
	fp_mode=$1 fp_guard_undone=''
	shift
	if [ "$fp_mode" = boot ]; then
		# What starts next waits for us: who waits for that waits for ever.
		systemctl() {
			command systemctl --no-block "$@"
		}
	fi
	for fp_guard_pass in 1 2; do
		fp_guard_failed=''
		fp_guard_at=$fp_guard_last
		while [ "$fp_guard_at" -ge "$fp_guard_first" ]; do
			(fp_put_back "$fp_run" "$fp_guard_at") || fp_guard_failed=yes
			fp_guard_at=$((fp_guard_at - 1))
		done
	done
	for fp_guard_service; do
		fp_guard_uninstall "$fp_guard_service" || fp_guard_failed=yes
	done
	for fp_guard_service; do
		fp_guard_serve "$fp_guard_service"
	done
	read -r _ fp_guard_boot _ <"$fp_guard/reverting"
	[ "$fp_mode" = boot ] || [ "$fp_guard_boot" != "$fp_boot" ] || fp_force_back
	[ -z "$fp_guard_failed" ] || return 1
	fp_guard_note
	rm -f -- "$fp_guard/reverting" "$fp_guard/armed"
	fp_guard_flush "$fp_progress" "$fp_guard"
	fp_guard_clear
}

# Removes the package that was installed, when $1 is package:NAME. It was not there before, so nothing needs
# it. Not while the machine starts: what is removed is asked to stop, and nothing runs yet.
fp_guard_uninstall() {
	case $fp_mode/$1 in
	boot/*) ;;
	*/package:*)
		dpkg -s -- "${1#package:}" || return 0
		DEBIAN_FRONTEND=noninteractive apt-get -q -y remove -- "${1#package:}" </dev/null
		return
		;;
	esac
}

# Lets service $1 read what was put back. When the machine starts, it is not running yet.
fp_guard_serve() {
	[ "$fp_mode" != boot ] || return 0
	case $1 in
	unit:*)
		systemctl --no-ask-password daemon-reload
		systemctl --no-ask-password try-restart "${1#unit:}"
		;;
	init:*) env -i PATH="$PATH" TERM=dumb "/etc/init.d/${1#init:}" restart ;;
	name:*)
		# Whom we told in this start of the machine is told again (fp_force_back); after another start it runs
		# with the new files.
		read -r _ fp_guard_boot _ <"$fp_guard/reverting"
		[ "$fp_guard_boot" != "$fp_boot" ] || return 0
		[ ! -x "/etc/init.d/${1#name:}" ] || env -i PATH="$PATH" TERM=dumb "/etc/init.d/${1#name:}" restart
		;;
	esac
}

# Notes what was put back. What the last lines before a crash were is not known: a step without a word was
# not made, or was put back like the others.
fp_guard_note() {
	read -r _ fp_guard_boot _ <"$fp_guard/reverting"
	# The last line may be torn.
	printf '\n' >>"$fp_progress"
	fp_guard_at=$fp_guard_first
	while [ "$fp_guard_at" -le "$fp_guard_last" ]; do
		fp_guard_said_of "$fp_guard_at"
		case $fp_guard_word in
		skipped | refused) ;;
		*)
			[ "$fp_guard_word" != changed ] || fp_guard_undone="$fp_guard_undone $fp_guard_at"
			fp_note "$fp_guard_at" reverted
			;;
		esac
		fp_guard_at=$((fp_guard_at + 1))
	done
	# Every line of it is there, unless the machine has restarted meanwhile.
	[ "$fp_guard_boot" != "$fp_boot" ] || [ "$fp_mode" = now ] || fp_note end
}
