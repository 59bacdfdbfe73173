/* What routing between ASes costs: for one destination, apart from the tables that packets are forwarded by.
 *
 *   sim_routes WORLD [DESTINATIONS]
 *
 * A line: ASES EDGES LOAD_S WORLD_MIB NS_PER_DESTINATION. Destinations are spread evenly over the ASes. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/policy.h"

#define MOST 2000

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Of this process, now. */
static double memory_mib(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file || fscanf(file, "%*u %lu", &pages) != 1)
		exit(1);
	fclose(file);
	return (double)pages * 4096 / (1 << 20);
}

int main(int argc, char **argv)
{
	struct world *world;
	struct error error = {0};
	double before_mib = memory_mib(), start = seconds();
	if (argc < 2 || world_load(argv[1], &world, &error) < 0) {
		fprintf(stderr, "%s\n", argc < 2 ? "sim_routes WORLD [DESTINATIONS]" : error.text);
		return 1;
	}
	double load_s = seconds() - start, load_mib = memory_mib() - before_mib;
	uint32_t count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : MOST;
	if (count > world->as_count)
		count = world->as_count;
	struct policy_work *work = policy_work_new(world);
	if (!work || !policy_routes(work, 0, NULL))
		return 1;
	uint64_t sum = 0;
	start = seconds();
	for (uint32_t i = 0; i < count; i++) {
		if (!policy_routes(work, (uint32_t)((uint64_t)i * world->as_count / count), NULL))
			return 1;
		if (getenv("SUM"))
			for (uint32_t k = 0; k < world->as_count; k++)
				sum = (sum ^ policy_choices(work)[k]) * 0x9e3779b97f4a7c15;
	}
	printf("%u %u %.3f %.1f %.0f\n", world->as_count, world->edge_count, load_s, load_mib,
		(seconds() - start) / count * 1e9);
	if (getenv("SUM"))
		printf("%016lx\n", sum);
	policy_work_free(work);
	world_free(world);
	return 0;
}
