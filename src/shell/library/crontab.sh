# shellcheck shell=sh
# Crontabs of users, by the crontab program.

# crontab for user $1 with the arguments after it. Only root may name a user (Debian's crontab).
fp_crontab_of() {
	fp_crontab_user=$1
	shift
	if [ "$fp_me" = "$fp_crontab_user" ]; then
		crontab "$@"
	else
		crontab -u "$fp_crontab_user" "$@"
	fi
}

# Prints the crontab of user $1 without the line that a revert is armed by (guard.sh), which comes and goes with
# a run and is nobody's change. Fails with 4 when there is none.
fp_crontab_get() {
	# The mark keeps the last line ending, which a command substitution would drop.
	fp_crontab_got=$(fp_crontab_all "$1" && printf .) || return
	case $fp_crontab_got in
	*'# fleetprov-revert'*)
		fp_crontab_got=$(printf '%s' "${fp_crontab_got%.}" | sed '/# fleetprov-revert$/d' && printf .)
		[ "$fp_crontab_got" != . ] || return 4
		;;
	esac
	printf '%s' "${fp_crontab_got%.}"
}

# Standard input becomes the crontab of user $1, beside that line.
fp_crontab_set() {
	fp_crontab_ours=$(fp_crontab_all "$1" 2>/dev/null | sed -n '/# fleetprov-revert$/p')
	{
		cat
		[ -z "$fp_crontab_ours" ] || printf '%s\n' "$fp_crontab_ours"
	} | fp_crontab_of "$1" -
}

# Takes the crontab of user $1 away, but for that line.
fp_crontab_drop() {
	fp_crontab_ours=$(fp_crontab_all "$1" 2>/dev/null | sed -n '/# fleetprov-revert$/p')
	if [ -n "$fp_crontab_ours" ]; then
		printf '%s\n' "$fp_crontab_ours" | fp_crontab_of "$1" -
	else
		fp_crontab_of "$1" -r </dev/null
	fi
}

# Prints all of the crontab of user $1. Fails with 4 when there is none; how that is said differs: "no crontab
# for NAME" (cron) or "can't open 'NAME'" (BusyBox).
fp_crontab_all() {
	{ fp_crontab_said=$(fp_crontab_of "$1" -l 2>&1 >&3 </dev/null); } 3>&1 && return 0
	case $fp_crontab_said in
	*"no crontab for "* | *"can't open "*"No such file"*) return 4 ;;
	esac
	printf '%s\n' "$fp_crontab_said" >&2
	return 1
}
