# shellcheck shell=sh
# Checkouts of git repositories, by git as the owner of the folder. No state of a branch is ever
# thrown away: git itself refuses what would overwrite local changes, and nothing here forces it.

# git in folder fp_checkout_at, with the settings of the user that we are: runuser keeps root's HOME,
# which another user cannot read. Folders above are not searched for a repository.
fp_checkout_git() {
	env -u XDG_CONFIG_HOME -u GIT_DIR -u GIT_WORK_TREE HOME="$fp_checkout_home" \
		GIT_TERMINAL_PROMPT=0 GIT_CEILING_DIRECTORIES="${fp_checkout_at%/*}" \
		GIT_SSH_COMMAND="${fp_checkout_ssh:-ssh -o BatchMode=yes}" \
		git -C "$fp_checkout_at" "$@" </dev/null
}

# Prints the home of the user that we are, by the user database.
fp_checkout_own_home() {
	fp_checkout_line=$(getent passwd "$(id -u)" 2>/dev/null </dev/null) ||
		fp_checkout_line=$(grep "^[^:]*:[^:]*:$(id -u):" /etc/passwd | head -n 1)
	fp_checkout_line=${fp_checkout_line%:*}
	printf '%s' "${fp_checkout_line##*:}"
}

# Standard input with whatever stands for a password in a URL masked: it may be somebody's token.
fp_checkout_masked() {
	sed -e 's,\(://[^/@:]*\):[^/@]*@,\1:***@,' -e 's,^\(https\{0\,1\}://\)[^/@:]*@,\1***@,'
}

# The value of setting $1 in the repository's own file, masked.
fp_checkout_setting() {
	fp_checkout_git config --local --get-all "$1" 2>/dev/null | fp_checkout_masked
}

# Sets fp_checkout_state: absent, empty, files, broken, repository.
fp_checkout_find() {
	fp_checkout_at=$1
	fp_checkout_home=$(fp_checkout_own_home)
	if [ ! -d "$1" ]; then
		fp_checkout_state=absent
	elif [ -e "$1/.git" ]; then
		fp_checkout_state=repository
		fp_checkout_said=$(fp_checkout_git rev-parse --git-dir 2>&1 >/dev/null) || fp_checkout_state=broken
	else
		case $(ls -A -- "$1" 2>/dev/null) in
		'' | .fleetprov-clone) fp_checkout_state=empty ;;
		*) fp_checkout_state=files ;;
		esac
	fi
}

# PATH BRANCH: prints `state` and, of a repository, `begun` (a clone of ours that did not end),
# `origin`, `push`, `ssh`, `branch`, `detached`, `upstream` and `changes`, texts in base64.
fp_checkout_look() {
	fp_checkout_ssh=''
	if [ -e "$1/.git" ] && ! command -v git >/dev/null 2>&1; then
		printf 'git is not installed, so %s cannot be looked at\n' "$1"
		return 1
	fi
	fp_checkout_find "$1"
	printf 'state %s\n' "$fp_checkout_state"
	case $fp_checkout_state in
	broken) printf 'reason %s\n' "$(printf '%s' "$fp_checkout_said" | fp_base64)" ;;
	repository) ;;
	*) return 0 ;;
	esac
	[ "$fp_checkout_state" = repository ] || return 0
	printf 'begun %s\n' "$(fp_checkout_git config --local --get fleetprov.clone 2>/dev/null)"
	printf 'origin %s\n' "$(fp_checkout_setting remote.origin.url | fp_base64)"
	printf 'push %s\n' "$(fp_checkout_setting remote.origin.pushurl | fp_base64)"
	printf 'ssh %s\n' "$(fp_checkout_setting core.sshCommand | fp_base64)"
	printf 'branch %s\n' "$(fp_checkout_git symbolic-ref --quiet --short HEAD | fp_base64)"
	printf 'detached %s\n' "$(fp_checkout_git rev-parse --quiet --verify --short HEAD 2>/dev/null)"
	printf 'upstream %s\n' "$(fp_checkout_upstream "$2" | fp_base64)"
	printf 'changes %s\n' "$(fp_checkout_changes)"
}

# What branch $1 is pulled from, as REMOTE/BRANCH.
fp_checkout_upstream() {
	fp_checkout_from=$(fp_checkout_setting "branch.$1.remote")
	fp_checkout_merge=$(fp_checkout_setting "branch.$1.merge")
	[ -z "$fp_checkout_from$fp_checkout_merge" ] ||
		printf '%s/%s' "$fp_checkout_from" "${fp_checkout_merge#refs/heads/}"
}

# How many tracked files have been changed.
fp_checkout_changes() {
	fp_checkout_git status --porcelain --untracked-files=no 2>/dev/null | wc -l | tr -d ' '
}

# Runs git with what it says kept; $1 tells what that was for.
fp_checkout_try() {
	fp_checkout_what=$1
	shift
	fp_checkout_said=$(fp_checkout_git "$@" 2>&1) && return 0
	printf 'failed to %s: %s\n' "$fp_checkout_what" \
		"$(printf '%s\n' "$fp_checkout_said" | fp_checkout_masked | tail -n 6)" >&2
	return 1
}

# Refuses unless git is there and the folder $1 is in one of the states that follow.
fp_checkout_expect() {
	if ! command -v git >/dev/null 2>&1; then
		printf 'failed to change %s: git is not installed\n' "$1" >&2
		return 1
	fi
	fp_checkout_find "$1"
	fp_checkout_path=$1
	shift
	for fp_checkout_one; do
		[ "$fp_checkout_one" != "$fp_checkout_state" ] || return 0
	done
	fp_refuse "$fp_checkout_path has changed since it was looked at"
}

fp_checkout_fetch() {
	fp_checkout_try "fetch from $(fp_checkout_setting remote.origin.url)" fetch --quiet origin || return 1
	fp_checkout_git rev-parse --quiet --verify "refs/remotes/origin/$1" >/dev/null 2>&1 && return 0
	printf 'failed to find branch %s at %s\n' "$1" "$(fp_checkout_setting remote.origin.url)" >&2
	return 1
}

# PATH: a new repository that is marked as ours to finish.
fp_checkout_beside() {
	fp_checkout_try "make a repository in $1" init --quiet .fleetprov-clone || return 1
	fp_checkout_try "set up $1" config --file .fleetprov-clone/.git/config fleetprov.clone begun || return 1
	mv -- "$1/.fleetprov-clone/.git" "$1/.git" && rmdir -- "$1/.fleetprov-clone"
}

# PATH REMOTE BRANCH SSH: a clone in steps that can be taken again after a cut anywhere. Until the
# last of them the repository is marked as ours to finish: the folder was empty when it began.
fp_checkout_clone() {
	fp_checkout_ssh=$4
	fp_checkout_expect "$1" empty repository || return
	if [ "$fp_checkout_state" = repository ] &&
		[ "$(fp_checkout_git config --local --get fleetprov.clone)" != begun ]; then
		fp_refuse "$1 has become a repository since it was looked at"
		return
	fi
	# Git makes a repository in several steps, and one that it did not finish is broken: so it is made
	# beside, marked, and then renamed.
	rm -rf -- "$1/.fleetprov-clone"
	if [ "$fp_checkout_state" = empty ] && ! fp_checkout_beside "$1"; then
		rm -rf -- "$1/.fleetprov-clone"
		return 1
	fi
	rm -f -- "$1/.git/index.lock" "$1/.git/HEAD.lock" "$1/.git/config.lock"
	fp_checkout_try "set up $1" config --local remote.origin.url "$2" || return 1
	fp_checkout_try "set up $1" config --local remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*' || return 1
	fp_checkout_fetch "$3" || return 1
	fp_checkout_try "set up $1" symbolic-ref HEAD "refs/heads/$3" || return 1
	fp_checkout_try "check out $3" reset --quiet --hard "refs/remotes/origin/$3" || return 1
	fp_checkout_try "set up $1" config --local "branch.$3.remote" origin || return 1
	fp_checkout_try "set up $1" config --local "branch.$3.merge" "refs/heads/$3" || return 1
	fp_checkout_try "finish $1" config --local --unset fleetprov.clone
}

# PATH SETTING GUARD VALUE: sets a setting whose value was GUARD; an empty VALUE unsets it.
fp_checkout_configure() {
	fp_checkout_ssh=''
	fp_checkout_expect "$1" repository || return
	if [ "$(fp_checkout_setting "$2")" != "$3" ]; then
		fp_refuse "$2 of $1 has changed since it was looked at"
		return
	fi
	if [ -n "$4" ]; then
		fp_checkout_try "set $2" config --local --replace-all "$2" "$4"
	else
		fp_checkout_try "unset $2" config --local --unset-all "$2"
	fi
}

# PATH BRANCH: makes BRANCH follow the branch of the same name at origin.
fp_checkout_follow() {
	fp_checkout_ssh=''
	fp_checkout_expect "$1" repository || return
	fp_checkout_try "set the upstream of $2" config --local --replace-all "branch.$2.remote" origin || return 1
	fp_checkout_try "set the upstream of $2" config --local --replace-all "branch.$2.merge" "refs/heads/$2"
}

# PATH GUARD BRANCH SSH: changes from branch GUARD (empty when none was checked out) to BRANCH.
fp_checkout_switch() {
	fp_checkout_ssh=$4
	fp_checkout_expect "$1" repository || return
	if [ "$(fp_checkout_git symbolic-ref --quiet --short HEAD)" != "$2" ]; then
		fp_refuse "$1 is on another branch than when it was looked at"
		return
	fi
	if [ "$(fp_checkout_changes)" != 0 ]; then
		fp_refuse "$1 has local changes"
		return
	fi
	if [ -z "$2" ] && fp_checkout_head=$(fp_checkout_git rev-parse --quiet --verify HEAD) &&
		[ -z "$(fp_checkout_git for-each-ref --contains "$fp_checkout_head" --count=1)" ]; then
		fp_refuse "$1 is detached at commits that no branch holds; name them with git branch first"
		return
	fi
	if ! fp_checkout_git rev-parse --quiet --verify "refs/heads/$3" >/dev/null 2>&1; then
		fp_checkout_fetch "$3" || return 1
	fi
	fp_checkout_try "check out $3" checkout --quiet "$3" --
}

# How many lines standard input has.
fp_checkout_count() {
	wc -l | tr -d ' '
}

# Counts what of the repository that was found is nowhere else: sets fp_checkout_local to lines of a
# word and a number.
fp_checkout_own() {
	fp_checkout_local=''
	fp_checkout_list=$(fp_checkout_git status --porcelain --ignored --untracked-files=all 2>/dev/null) || return 1
	for fp_checkout_word in changed untracked ignored stashes commits worktrees submodules mounts; do
		case $fp_checkout_word in
		changed) fp_checkout_n=$(printf '%s\n' "$fp_checkout_list" | grep -v '^??' | grep -v '^!!' | grep -c .) ;;
		untracked) fp_checkout_n=$(printf '%s\n' "$fp_checkout_list" | grep -c '^??') ;;
		ignored) fp_checkout_n=$(printf '%s\n' "$fp_checkout_list" | grep -c '^!!') ;;
		stashes) fp_checkout_n=$(fp_checkout_git stash list 2>/dev/null | fp_checkout_count) ;;
		commits)
			# A head without a commit is none of its own.
			fp_checkout_head=$(fp_checkout_git rev-parse --quiet --verify HEAD 2>/dev/null)
			# shellcheck disable=SC2086 # a commit or nothing
			fp_checkout_n=$(fp_checkout_git rev-list --branches --tags $fp_checkout_head --not --remotes=origin \
				2>/dev/null | fp_checkout_count)
			;;
		worktrees) fp_checkout_n=$(fp_checkout_git worktree list --porcelain 2>/dev/null | grep -c '^worktree ') &&
			fp_checkout_n=$((fp_checkout_n - 1)) ;;
		submodules) fp_checkout_n=$(fp_checkout_git ls-files --stage 2>/dev/null | grep -c '^160000 ') ;;
		mounts)
			fp_hangable
			# shellcheck disable=SC2154 # the session sets it
			fp_checkout_n=$(printf '%s' "$fp_mounted" | grep -cF "$fp_checkout_at/")
			;;
		esac
		[ "$fp_checkout_n" = 0 ] || fp_checkout_local="$fp_checkout_local$fp_checkout_word $fp_checkout_n
"
	done
}

# PATH: prints `state` as fp_checkout_look does, and of a repository how much of each sort is in it
# alone. One whose removal was cut off holds nothing any more.
fp_checkout_holds() {
	fp_checkout_ssh=''
	if [ -e "$1/.git/fleetprov-leaving" ]; then
		printf 'state repository\n'
		return
	fi
	if [ -e "$1/.git" ] && ! command -v git >/dev/null 2>&1; then
		printf 'git is not installed, so %s cannot be looked at\n' "$1"
		return 1
	fi
	fp_checkout_find "$1"
	printf 'state %s\n' "$fp_checkout_state"
	[ "$fp_checkout_state" = repository ] || return 0
	if ! fp_checkout_own; then
		printf 'git cannot tell what is in %s\n' "$1"
		return 1
	fi
	printf '%s' "$fp_checkout_local"
}

# PATH: takes everything in the folder away, when nothing of it is there alone. The repository goes
# last, with a mark in it, so that a removal that was cut is gone on with.
fp_checkout_remove() {
	fp_checkout_ssh=''
	[ -e "$1" ] || return 0
	if [ ! -e "$1/.git/fleetprov-leaving" ]; then
		fp_checkout_expect "$1" empty repository || return
		if [ "$fp_checkout_state" = empty ]; then
			return 0
		fi
		if ! fp_checkout_own; then
			printf 'failed to tell what is in %s\n' "$1" >&2
			return 1
		elif [ -n "$fp_checkout_local" ]; then
			fp_refuse "$1 holds something that is nowhere else, by now"
			return
		fi
		: >"$1/.git/fleetprov-leaving" || return 1
		sync -- "$1/.git/fleetprov-leaving" 2>/dev/null || sync
	fi
	for fp_checkout_one in "$1"/* "$1"/.[!.]* "$1"/..?*; do
		case $fp_checkout_one in "$1/.git") continue ;; esac
		rm -rf -- "$fp_checkout_one" || return 1
	done
	for fp_checkout_one in "$1/.git"/* "$1/.git"/.[!.]* "$1/.git"/..?*; do
		case $fp_checkout_one in "$1/.git/fleetprov-leaving") continue ;; esac
		rm -rf -- "$fp_checkout_one" || return 1
	done
	rm -rf -- "$1/.git"
}
