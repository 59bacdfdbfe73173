#!/bin/bash
# As `nobody`, without capabilities: the way there is measured all the same, and one line says what is given up.
. "$(dirname "$0")/lib.sh"
need setpriv

build_asymmetric
as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all)
"${as_nobody[@]}" true 2>/dev/null || skip "cannot become nobody in this user namespace"
# Wherever it was built, nobody can read this copy.
install -m 755 "$RETOUR" $scratch/retour
RETOUR=$scratch/retour

for family in 4 6; do
	far=far$family
	expect_status 0 in_node near "${as_nobody[@]}" "$RETOUR" trace "${!far}" --json
	validate $scratch/out
	expect_equal "IPv$family: routers there" "$(truth near "${!far}")" "$(hops $scratch/out forward | owners)"
	expect_equal "IPv$family: one line about what is given up" 1 "$(grep -c cap_net_raw $scratch/err)"
	expect_status 0 in_node near "${as_nobody[@]}" "$RETOUR" "${!far}" --json
	expect_equal "IPv$family: there, when asked for both" "$(truth near "${!far}")" \
		"$(hops $scratch/out forward | owners)"
done

expect_status 1 in_node near "${as_nobody[@]}" "$RETOUR" mtr -r -c 1 -n "$far4"
expect_equal "mtr says what to do" 1 "$(grep -c setcap $scratch/err)"
