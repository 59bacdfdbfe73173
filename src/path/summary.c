/* What the probes of a hop say together. */
#include <errno.h>
#include <stdlib.h>

#include "path/model.h"

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static int summarise_rtt(struct hop *hop)
{
	hop->rtt_min_ns = hop->rtt_median_ns = hop->rtt_max_ns = RTT_NONE;
	int64_t *rtts = calloc(hop->probe_count, sizeof(*rtts));
	if (!rtts)
		return -ENOMEM;
	size_t count = 0;
	for (size_t i = 0; i < hop->probe_count; i++)
		if (hop->probes[i].rtt_ns != RTT_NONE)
			rtts[count++] = hop->probes[i].rtt_ns;
	if (count > 0) {
		qsort(rtts, count, sizeof(*rtts), compare_ns);
		hop->rtt_min_ns = rtts[0];
		hop->rtt_max_ns = rtts[count - 1];
		/* Of an even number the mean of the two in the middle. */
		int64_t low = rtts[(count - 1) / 2], high = rtts[count / 2];
		hop->rtt_median_ns = low + (high - low) / 2;
	}
	free(rtts);
	return 0;
}

static unsigned answers_from(const struct hop *hop, struct addr address)
{
	unsigned count = 0;
	for (size_t i = 0; i < hop->probe_count; i++)
		count += addr_equal(hop->probes[i].address, address);
	return count;
}

static int summarise_addresses(struct hop *hop)
{
	hop->address_count = 0;
	hop->address = ADDR_NONE;
	for (size_t i = 0; i < hop->probe_count; i++)
		if (addr_is_set(hop->probes[i].address) && hop_add_address(hop, hop->probes[i].address) < 0)
			return -ENOMEM;
	size_t best = 0;
	unsigned best_answers = 0;
	for (size_t i = 0; i < hop->address_count; i++) {
		unsigned answers = answers_from(hop, hop->addresses[i]);
		if (answers > best_answers) {
			best = i;
			best_answers = answers;
		}
	}
	if (hop->address_count == 0)
		return 0;
	/* The shown one moves to the front, the others keep their order. */
	hop->address = hop->addresses[best];
	for (size_t i = best; i > 0; i--)
		hop->addresses[i] = hop->addresses[i - 1];
	hop->addresses[0] = hop->address;
	return 0;
}

int hop_summarise(struct hop *hop)
{
	/* A hop that is known without probes of its own keeps what its method said. */
	if (hop->probe_count == 0)
		return addr_is_set(hop->address) ? hop_add_address(hop, hop->address) : 0;
	hop->sent = (unsigned)hop->probe_count;
	hop->received = 0;
	for (size_t i = 0; i < hop->probe_count; i++)
		hop->received += probe_answered(&hop->probes[i]);
	int status = summarise_addresses(hop);
	return status < 0 ? status : summarise_rtt(hop);
}

int path_summarise(struct path *path)
{
	unsigned sent = 0, received = 0;
	for (size_t i = 0; i < path->hop_count; i++) {
		int status = hop_summarise(&path->hops[i]);
		if (status < 0)
			return status;
		sent += path->hops[i].sent;
		received += path->hops[i].received;
	}
	/* Who sent probes that no hop shows (beyond the target) has counted more, and knows better. */
	path->probes_sent = MAX(path->probes_sent, sent);
	path->replies_received = MAX(path->replies_received, received);
	return 0;
}
