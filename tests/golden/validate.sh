#!/bin/sh
# validate.sh FILE...: are these retour/1 documents? Exit 0 yes, 1 no (why on standard error), 77 cannot tell.
if ! /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
	echo "SKIP: python3-jsonschema is not installed" >&2
	exit 77
fi
exec /usr/bin/python3 "$(dirname "$0")/validate.py" "$@"
