/* Records about origins, from whoever runs the zone. */
#include <string.h>

#include "annotate/origin_dns.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text record = {(const char *)data, size};
	struct origin origin;
	char name[16];
	if (origin_dns_read(record, addr_v4(0xcb007109), &origin))
		CHECK(origin.count > 0 && origin.count <= ORIGINS_MAX && origin.length <= 32);
	if (origin_dns_read(record, addr_v6(0x20010db800000000, 1), &origin))
		CHECK(origin.count > 0 && origin.length <= 128);
	if (origin_dns_read_as(record, 64500, name, sizeof(name)))
		CHECK(strlen(name) > 0 && strlen(name) < sizeof(name));
	return 0;
}
