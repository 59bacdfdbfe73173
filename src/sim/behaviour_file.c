#include "sim/behaviour_file.h"

#include "base/clock.h"
#include "sim/schema.h"

/* What an ordinary carrier's router allows; tight limits are said in the file. */
#define DEFAULT_ERROR_BURST 100
#define DEFAULT_ERROR_RATE  100.0
/* "As much as fits": RFC 1812 4.3.2.3 and RFC 4443 3.3, less the headers that go before it. */
#define DEFAULT_QUOTE_BYTES 1232
/* A day is more than any delay needs. */
#define SPAN_MAX_MS 86400e3
#define RATE_MAX    1e9

const cyaml_strval_t flag_words[2] = {{"false", false}, {"true", true}};
static const cyaml_strval_t source_words[] = {
	{"inbound", STAMP_INBOUND}, {"outbound", STAMP_OUTBOUND}, {"loopback", STAMP_LOOPBACK}};
static const cyaml_strval_t stamp_words[] = {{"inbound", STAMP_INBOUND}, {"outbound", STAMP_OUTBOUND},
	{"loopback", STAMP_LOOPBACK}, {"none", STAMP_NONE}, {"drop", STAMP_DROP}};
static const cyaml_strval_t balance_words[] = {
	{"none", BALANCE_NONE}, {"flow", BALANCE_FLOW}, {"packet", BALANCE_PACKET}, {"options", BALANCE_OPTIONS}};

#define CHOICE(member, words)                                                                                \
	CYAML_FIELD_ENUM_PTR(                                                                                \
		#member, WORD | PTR, struct file_behaviour, member, words, CYAML_ARRAY_LEN(words))
#define NUMBER(member) CYAML_FIELD_FLOAT_PTR(#member, POPT, struct file_behaviour, member)
#define COUNT(member)  CYAML_FIELD_UINT_PTR(#member, POPT, struct file_behaviour, member)

static const cyaml_schema_field_t limit_fields[] = {
	CYAML_FIELD_UINT("burst", CYAML_FLAG_DEFAULT, struct file_limit, burst),
	CYAML_FIELD_FLOAT("per_second", CYAML_FLAG_DEFAULT, struct file_limit, per_second),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t behaviour_fields[] = {
	CHOICE(error_source, source_words),
	CHOICE(record_route, stamp_words),
	CHOICE(balance, balance_words),
	CHOICE(silent, flag_words),
	COUNT(quote_bytes),
	NUMBER(reply_delay_ms),
	CYAML_FIELD_MAPPING_PTR("error_limit", POPT, struct file_behaviour, error_limit, limit_fields),
	CYAML_FIELD_END,
};

static bool within(double value, double max)
{
	return value >= 0 && value <= max; /* false for NaN, too */
}

const char *behaviour_load(const struct file_behaviour *common, const struct file_behaviour *own,
	struct behaviour *behaviour)
{
	static const struct file_behaviour nothing;
	const struct file_behaviour *first = own ? own : &nothing, *second = common ? common : &nothing;
#define GIVEN(member)		(first->member ? first->member : second->member)
#define VALUE(member, fallback) (GIVEN(member) ? *GIVEN(member) : (fallback))
	static const struct file_limit generous = {DEFAULT_ERROR_BURST, DEFAULT_ERROR_RATE};
	struct file_limit limit = VALUE(error_limit, generous);
	double reply_delay_ms = VALUE(reply_delay_ms, 0);
	if (!within(reply_delay_ms, SPAN_MAX_MS))
		return "reply_delay_ms: expected milliseconds, 0 or more";
	if (!within(limit.per_second, RATE_MAX))
		return "error_limit: expected a rate of 0 or more";
	*behaviour = (struct behaviour){
		.error_source = (enum stamp)VALUE(error_source, STAMP_INBOUND),
		.record_route = (enum stamp)VALUE(record_route, STAMP_OUTBOUND),
		.balance = (enum balance)VALUE(balance, BALANCE_NONE),
		.silent = VALUE(silent, false),
		.limit_given = GIVEN(error_limit) != NULL,
		.quote_bytes = VALUE(quote_bytes, DEFAULT_QUOTE_BYTES),
		.error_burst = limit.burst,
		.errors_per_second = limit.per_second,
		.reply_delay_ns = (int64_t)(reply_delay_ms * NS_PER_MS),
	};
	return NULL;
}
