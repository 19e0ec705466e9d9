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

# Prints the crontab of user $1. Fails with 4 when there is none; how that is said differs: "no crontab for
# NAME" (cron) or "can't open 'NAME'" (BusyBox).
fp_crontab_get() {
	{ fp_crontab_said=$(fp_crontab_of "$1" -l 2>&1 >&3 </dev/null); } 3>&1 && return 0
	case $fp_crontab_said in
	*"no crontab for "* | *"can't open "*"No such file"*) return 4 ;;
	esac
	printf '%s\n' "$fp_crontab_said" >&2
	return 1
}
