/* A world file is refused with a text, or it is a world in which a packet can be sent. */
#include <string.h>

#include "base/clock.h"
#include "fuzz.h"
#include "sim/sim.h"

static void run(const struct world *world)
{
	/* a UDP packet to wherever its first host is */
	uint8_t bytes[64];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	struct packet_spec spec = {.ip = {.ttl = 9, .protocol = PROTOCOL_UDP}};
	spec.ip.source = spec.ip.destination = world_node_address(world, 0, 4);
	struct sim *sim = sim_new(world, 1);
	CHECK(sim != NULL);
	if (packet_write(&writer, &spec) == 0)
		(void)sim_send(sim, world->host_count - 1, bytes, writer.length);
	sim_advance(sim, NS_PER_MS);
	sim_free(sim);
}

static void note(void *context, const char *line)
{
	CHECK(line[0] && !strchr(line, '\n'));
	++*(unsigned *)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *world;
	struct error error = {0};
	char *text = malloc(size + 1);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	unsigned told = 0;
	if (world_parse_telling("w", text, note, &told, &world, &error) < 0) {
		CHECK(!world && told > 0 && error.text[0] && !strchr(error.text, '\n'));
	} else {
		if (world->host_count > 0)
			run(world);
		world_free(world);
	}
	free(text);
	return 0;
}
