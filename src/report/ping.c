#include "report/ping.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "report/style.h"

#define ICMP_HEADER 8
#define IPV4_HEADER 20
#define IPV6_HEADER 40

static unsigned ip_header(const struct ping_view *view)
{
	return view->target.family == 4 ? IPV4_HEADER : IPV6_HEADER;
}

/* "server.lab (192.0.2.1)" where the target has a name and the address is its; else the address. */
static const char *who(const struct ping_view *view, struct addr address, char *text, size_t size)
{
	char name[TEXT_MAX], shown[ADDR_TEXT_SIZE];
	addr_format(address, shown);
	escape_text(view->target_name, name, sizeof(name));
	if (view->numeric || !addr_equal(address, view->target) || strcmp(name, shown) == 0)
		snprintf(text, size, "%s", shown);
	else
		snprintf(text, size, "%s (%s)", name, shown);
	return text;
}

/* "ICMP echo", "TCP port 443" */
static const char *way_text(const struct engine_config *way, char *text, size_t size)
{
	if (way->protocol == PROBE_ICMP)
		snprintf(text, size, "ICMP echo");
	else
		snprintf(text, size, "%s port %u", way->protocol == PROBE_TCP ? "TCP" : "UDP",
			way->flow.destination_port);
	return text;
}

void ping_head(FILE *out, const struct ping_view *view)
{
	const struct engine_config *way = ping_way(view->ping);
	char name[TEXT_MAX], address[ADDR_TEXT_SIZE], text[40];
	escape_text(view->target_name, name, sizeof(name));
	addr_format(view->target, address);
	if (way->protocol != PROBE_ICMP)
		fprintf(out, "PING %s (%s) %s\n", name, address, way_text(way, text, sizeof(text)));
	else if (view->target.family == 4)
		fprintf(out, "PING %s (%s) %u(%u) bytes of data.\n", name, address, view->size,
			view->size + ICMP_HEADER + IPV4_HEADER);
	else
		fprintf(out, "PING %s(%s) %u data bytes\n", name, address, view->size);
	fflush(out);
}

/* ---- one line an event ---- */

static const char *sequence_word(const struct ping_view *view)
{
	return ping_way(view->ping)->protocol == PROBE_ICMP ? "icmp_seq" : "seq";
}

static void print_answer(FILE *out, const struct ping_view *view, const struct ping_event *event)
{
	const struct reply *reply = event->reply;
	char from[2 * TEXT_MAX];
	double ms = ns_to_ms(reply->rtt_ns);
	who(view, reply->from, from, sizeof(from));
	if (ping_way(view->ping)->protocol == PROBE_ICMP)
		fprintf(out, "%u bytes from %s: ",
			reply->header.size > (int)ip_header(view)
				? (unsigned)reply->header.size - ip_header(view)
				: view->size + ICMP_HEADER,
			from);
	else if (reply->icmp_type < 0)
		fprintf(out, "%s from %s: ",
			!reply->tcp_flags		     ? "answer"
				: reply->tcp_flags & TCP_RST ? "RST"
							     : "SYN+ACK",
			from);
	else
		fprintf(out, "port unreachable from %s: ", from);
	fprintf(out, "%s=%u ", sequence_word(view), (unsigned)event->number);
	if (reply->header.ttl > 0)
		fprintf(out, "ttl=%d ", reply->header.ttl);
	fprintf(out, "time=%.*f ms%s\n",
		ms >= 99.95	       ? 0
			: ms >= 9.995  ? 1
			: ms >= 0.9995 ? 2
				       : 3,
		ms, event->late ? " (late)" : "");
}

static void print_refusal(FILE *out, const struct ping_view *view, const struct ping_event *event)
{
	const struct reply *reply = event->reply;
	char from[2 * TEXT_MAX];
	const char *word = icmp_code_word(
		reply->from.family, (uint8_t)MAX(reply->icmp_type, 0), (uint8_t)MAX(reply->icmp_code, 0));
	fprintf(out, "From %s %s=%u ", who(view, reply->from, from, sizeof(from)), sequence_word(view),
		(unsigned)event->number);
	if (reply->kind == ICMP_TIME_EXCEEDED)
		fputs("Time to live exceeded\n", out);
	else if (reply->kind == ICMP_PACKET_TOO_BIG)
		fprintf(out, "Frag needed and DF set (mtu = %u)\n", (unsigned)reply->mtu);
	else
		fprintf(out, "%s\n", word ? word : "Destination unreachable");
}

static void print_other(FILE *out, const struct ping_view *view)
{
	const struct pinger *ping = view->ping;
	char before[40], now[40];
	fprintf(out, "no answer to %u of %s; %s answers: on with that\n", ping->earlier_sent,
		way_text(&ping->config.ways[0], before, sizeof(before)),
		way_text(ping_way(ping), now, sizeof(now)));
}

void ping_line(FILE *out, const struct ping_view *view, const struct ping_event *event)
{
	switch (event->kind) {
	case PING_ANSWER: print_answer(out, view, event); break;
	case PING_REFUSAL: print_refusal(out, view, event); break;
	case PING_OTHER: print_other(out, view); break;
	case PING_VOID:
		fprintf(out, "%s=%u could not be sent: %s\n", sequence_word(view), (unsigned)event->number,
			strerror(-event->error));
		break;
	case PING_LOST: break; /* as ping: the gap in the numbers tells */
	}
	fflush(out);
}

/* ---- the end ---- */

int ping_statistics(FILE *out, const struct ping_view *view, const struct report_options *options)
{
	const struct pinger *ping = view->ping;
	const struct series *series = &ping->series;
	char name[TEXT_MAX];
	unsigned settled = series_settled(series);
	struct share share = share_of(series->lost, settled);
	fprintf(out, "\n--- %s ping statistics ---\n%u packets transmitted, %u received, ",
		escape_text(view->target_name, name, sizeof(name)), settled, series->received);
	if (ping->refusals > 0)
		fprintf(out, "+%u errors, ", ping->refusals);
	if (settled > 0)
		fprintf(out, "%g%% packet loss, ", 100.0 * series->lost / settled);
	fprintf(out, "time %.0fms", ns_to_ms(view->now_wall_ns - view->started_wall_ns));
	if (settled > 0)
		fprintf(out, " (95 %%: %.1f..%.1f %% loss)", 100 * share.low, 100 * share.high);
	print_newline(out);
	if (series->received > 0)
		fprintf(out, "rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", ns_to_ms(series->best_ns),
			series->mean_ns / 1e6, ns_to_ms(series->worst_ns),
			sqrt(series->deviations / series->received) / 1e6);
	if (view->directions)
		directions_text(out, options, view->directions);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
