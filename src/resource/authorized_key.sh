# shellcheck shell=sh
# Where users have their authorized_keys.

# USER: prints `home` and the user's home in base64, or `nobody` when there is no such user.
fp_authorized_home() {
	fp_authorized_line=$(getent passwd "$1" 2>/dev/null </dev/null) ||
		fp_authorized_line=$(grep "^$1:" /etc/passwd | head -n 1)
	if [ -z "$fp_authorized_line" ]; then
		printf 'nobody\n'
		return
	fi
	fp_authorized_line=${fp_authorized_line%:*}
	printf 'home %s\n' "$(printf '%s' "${fp_authorized_line##*:}" | fp_base64)"
}
