# shellcheck shell=sh
# Brings into force what guarded steps have written, so that the new way in is tried with it: services read
# their files when they are told to.
#
#   guard/forced   who was told to read anew, one a line: unit NAME HOW, script NAME, process PID

# Who lets somebody in, and who brings up the network.
fp_force_doors='ssh sshd dropbear'
fp_force_nets='networking systemd-networkd NetworkManager network dhcpcd connman'

# Whether service $1 starts with the machine.
fp_force_starts() {
	case $1 in ssh | sshd) [ ! -e /etc/ssh/sshd_not_to_be_run ] || return 1 ;; esac
	if [ -d /run/systemd/system ]; then
		for fp_word in service socket; do
			! fp_force_enabled "$1.$fp_word" || return 0
		done
		return 1
	fi
	for fp_word in /etc/rc[2-5].d/S[0-9][0-9]"$1" /etc/runlevels/*/"$1"; do
		[ ! -e "$fp_word" ] || return 0
	done
	return 1
}

# SERVICE...: whether one of them starts with the machine.
fp_force_one_starts() {
	for fp_force_service; do
		! fp_force_starts "$fp_force_service" || return 0
	done
	return 1
}

# Before the first guarded step: notes whether there is a way in after the next start.
fp_force_begin() {
	fp_force_had='' fp_force_idle=''
	# shellcheck disable=SC2086 # names
	! fp_force_one_starts $fp_force_doors || fp_force_had=doors
	# shellcheck disable=SC2086
	! fp_force_one_starts $fp_force_nets || fp_force_had="$fp_force_had nets"
}

# Refuses when there was a way in after the next start, and is none any more.
fp_force_lasts() {
	case $fp_force_had in
	*doors*)
		# shellcheck disable=SC2086
		if ! fp_force_one_starts $fp_force_doors; then
			fp_refuse 'the machine would have no way in after its next start: nothing would start that lets anybody log in'
			return
		fi
		;;
	esac
	case $fp_force_had in
	*nets*)
		# shellcheck disable=SC2086
		if ! fp_force_one_starts $fp_force_nets; then
			fp_refuse 'the machine would have no way in after its next start: nothing would bring up its network'
			return
		fi
		;;
	esac
}

# UNIT: before a step that has it start with the machine no more. Refuses when it is the only one that lets
# somebody in, or that brings up the network: better than to do that and to put it back, for which systemd has
# to read all units anew several times (measured: it may lose what it knows of a running sshd on the way).
fp_force_needed() {
	[ -d /run/systemd/system ] || return 0
	case " $fp_force_doors " in
	*" ${1%.*} "*) fp_force_names=$fp_force_doors ;;
	*) fp_force_names=$fp_force_nets ;;
	esac
	case " $fp_force_names " in *" ${1%.*} "*) ;; *) return 0 ;; esac
	fp_force_enabled "$1" || return 0
	for fp_force_service in $fp_force_names; do
		for fp_word in service socket; do
			[ "$fp_force_service.$fp_word" != "$1" ] || continue
			! fp_force_enabled "$fp_force_service.$fp_word" || return 0
		done
	done
	fp_refuse "the machine would have no way in after its next start: nothing but $1 is enabled that it takes"
}

# Whether unit $1 starts with the machine, by a name of its own.
fp_force_enabled() {
	case $(systemctl is-enabled -- "$1" 2>/dev/null </dev/null) in
	enabled | static | generated | linked) return 0 ;;
	esac
	return 1
}

# READER:HOW...: after the last guarded step. Lets each reader that runs read its files anew; fp_force_idle
# becomes those that do not run. HOW: reload; restart, where what a reload would not read has changed; start, for
# a firewall that was only made to start with the machine. Fails, with the reason, when that cannot be.
fp_force() {
	fp_force_lasts || return
	for fp_force_one; do
		fp_force_how=${fp_force_one##*:} fp_force_one=${fp_force_one%:*} fp_force_found=''
		case $fp_force_one in
		ssh) fp_force_names='ssh sshd' ;;
		iptables) fp_force_names='netfilter-persistent iptables ip6tables' ;;
		*) fp_force_names=$fp_force_one ;;
		esac
		fp_force_reader </dev/null || return 1
		[ -n "$fp_force_found" ] || fp_force_idle="$fp_force_idle $fp_force_one"
	done
}

fp_force_reader() {
	if [ "$fp_force_one" = ssh ]; then
		fp_force_check || return 1
	fi
	if [ -d /run/systemd/system ]; then
		[ "$fp_self" = 0 ] || return 0
		[ "$fp_force_how" = reload ] || systemctl daemon-reload || return 1
		for fp_force_name in $fp_force_names; do
			fp_force_unit "$fp_force_name" || return 1
		done
	elif [ "$fp_force_one" = ssh ] && [ "$fp_force_how" = reload ]; then
		fp_force_listeners || return 1
	else
		for fp_force_name in $fp_force_names; do
			fp_force_script "$fp_force_name" || return 1
		done
	fi
	# It is told and does it a moment later; who comes meanwhile would meet the old settings.
	[ "$fp_force_one" != ssh ] || [ -z "$fp_force_found" ] || sleep 1
}

# Whether sshd can read its files: told to read what it cannot, it ends.
fp_force_check() {
	[ "$fp_self" = 0 ] && command -v sshd >/dev/null || return 0
	fp_said=$(sshd -t 2>&1) && return 0
	printf 'failed to bring the new settings of sshd into force: %s\n' "$fp_said" >&2
	return 1
}

# Lets the units of service $1 that are active read anew.
fp_force_unit() {
	# What a name stands for beside another one has been told already.
	[ "$fp_force_one" != ssh ] || [ -z "$fp_force_found" ] || return 0
	fp_unit_words "$1.service"
	case $fp_now in
	*' active')
		if [ "$fp_force_how" != start ]; then
			fp_force_tell "$1.service" "$fp_force_how" || return 1
		fi
		fp_force_found=yes
		;;
	esac
	fp_unit_words "$1.socket"
	case $fp_now in *' active') ;; *) return 0 ;; esac
	# A server that is started for each connection reads its files each time.
	if [ "$fp_force_how" = restart ] || [ "$(systemctl show --property=Accept -- "$1.socket")" != Accept=yes ]; then
		systemctl daemon-reload && fp_force_tell "$1.socket" restart || return 1
	fi
	fp_force_found=yes
}

# UNIT reload|restart
fp_force_tell() {
	printf 'unit %s %s\n' "$1" "$2" >>"$fp_guard/forced" || return 1
	fp_force_systemctl "$1" "$2"
}

fp_force_systemctl() {
	case $2 in restart) fp_word=restart ;; *) fp_word=reload-or-restart ;; esac
	fp_said=$(systemctl --no-ask-password "$fp_word" -- "$1" 2>&1 </dev/null) && return 0
	printf 'failed to bring the new settings of %s into force: %s\n' "$1" "$fp_said" >&2
	return 1
}

# Sets fp_force_pids to the processes of sshd that listen, not those of sessions. The title of a listener ends in
# [listener] since OpenSSH 8.2, and was its command before.
fp_force_find() {
	fp_force_pids=''
	for fp_word in /proc/[0-9]*; do
		{ read -r fp_name <"$fp_word/comm"; } 2>/dev/null || continue
		[ "$fp_name" = sshd ] || continue
		case $(tr '\0' ' ' 2>/dev/null <"$fp_word/cmdline") in
		/* | *'[listener]'*) fp_force_pids="$fp_force_pids ${fp_word##*/}" ;;
		esac
	done
}

# Lets each sshd that listens read anew, by the signal that means that (sshd(8)).
fp_force_listeners() {
	fp_force_find
	for fp_word in $fp_force_pids; do
		printf 'process %s\n' "$fp_word" >>"$fp_guard/forced" || return 1
		kill -HUP "$fp_word" || return 1
		fp_force_found=yes
	done
}

# Lets service $1 read anew by its script, when it runs as far as can be told.
fp_force_script() {
	[ -x "/etc/init.d/$1" ] || return 0
	if command -v rc-service >/dev/null || grep -qw status "/etc/init.d/$1"; then
		fp_force_do "$1" status >/dev/null 2>&1 || return 0
	else
		fp_force_starts "$1" || return 0
	fi
	if [ "$fp_force_how" != start ]; then
		printf 'script %s\n' "$1" >>"$fp_guard/forced" || return 1
		# A firewall's script may write what is in force over the file when it stops.
		fp_word=reload
		case $1 in dropbear | ssh | sshd) fp_word=restart ;; esac
		if ! fp_force_do "$1" "$fp_word"; then
			printf 'failed to bring the new settings of %s into force: its script says so\n' "$1" >&2
			return 1
		fi
	fi
	fp_force_found=yes
}

# NAME ACTION, with a plain environment.
fp_force_do() {
	env -i PATH="$PATH" TERM=dumb "/etc/init.d/$1" "$2" </dev/null
}

# After everything is put back: those that were told read the old files again.
fp_force_back() {
	[ -f "$fp_guard/forced" ] || return 0
	[ ! -d /run/systemd/system ] || systemctl daemon-reload
	while read -r fp_force_word fp_force_name fp_force_rest; do
		case $fp_force_word in
		unit)
			systemctl reset-failed -- "$fp_force_name"
			fp_force_systemctl "$fp_force_name" "$fp_force_rest"
			;;
		script) fp_force_do "$fp_force_name" restart ;;
		process)
			fp_force_find
			for fp_word in $fp_force_pids; do
				kill -HUP "$fp_word"
			done
			for fp_word in ssh sshd; do
				[ -n "$fp_force_pids" ] || [ ! -x "/etc/init.d/$fp_word" ] || fp_force_do "$fp_word" start
			done
			;;
		esac </dev/null
	done <"$fp_guard/forced"
}
