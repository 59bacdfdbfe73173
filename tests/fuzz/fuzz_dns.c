/* The lab's name server: any message is answered or ignored, and answers are messages. */
#include "base/addr.h"
#include "fuzz.h"
#include "sim/dns.h"
#include "sim/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world *world;
	uint8_t out[512];
	struct writer writer = writer_init(out, sizeof(out));
	struct cursor cursor = cursor_init(data, size);
	if (!world)
		CHECK(world_load("demo", &world, NULL) == 0);
	if (!names_resolve(world, &cursor, &writer))
		return 0;
	CHECK(writer.length >= 12 && writer.length <= sizeof(out));
	CHECK(out[2] & 0x80);			       /* a response ... */
	CHECK(out[0] == data[0] && out[1] == data[1]); /* ... to this question */
	return 0;
}
