#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "report/layout_mtr.h"
#include "report/layout_mtr_fields.h"

#define DIGITS 5 /* of real numbers */

/* Times have whole microseconds. */
static json_t *number_of(char letter, const struct mtr_row *row)
{
	double value = mtr_field_value(letter, row);
	if (!mtr_field_is_real(letter))
		return json_integer((json_int_t)value);
	return json_real(letter == 'L' ? value : round(value * 1000) / 1000);
}

static json_t *hub_of(const struct mtr_report *report, const struct mtr_row *row)
{
	char origin[16];
	json_t *hub = json_pack(
		"{s:i, s:s}", "count", (int)row->ttl, "host", row->host_count ? row->hosts[0].text : "???");
	if (!hub)
		return NULL;
	if (row->host_count && row->hosts[0].asn)
		snprintf(origin, sizeof(origin), "AS%u", row->hosts[0].asn);
	else
		strcpy(origin, "AS???");
	int result = report->origins ? json_object_set_new(hub, "ASN", json_string(origin)) : 0;
	for (const char *letter = report->fields; *letter && result == 0; letter++)
		if (*letter != ' ')
			result = json_object_set_new(hub, mtr_field_title(*letter), number_of(*letter, row));
	if (result == 0)
		return hub;
	json_decref(hub);
	return NULL;
}

int layout_mtr_json(FILE *out, const struct mtr_report *report)
{
	char size[16];
	snprintf(size, sizeof(size), "%u", report->size);
	json_t *hubs = json_array();
	int result = hubs ? 0 : -1;
	for (size_t i = 0; i < report->row_count && result == 0; i++)
		result = json_array_append_new(hubs, hub_of(report, &report->rows[i]));
	json_t *all = result < 0
		? NULL
		: json_pack("{s:{s:{s:s, s:s, s:i, s:i, s:s, s:s}, s:O}}", "report", "mtr", "src",
			  report->source, "dst", report->target, "tos", (int)report->tos, "tests",
			  (int)report->cycles, "psize", size, "bitpattern", "0x00", "hubs", hubs);
	if (all)
		result = json_dumpf(all, out, JSON_INDENT(4) | JSON_REAL_PRECISION(DIGITS));
	json_decref(hubs);
	json_decref(all);
	return !all || result < 0 ? -ENOMEM : fputc('\n', out) == EOF ? -EIO : 0;
}
