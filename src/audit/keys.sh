# shellcheck shell=sh
# Which keys open a machine, and which keys it holds.

# As root of all users that may log in, otherwise of this one: a line `user NAME HOME` each, then `authorized PATH
# TEXT` for each file of keys that open it, and `private PATH LINE` for each private key in its `.ssh`, where
# LINE is what ssh-keygen says of it, or `unknown`. Names, paths, texts and lines are in base64. The contents
# of private keys stay where they are.
fp_keys() {
	fp_keys_files=''
	if [ "$fp_self" = 0 ]; then
		fp_sshd=$(command -v sshd || echo /usr/sbin/sshd)
		if [ -x "$fp_sshd" ]; then
			fp_keys_files=$("$fp_sshd" -T 2>/dev/null </dev/null | sed -n 's/^authorizedkeysfile //p')
		fi
		{ getent passwd 2>/dev/null || cat /etc/passwd; } </dev/null |
			while IFS=: read -r fp_name _ _ _ _ fp_home fp_shell; do
				case $fp_shell in */nologin | */false | */sync) continue ;; esac
				fp_keys_of "$fp_name" "$fp_home"
			done
	else
		fp_keys_of "$fp_me" "$HOME"
	fi
}

# USER HOME
fp_keys_of() {
	case $2 in /?*) ;; *) return 0 ;; esac
	printf 'user %s %s\n' "$(printf '%s' "$1" | fp_base64)" "$(printf '%s' "$2" | fp_base64)"
	for fp_file in ${fp_keys_files:-.ssh/authorized_keys .ssh/authorized_keys2}; do
		case $fp_file in none) continue ;; esac
		fp_file=$(printf '%s' "$fp_file" | sed "s|%h|$2|g; s|%u|$1|g; s|%%|%|g")
		case $fp_file in /*) ;; *) fp_file=$2/$fp_file ;; esac
		if [ -f "$fp_file" ] && [ -r "$fp_file" ]; then
			printf 'authorized %s %s\n' "$(printf '%s' "$fp_file" | fp_base64)" \
				"$(head -c 1048576 -- "$fp_file" | fp_base64)"
		fi
	done
	for fp_file in "$2"/.ssh/*; do
		if [ -h "$fp_file" ] || [ ! -f "$fp_file" ] || [ ! -r "$fp_file" ]; then continue; fi
		case $(head -c 64 -- "$fp_file" 2>/dev/null | tr -d '\000' | head -n 1) in
		-----BEGIN*'PRIVATE KEY-----'*) ;;
		*) continue ;;
		esac
		fp_line=$(ssh-keygen -l -f "$fp_file" 2>/dev/null </dev/null) ||
			fp_line=$(ssh-keygen -l -f "$fp_file.pub" 2>/dev/null </dev/null) || fp_line=unknown
		printf 'private %s %s\n' "$(printf '%s' "$fp_file" | fp_base64)" "$(printf '%s' "$fp_line" | fp_base64)"
	done
}
