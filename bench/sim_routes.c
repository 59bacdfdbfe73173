/* What routing between ASes costs: for one destination, apart from the tables that packets are forwarded by.
 *
 *   sim_routes WORLD
 *
 * Destinations are spread evenly over the ASes. A line: ASES|EDGES|LOAD_S|WORLD_MIB|NS_PER_DESTINATION, the
 * last one the median of several runs over the same destinations. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/policy.h"

#define DESTINATIONS 1000
#define RUNS	     7

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

static double run(struct policy_work *work, uint32_t as_count)
{
	uint64_t count = as_count < DESTINATIONS ? as_count : DESTINATIONS;
	double start = seconds();
	for (uint64_t i = 0; i < count; i++)
		if (!policy_routes(work, (uint32_t)(i * as_count / count), NULL))
			exit(1);
	return (seconds() - start) / (double)count * 1e9;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
	struct world *world;
	struct error error = {.text = "sim_routes WORLD"};
	double before_mib = memory_mib(), start = seconds(), ns[RUNS];
	if (argc != 2 || world_load(argv[1], &world, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	double load_s = seconds() - start, load_mib = memory_mib() - before_mib;
	struct policy_work *work = policy_work_new(world);
	if (!work)
		return 1;
	for (unsigned i = 0; i < RUNS; i++)
		ns[i] = run(work, world->as_count);
	qsort(ns, RUNS, sizeof(*ns), compare);
	printf("%u|%u|%.2f|%.1f|%.0f\n", world->as_count, world->edge_count, load_s, load_mib, ns[RUNS / 2]);
	policy_work_free(work);
	world_free(world);
	return 0;
}
