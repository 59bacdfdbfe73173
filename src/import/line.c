/* Two passes over a line: the first tells whether it is one of a traceroute at all, the second takes it.
 * Whatever the order of the pieces, an answer belongs to the responder named last before it; a mark right
 * behind a time belongs to that time, and anywhere else stands for an answer without one (Cisco). */
#include "import/line.h"

#include <string.h>

#include "import/text.h"

int line_ttl(const char **at)
{
	const char *p = text_skip(*at);
	int ttl = text_count(&p);
	if (ttl < 0 || ttl > 255)
		return -1;
	while (*p && strchr(".:|-)?", *p))
		p++;
	if (*p != ' ' && *p != '\0')
		return -1;
	*at = p;
	return ttl;
}

/* SR OS announces labels in words: "returned MPLS Label Stack Object", "entry  1: MPLS Label = 24001, ...".
 */
static const char *label_line(const char *line)
{
	const char *found = strstr(line, "MPLS Label");
	if (found && (text_begins(line, "entry") || text_begins(line, "returned")))
		return found;
	return NULL;
}

enum line_kind line_kind(const char *line, int *ttl)
{
	const char *at = line;
	struct token token;
	unsigned words = 0, addresses = 0, answers = 0, stars = 0, labels = 0, others = 0;
	*ttl = line_ttl(&at);
	if (*ttl < 0 && label_line(line))
		return LINE_MORE;
	for (lex_next(&at, &token); token.kind != TOKEN_END; lex_next(&at, &token)) {
		bool answer = token.kind == TOKEN_TIME || token.kind == TOKEN_MARK;
		/* A time that belongs to nobody: not this kind of line. */
		if (answer && addresses == 0 && words != 1 && !(token.kind == TOKEN_MARK && stars > 0))
			return LINE_OTHER;
		answers += answer;
		stars += token.kind == TOKEN_STAR;
		addresses += token.kind == TOKEN_ADDRESS;
		labels += token.kind == TOKEN_LABELS;
		if (token.kind == TOKEN_WORD && answers == 0 && stars == 0)
			words++;
		else if (token.kind == TOKEN_WORD)
			others++;
	}
	bool answered = answers > 0 || stars > 0;
	if (*ttl >= 0) {
		bool named = addresses > 0 || (words == 1 && answers > 0) || (words == 0 && stars > 0);
		return named && *ttl > 0 && (answered || words == 0) ? LINE_HOP : LINE_OTHER;
	}
	if (others > 0 || words > (addresses ? 0 : 1))
		return LINE_OTHER;
	bool only_labels = labels > 0 && !answered && words == 0;
	return (addresses > 0 && answered) || (words == 0 && stars > 0) || only_labels ? LINE_MORE
										       : LINE_OTHER;
}

struct taking {
	struct build *build;
	struct hop *hop;
	struct addr responder;
	size_t first; /* probe of the hop that is the responder's */
	char word[LEX_NAME_SIZE];
	uint32_t asns[LEX_ASNS_MAX];
	size_t asn_count;
	struct mpls_entry labels[MPLS_STACK_MAX];
	uint8_t label_count;
	struct probe_result *timed; /* whom a mark would annotate */
};

static void take_address(struct taking *taking, const struct token *token)
{
	struct build *build = taking->build;
	taking->responder = token->address;
	taking->first = taking->hop->probe_count;
	taking->label_count = 0;
	build_name(build, token->address, token->name);
	build_origins(build, token->address, taking->asns, taking->asn_count);
	taking->asn_count = 0;
}

/* Behind an address it is that one's; elsewhere it is the next one's (BSD). */
static void take_origins(struct taking *taking, const struct token *token, enum token_kind before)
{
	if (before == TOKEN_ADDRESS) {
		build_origins(taking->build, taking->responder, token->asns, token->asn_count);
		return;
	}
	taking->asn_count = token->asn_count;
	memcpy(taking->asns, token->asns, sizeof(taking->asns));
}

static void put_labels(struct probe_result *probe, const struct mpls_entry *labels, uint8_t count)
{
	memcpy(probe->mpls, labels, count * sizeof(*labels));
	probe->mpls_count = count;
}

/* Of the answers that follow, or, behind them, of those before. */
static void take_labels(struct taking *taking, const struct token *token)
{
	struct hop *hop = taking->hop;
	bool behind = false;
	for (size_t i = taking->first; i < hop->probe_count; i++) {
		struct probe_result *probe = &hop->probes[i];
		if (!addr_equal(probe->address, taking->responder) || !addr_is_set(probe->address))
			continue;
		behind = true;
		/* Some print a line for each label. */
		uint8_t room = MPLS_STACK_MAX - probe->mpls_count;
		uint8_t count = MIN(token->label_count, room);
		for (uint8_t k = 0; k < probe->mpls_count && count > 0; k++)
			probe->mpls[k].bottom = false;
		memcpy(probe->mpls + probe->mpls_count, token->labels, count * sizeof(*token->labels));
		probe->mpls_count += count;
	}
	if (behind)
		return;
	memcpy(taking->labels, token->labels, sizeof(taking->labels));
	taking->label_count = token->label_count;
}

static void take_answer(struct taking *taking, int64_t rtt_ns)
{
	struct probe_result *probe = build_probe(taking->build, taking->hop, taking->responder, rtt_ns);
	if (probe)
		put_labels(probe, taking->labels, taking->label_count);
	taking->timed = probe;
	if (!addr_is_set(taking->responder))
		build_hop_name(taking->build, taking->hop, taking->word);
}

static void take_mark(struct taking *taking, const struct token *token)
{
	/* BSD's "!" says only that the answer arrived with its last hop limit; another mark may follow. */
	bool more = taking->timed && (!taking->timed->mark[0] || strcmp(taking->timed->mark, "!") == 0);
	if (!more)
		take_answer(taking, RTT_NONE);
	build_mark(taking->timed, taking->responder.family, token->mark);
}

static void take(struct taking *taking, const struct token *token, enum token_kind before)
{
	switch (token->kind) {
	case TOKEN_STAR: (void)build_probe(taking->build, taking->hop, ADDR_NONE, RTT_NONE); break;
	case TOKEN_TIME: take_answer(taking, token->rtt_ns); break;
	case TOKEN_ADDRESS: take_address(taking, token); break;
	case TOKEN_AS: take_origins(taking, token, before); break;
	case TOKEN_MARK: take_mark(taking, token); break;
	case TOKEN_LABELS: take_labels(taking, token); break;
	case TOKEN_WORD:
		lex_copy(taking->word, sizeof(taking->word), token->name, strlen(token->name));
		break;
	case TOKEN_END: break;
	}
	if (token->kind != TOKEN_TIME && token->kind != TOKEN_MARK)
		taking->timed = NULL;
}

/* Who answered last in this hop: labels on a line of their own are his. */
static void resume(struct taking *taking)
{
	for (size_t i = taking->hop->probe_count; i > 0; i--) {
		if (!addr_is_set(taking->hop->probes[i - 1].address))
			continue;
		taking->responder = taking->hop->probes[i - 1].address;
		return;
	}
}

void line_read(struct build *build, int ttl, const char *line)
{
	struct taking taking = {.build = build, .hop = build_hop(build, ttl)};
	struct token token;
	enum token_kind before = TOKEN_END;
	const char *at = label_line(line);
	bool more = line_ttl(&line) < 0;
	if (!taking.hop)
		return;
	if (more)
		resume(&taking);
	if (!at)
		at = line;
	for (lex_next(&at, &token); token.kind != TOKEN_END; lex_next(&at, &token)) {
		take(&taking, &token, before);
		before = token.kind;
	}
	/* An address alone is an answer, too. */
	if (before == TOKEN_ADDRESS && taking.first == taking.hop->probe_count)
		take_answer(&taking, RTT_NONE);
}
