# bash completion for retour(1)                                            -*- shell-script -*-

_retour_hosts() {
	COMPREPLY+=($(compgen -A hostname -- "$1"))
}

# The long options that a command's own help tells.
_retour_options() {
	COMPREPLY+=($(compgen -W "$(retour "$@" --help 2>/dev/null | grep -oE -- '--[a-z][a-z0-9-]+')" -- "$cur"))
}

_retour_lab() {
	local verb=${COMP_WORDS[2]} i
	if [ "$COMP_CWORD" -eq 2 ]; then
		COMPREPLY=($(compgen -W 'generate hosts link list run shell stats truth' -- "$cur"))
		return
	fi
	for ((i = 3; i < COMP_CWORD; i++)); do
		[ "${COMP_WORDS[i]}" = -- ] && _command_offset $((i + 1)) && return
	done
	case $prev in
	-w | --world)
		COMPREPLY=($(compgen -W "$(retour lab list 2>/dev/null | awk '{ print $1 }')" -- "$cur")
			$(compgen -f -X '!*.yaml' -- "$cur"))
		;;
	--on)
		COMPREPLY=($(compgen -W "$(retour lab hosts 2>/dev/null)" -- "$cur"))
		;;
	*)
		case $verb in
		run | shell) COMPREPLY=($(compgen -W '--world --on --pcap --no-services --seed --' -- "$cur")) ;;
		link) COMPREPLY=($(compgen -W 'up down reroute' -- "$cur")) ;;
		generate) COMPREPLY=($(compgen -W '--ases --seed --profile --output --summary' -- "$cur")) ;;
		truth) COMPREPLY=($(compgen -W "--world --json --reveals --flow --at --seed --bulk $(retour lab hosts 2>/dev/null)" -- "$cur")) ;;
		*) COMPREPLY=($(compgen -W '--world' -- "$cur")) ;;
		esac
		;;
	esac
}

_retour() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
	COMPREPLY=()
	if [ "$prev" = --via ]; then
		COMPREPLY=($(compgen -W 'responder inband ssh record-route source-route source-route-rh0 source-route-lsrr revtr lg globalping atlas inferred' -- "$cur"))
		return
	fi
	if [ "$COMP_CWORD" -eq 1 ] && [[ $cur != -* ]]; then
		COMPREPLY=($(compgen -W 'trace back watch ping lg revtr serve data doctor lab mtr pathping traceroute traceroute6 tracert' -- "$cur"))
		_retour_hosts "$cur"
		return
	fi
	case $command in
	lab) _retour_lab ;;
	serve | doctor) _retour_options "$command" ;;
	lg)
		if [[ $cur == -* ]]; then
			_retour_options lg
		elif [ "$COMP_CWORD" -eq 2 ]; then
			COMPREPLY=($(compgen -W 'find list ask' -- "$cur"))
		else
			_retour_hosts "$cur"
		fi
		;;
	revtr)
		if [[ $cur == -* ]]; then
			_retour_options revtr
		elif [ "$COMP_CWORD" -eq 2 ]; then
			COMPREPLY=($(compgen -W 'coordinator broker submit show watch cancel sources agents budget source atlas key' -- "$cur"))
		else
			_retour_hosts "$cur"
		fi
		;;
	data)
		if [[ $cur == -* ]]; then
			_retour_options data
		elif [ "$COMP_CWORD" -eq 2 ]; then
			COMPREPLY=($(compgen -W import -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi
		;;
	trace | back | watch | ping | mtr | pathping | traceroute | traceroute6 | tracert) [[ $cur == -* ]] && _retour_options "$command" || _retour_hosts "$cur" ;;
	*) [[ $cur == -* ]] && _retour_options || _retour_hosts "$cur" ;;
	esac
}

complete -F _retour retour
