#!/bin/bash
# What is linked is loaded by every start of the program. A trace needs these and no more; other libraries are loaded
# by the runs that need them (src/base/library.h).
set -euo pipefail

allowed='libjansson libuv libm libc ld-linux-[a-z0-9-]*'
# With sanitizers the compiler's own as well.
allowed+=' lib[a-z]*san libgcc_s libstdc\+\+ libdl libpthread librt'

bad=0
while read -r library; do
	for name in $allowed; do
		[[ $library =~ ^$name\.so ]] && continue 2
	done
	echo "$library is linked: load it where it is needed (src/base/library.h)" >&2
	bad=1
done < <(readelf --dynamic --wide "${RETOUR:?}" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
exit $bad
