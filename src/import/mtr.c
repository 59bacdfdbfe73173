#include "import/mtr.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "import/text.h"

struct mtr_host mtr_host(const char *text, size_t length)
{
	char copy[2 * LEX_NAME_SIZE];
	struct mtr_host host = {.known = true};
	struct token token;
	lex_copy(copy, sizeof(copy), text, length);
	const char *at = text_skip(copy);
	if (*at == '\0' || strncmp(at, "???", 3) == 0 || strncmp(at, "(waiting", 8) == 0) {
		host.known = false;
		return host;
	}
	lex_next(&at, &token);
	host.address = token.address;
	if (token.kind == TOKEN_ADDRESS || token.kind == TOKEN_WORD)
		memcpy(host.name, token.name, sizeof(host.name));
	host.known = addr_is_set(host.address) || host.name[0];
	return host;
}

void mtr_column(struct mtr_sums *sums, const char *name, size_t length, double value)
{
	static const struct {
		const char *name;
		size_t offset;
	} columns[] = {{"Loss%", offsetof(struct mtr_sums, loss_percent)},
		{"Loss", offsetof(struct mtr_sums, loss_percent)}, {"Snt", offsetof(struct mtr_sums, sent)},
		{"Sent", offsetof(struct mtr_sums, sent)}, {"Rcv", offsetof(struct mtr_sums, received)},
		{"Best", offsetof(struct mtr_sums, best_ms)}, {"Wrst", offsetof(struct mtr_sums, worst_ms)},
		{"Worst", offsetof(struct mtr_sums, worst_ms)}};
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		if (strlen(columns[i].name) == length && strncasecmp(columns[i].name, name, length) == 0 &&
			value >= 0 && value < 1e9)
			memcpy((char *)sums + columns[i].offset, &value, sizeof(value));
}

static int64_t ms(double value)
{
	return value >= 0 ? llround(value * (double)NS_PER_MS) : RTT_NONE;
}

static unsigned whole(double value)
{
	return value > 0 ? (unsigned)lround(value) : 0;
}

void mtr_hop(struct build *build, int ttl, const struct mtr_host *host, const struct mtr_sums *sums)
{
	struct hop *hop = build_hop(build, ttl);
	double received = sums->received;
	if (!hop)
		return;
	if (received < 0 && sums->sent > 0 && sums->loss_percent >= 0)
		received = sums->sent * (1 - MIN(sums->loss_percent, 100) / 100);
	build_sums(build, hop, host->address, whole(sums->sent), host->known ? whole(received) : 0,
		ms(sums->best_ms), ms(sums->worst_ms));
	build_name(build, host->address, host->name);
	if (!addr_is_set(host->address))
		build_hop_name(build, hop, host->name);
}
