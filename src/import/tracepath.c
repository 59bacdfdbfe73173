/* tracepath: "3:  NAME (ADDR)   8.1ms asymm  5", one probe a line, the same hop again when it was asked
 * again. Names stand without addresses unless -b or -n was given. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/dialect.h"
#include "import/header.h"

/* " 3:", " 1?:" */
static int ttl_of(const char **at)
{
	const char *p = text_skip(*at);
	int ttl = text_count(&p);
	if (ttl < 1 || ttl > 255)
		return -1;
	p += *p == '?';
	if (p[0] != ':' || p[1] != ' ')
		return -1;
	*at = p + 1;
	return ttl;
}

int tracepath_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	bool local = text_find(&source->text, "[LOCALHOST]"),
	     resume = text_find(&source->text, "Resume: pmtu");
	return local || resume ? 85 : 0;
}

static void take_extras(struct build *build, struct probe_result *probe, const char *rest)
{
	const char *mtu = strstr(rest, "pmtu "), *mark = strchr(rest, '!');
	if (mtu)
		probe->mtu = (uint32_t)strtoul(mtu + 5, NULL, 10) & 0xffff;
	if (mark) {
		char text[12];
		lex_copy(text, sizeof(text), mark, strcspn(mark, " "));
		build_mark(probe, probe->address.family, text);
	}
	if (strstr(rest, "reached"))
		build->reached = true;
}

static bool read_hop(struct build *build, const char *line)
{
	const char *at = line;
	int ttl = ttl_of(&at);
	struct token token, time;
	if (ttl < 0 || strstr(at, "[LOCALHOST]"))
		return ttl > 0;
	if (!build->trace)
		build_trace(build, PROBE_UDP);
	struct hop *hop = build_hop(build, ttl);
	at = text_skip(at);
	if (strncmp(at, "no reply", 8) == 0 || strncmp(at, "send failed", 11) == 0) {
		(void)build_probe(build, hop, ADDR_NONE, RTT_NONE);
		return true;
	}
	lex_next(&at, &token);
	lex_next(&at, &time);
	if ((token.kind != TOKEN_ADDRESS && token.kind != TOKEN_WORD) || time.kind != TOKEN_TIME)
		return false;
	struct probe_result *probe = build_probe(build, hop, token.address, time.rtt_ns);
	if (!probe)
		return true;
	build_name(build, token.address, token.name);
	if (!addr_is_set(token.address))
		build_hop_name(build, hop, token.name);
	take_extras(build, probe, at);
	if (build->reached && !addr_is_set(build->path->destination))
		build_target(build, addr_is_set(token.address) ? NULL : token.name, token.address);
	return true;
}

/* "Resume: pmtu 1480 hops 9 back 11" */
static void read_resume(struct build *build, const char *line)
{
	char remark[IMPORT_NOTE_SIZE];
	const char *back = strstr(line, " back ");
	if (back) {
		snprintf(remark, sizeof(remark),
			"tracepath takes the way back for %lu hops long, by the reply's hop limit",
			strtoul(back + 6, NULL, 10));
		build_remark(build, remark);
	}
	build_end(build);
}

void tracepath_read(struct build *build, const struct source *source)
{
	unsigned unread = 0;
	struct header header;
	for (size_t i = 0; i < source->text.count; i++) {
		const char *line = source->text.lines[i];
		if (strstr(line, "[LOCALHOST]") && build->path && build->path->hop_count > 0)
			build_end(build); /* another trace */
		if (header_command(line, "tracepath", &header)) {
			build_trace(build, PROBE_UDP);
			build_target(build, header.name, header.target);
			unread = 0;
		} else if (read_hop(build, line)) {
			build->unread += build->path && build->path->hop_count > 0 ? unread : 0;
			unread = 0;
		} else if (text_begins(line, "Resume:")) {
			read_resume(build, line);
		} else if (*text_skip(line)) {
			unread++;
		}
	}
	build_end(build);
}
