# SPDX-License-Identifier: Apache-2.0
# handfast.bash - bash completion of handfast(1). Commands and options are those that its own --help tells, so that none
# is missing here.

_handfast() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]} words
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		words="$("$program" --help 2> /dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p') --help --version"
	else
		case ${COMP_WORDS[1]}:$before in
		run:--)
			mapfile -t COMPREPLY < <(compgen -c -- "$word")
			return
			;;
		*:--engine) words='rtl model lockstep' ;;
		*:--data-width) words='64 512' ;;
		conns:--sort) words='age peer state' ;;
		conns:--state) words='SYN-SENT SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 CLOSE-WAIT CLOSING LAST-ACK TIME-WAIT' ;;
		*:--in | *:--out | *:--config | *:--pcapng | *:-w | *:--socket | *:--preload)
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return
			;;
		*)
			words=$("$program" "${COMP_WORDS[1]}" --help 2> /dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)
			case ${COMP_WORDS[1]} in
			listener) ((COMP_CWORD == 3)) && words+=' offload bypass off' ;;
			keys) words+=' rotate' ;;
			limit) ((COMP_CWORD == 3)) && words+=' off' ;;
			esac
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _handfast handfast
