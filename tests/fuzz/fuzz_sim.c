/* Whatever a host sends into the virtual Internet, it keeps running. The first byte chooses the host. */
#include "base/clock.h"
#include "fuzz.h"
#include "sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world *world;
	if (!world)
		CHECK(world_load("mpls", &world, NULL) == 0);
	if (size < 1)
		return 0;
	struct sim *sim = sim_new(world, 1);
	CHECK(sim != NULL);
	(void)sim_send(sim, data[0] & 1, data + 1, size - 1);
	sim_advance(sim, NS_PER_S);
	CHECK(sim_next(sim) == TIME_NEVER); /* nothing goes round for ever */
	sim_free(sim);
	return 0;
}
