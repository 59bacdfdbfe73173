/* The other pages: a hop, the changes of the way, the way back, help. */
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "report/directions.h"
#include "report/tui_inside.h"

static double ms(int64_t ns)
{
	return ns == RTT_NONE ? 0 : ns_to_ms(ns);
}

/* Labels, hop limit of the answers, mark. */
static void put_particulars(struct tui *tui, const struct responder *responder, int y)
{
	int x = 6;
	if (responder->reply_ttl > 0)
		x = tui_put(tui, y, x, COLOUR_DIM, 0, "answers arrive with TTL %d  ", responder->reply_ttl);
	for (unsigned i = 0; i < responder->mpls_count; i++)
		x = tui_put(tui, y, x, COLOUR_DIM, 0, "MPLS label %u TTL %u  ", responder->mpls[i].label,
			responder->mpls[i].ttl);
	if (responder->mark[0])
		tui_put(tui, y, x, COLOUR_PROBLEM, A_BOLD, "refuses: %s", responder->mark);
}

static int put_responders(
	struct tui *tui, const struct watch_view *view, const struct timeline_hop *hop, int y, int end)
{
	static const char *const states[] = {"now", "new", "old way"};
	for (size_t i = 0; i < hop->responder_count && y + 1 < end; i++) {
		const struct responder *responder = &hop->responders[i];
		char name[200], as[16], first[16], last[16], address[ADDR_TEXT_SIZE];
		bool old = responder->state == RESPONDER_OLD;
		watch_clock(view, responder->first_ns, first, sizeof(first));
		watch_clock(view, responder->last_ns, last, sizeof(last));
		addr_format(responder->address, address);
		watch_name(view, responder->address, name, sizeof(name));
		int x = tui_put(
			tui, y, 1, old ? COLOUR_DIM : tui_role(view, hop->ttl), A_BOLD, "%s", address);
		if (strcmp(name, address) != 0)
			x = tui_put(tui, y, x, COLOUR_PLAIN, 0, "  %s", name);
		x = tui_put(tui, y, x, COLOUR_PLAIN, 0, "  %s",
			watch_as(view, responder->address, as, sizeof(as)));
		tui_put(tui, y++, x, COLOUR_DIM, 0, "  %s, %s to %s", states[responder->state], first, last);
		tui_put(tui, y, 6, COLOUR_PLAIN, 0,
			"%u answers: best %.2f, mean %.2f, worst %.2f, stdev %.2f ms",
			responder->series.received, ms(responder->series.best_ns),
			responder->series.mean_ns / 1e6, ms(responder->series.worst_ns),
			series_deviation_ns(&responder->series) / 1e6);
		put_particulars(tui, responder, ++y);
		y++;
	}
	return y;
}

static int put_statistics(
	struct tui *tui, const struct watch_view *view, const struct timeline_hop *hop, int y)
{
	struct loss loss = timeline_loss(view->timeline, hop->ttl);
	const struct series *total = &hop->total;
	char remark[300];
	tui_put(tui, y++, 1, loss.lost ? COLOUR_PROBLEM : COLOUR_PLAIN, 0,
		"loss %u of %u: %.1f %%, 95 %% sure between %.1f and %.1f %%", loss.lost, loss.sent,
		loss.sent ? 100.0 * loss.lost / loss.sent : 0, 100 * loss.share.low, 100 * loss.share.high);
	tui_put(tui, y++, 1, COLOUR_PLAIN, 0, "%u sent, %u answered, %u unanswered, %u on the way",
		series_settled(total) + hop->in_flight, total->received, total->lost, hop->in_flight);
	watch_remark(view, hop->ttl, remark, sizeof(remark));
	if (*remark)
		tui_put(tui, y++, 1, COLOUR_WARNING, 0, "%s", remark);
	total = &hop->now;
	if (total->received == 0)
		return y + 1;
	tui_put(tui, y++, 1, COLOUR_PLAIN, 0,
		"last %.2f  best %.2f  median %.2f  mean %.2f  95th %.2f  99th %.2f  worst %.2f ms",
		ms(total->last_ns), ms(total->best_ns), ms(timeline_quantile_ns(hop, 0.5)),
		total->mean_ns / 1e6, ms(timeline_quantile_ns(hop, 0.95)),
		ms(timeline_quantile_ns(hop, 0.99)), ms(total->worst_ns));
	tui_put(tui, y++, 1, COLOUR_PLAIN, 0,
		"stdev %.2f  jitter now %.2f  mean %.2f  worst %.2f  RFC 3550 %.2f ms",
		series_deviation_ns(total) / 1e6, ms(total->jitter_ns), series_jitter_mean_ns(total) / 1e6,
		ms(total->jitter_worst_ns), total->interarrival_ns / 1e6);
	return y + 1;
}

void page_detail(struct tui *tui, const struct tui_frame *frame, int y, int height)
{
	int row = table_selected(tui, frame->view), end = y + height;
	unsigned ttl = tui->row_count > 0 ? tui->rows[row].ttl : 0;
	const struct timeline_hop *hop = timeline_hop(frame->view->timeline, ttl);
	if (!hop) {
		tui_put(tui, y, 1, COLOUR_DIM, 0, "nothing is known of this hop yet");
		return;
	}
	tui_put(tui, y, 0, tui_role(frame->view, ttl), A_BOLD, " hop %u", ttl);
	y = put_statistics(tui, frame->view, hop, y + 1);
	y = put_responders(tui, frame->view, hop, y, end);
	if (end - y >= 6)
		chart_draw(tui, frame, ttl, true, y, end - y);
}

void page_changes(struct tui *tui, const struct tui_frame *frame, int y, int height)
{
	const struct timeline *timeline = frame->view->timeline;
	tui_put(tui, y, 1, COLOUR_PLAIN, A_BOLD, "%u change%s of the way there, the last first",
		timeline->changes_ever, timeline->changes_ever == 1 ? "" : "s");
	if (timeline->change_count == 0)
		tui_put(tui, y + 1, 1, COLOUR_DIM, 0, "The same routers have answered since the beginning.");
	tui->page_top = MAX(0, MIN(tui->page_top, (int)timeline->change_count - 1));
	for (int i = 0; i < height - 1 && tui->page_top + i < (int)timeline->change_count; i++) {
		char line[400];
		size_t index = timeline->change_count - 1 - (size_t)(tui->page_top + i);
		watch_change_line(frame->view, &timeline->changes[index], line, sizeof(line));
		tui_put(tui, y + 1 + i, 1, COLOUR_WARNING, 0, "%s", line);
	}
}

void page_back(struct tui *tui, const struct tui_frame *frame, int y, int height)
{
	const struct watch_view *view = frame->view;
	const struct path *path = view->back ? view->back->reverse : NULL;
	char line[400], name[200], as[16];
	watch_back_line(view, line, sizeof(line));
	tui_put(tui, y, 1, COLOUR_PLAIN, A_BOLD, "the way back: %s", line);
	if (view->directions &&
		*directions_line(view->directions, tui->options.utf8, tui->width - 1, line, sizeof(line))) {
		tui_put(tui, ++y, 1, COLOUR_PLAIN, 0, "%s", line);
		height--;
	}
	for (size_t i = 0; view->back && !path && i < view->back->attempt_count; i++)
		tui_put(tui, y + 1 + (int)i, 1, COLOUR_DIM, 0, "by %s: %s%s%s",
			view->back->attempts[i].method, attempt_status_word(view->back->attempts[i].status),
			view->back->attempts[i].detail ? ", " : "",
			view->back->attempts[i].detail ? view->back->attempts[i].detail : "");
	if (!path)
		return;
	tui_put(tui, y + 1, 1, COLOUR_DIM, 0, "in the order in which a packet travels from there to here");
	tui->page_top = MAX(0, MIN(tui->page_top, (int)path->hop_count - 1));
	for (int i = 0; i < height - 2 && tui->page_top + i < (int)path->hop_count; i++) {
		const struct hop *hop = &path->hops[tui->page_top + i];
		watch_name(view, hop->address, name, sizeof(name));
		int x = tui_put(tui, y + 2 + i, 1, COLOUR_PLAIN, 0, "%3d  %-40s %-9s",
			path_hop_number(path, (size_t)(tui->page_top + i)), name,
			watch_as(view, hop->address, as, sizeof(as)));
		if (hop->rtt_median_ns != RTT_NONE)
			tui_put(tui, y + 2 + i, x, COLOUR_DIM, 0, "%8.1f ms from there",
				ns_to_ms(hop->rtt_median_ns));
	}
}

void page_help(struct tui *tui, int y, int height)
{
	static const char *const lines[] = {
		"up down, k j      another hop          Enter, d    all about the hop",
		"c                 chart of round trips l           changes of the way",
		"b                 the way back         n           names or numbers",
		"p, space          hold still, go on    q           leave; the result stays on the terminal",
		"left right        5 s back or forward  [ ]         a minute back or forward",
		"Home, g           the beginning        End, G      the present",
		"z Z               shorter, longer time in charts",
		"+ -               speed of a replay    Esc         back to the table",
		"",
		"loss    probes that no hop from here to the end answered either, of so many sent; between",
		"        the two numbers behind it the true share lies with 95 % certainty (Wilson)",
		"flags   L limits its replies: slower asking brought the answers back; t being tried;",
		"        s skips answers, traffic passes; ? silent, traffic passes; ! refuses to pass on",
		"rows    below a hop: more addresses that answer; dim: of the way before, and until when;",
		"        with - what flows of these source ports meet (ICMP: of these checksums)",
		"colours hops of our own network, of networks between, the destination; yellow: slow or",
		"        doubtful; red: lost",
		"While the screen holds still, measuring goes on.",
	};
	tui_put(tui, y, 1, COLOUR_PLAIN, A_BOLD, "keys and signs");
	tui->page_top = MAX(0, MIN(tui->page_top, (int)ARRAY_LEN(lines) - 1));
	for (int i = 0; i < height - 1 && tui->page_top + i < (int)ARRAY_LEN(lines); i++)
		tui_put(tui, y + 1 + i, 1, COLOUR_PLAIN, 0, "%s", lines[tui->page_top + i]);
}
