#include "revtr/differ.h"

#include "base/compiler.h"

static unsigned used(const struct route_option *list)
{
	return MIN(MIN(list->used, list->slots), RECORD_ROUTE_SLOTS_MAX);
}

/* The stamps that both have up to the end of one of them, when place `j` of the second lies beside place `i`
 * of the first: counted back from there. */
static unsigned shared_until(
	const struct route_option *first, unsigned i, const struct route_option *second, unsigned j)
{
	unsigned count = 0;
	while (count < MIN(i, j) && addr_is_set(first->addrs[i - 1 - count]) &&
		addr_equal(first->addrs[i - 1 - count], second->addrs[j - 1 - count]))
		count++;
	return count;
}

/* One of them ends while the other may go on. */
bool differ_compare(
	const struct route_option *first, const struct route_option *second, struct differ *differ)
{
	unsigned m = used(first), n = used(second);
	*differ = (struct differ){0, 0, 0};
	for (unsigned end = 1; end <= m; end++) {
		unsigned count = shared_until(first, end, second, n);
		if (count > differ->shared)
			*differ = (struct differ){end - count, n - count, count};
	}
	for (unsigned end = 1; end < n; end++) {
		unsigned count = shared_until(first, m, second, end);
		if (count > differ->shared)
			*differ = (struct differ){m - count, end - count, count};
	}
	return differ->shared > 0 && (differ->first > 0 || differ->second > 0);
}

int differ_ahead(
	const struct route_option *first, const struct route_option *second, const struct differ *differ)
{
	return (int)(used(first) - differ->first) - (int)(used(second) - differ->second);
}
