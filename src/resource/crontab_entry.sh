# shellcheck shell=sh
# Crontabs of users by the crontab program, never by its files.

# Prints the crontab of user $1. A user without one has an empty one.
fp_crontab_read() {
	fp_crontab_get "$1" || [ $? = 4 ]
}

# USER: prints `crontab` and the text in base64; `nobody` before it when there is no such user.
fp_crontab_show() {
	if ! command -v crontab >/dev/null 2>&1; then
		printf 'absent\ncrontab \n'
		return
	fi
	# The mark keeps the last line ending, which a command substitution would drop.
	if ! fp_crontab_text=$(fp_crontab_read "$1" 2>&1 && printf .); then
		# "user `NAME' unknown" (cron) or "unknown user NAME" (BusyBox).
		case $fp_crontab_text in
		*unknown*)
			if ! id -u "$1" >/dev/null 2>&1; then
				printf 'nobody\ncrontab \n'
				for fp_crontab_file in /var/spool/cron/crontabs /var/spool/cron; do
					[ ! -f "$fp_crontab_file/$1" ] || printf 'left %s\n' "$fp_crontab_file/$1"
				done
				return
			fi
			;;
		esac
		printf 'failed to read the crontab of %s: %s\n' "$1" "${fp_crontab_text##*
}"
		return 1
	fi
	printf 'crontab %s\n' "$(printf '%s' "${fp_crontab_text%.}" | fp_base64)"
}

# USER GUARD SIZE DIGEST, the whole new text on the stream. GUARD is the digest of the present one.
fp_crontab_write() {
	if ! command -v crontab >/dev/null 2>&1; then
		printf 'failed to write the crontab of %s: this machine has no crontab program\n' "$1" >&2
		return 1
	fi
	fp_crontab_text=$(fp_crontab_read "$1" && printf .) || return 1
	fp_crontab_digest=$(printf '%s' "${fp_crontab_text%.}" | sha256sum)
	if [ "${fp_crontab_digest%% *}" != "$2" ]; then
		fp_refuse "the crontab of $1 has changed since it was looked at"
		return
	fi
	fp_crontab_text=$(fp_take "$3" && printf .)
	# shellcheck disable=SC2034 # the session reads it: nothing of the payload is left
	fp_left=0
	fp_crontab_digest=$(printf '%s' "${fp_crontab_text%.}" | sha256sum)
	if [ "${fp_crontab_digest%% *}" != "$4" ]; then
		printf 'failed to receive the crontab of %s whole\n' "$1" >&2
		return 1
	fi
	fp_crontab_said=$(printf '%s' "${fp_crontab_text%.}" | fp_crontab_set "$1" 2>&1) && return 0
	printf 'failed to write the crontab of %s: %s\n' "$1" "$fp_crontab_said" >&2
	return 1
}

# USER GUARD: takes the whole crontab away.
fp_crontab_remove() {
	fp_crontab_text=$(fp_crontab_read "$1" && printf .) || return 1
	fp_crontab_digest=$(printf '%s' "${fp_crontab_text%.}" | sha256sum)
	if [ "${fp_crontab_digest%% *}" != "$2" ]; then
		fp_refuse "the crontab of $1 has changed since it was looked at"
		return
	fi
	fp_crontab_said=$(fp_crontab_drop "$1" 2>&1) && return 0
	printf 'failed to remove the crontab of %s: %s\n' "$1" "$fp_crontab_said" >&2
	return 1
}
