#include "sim/behaviour_file.h"

#include "base/clock.h"
#include "packet/packet.h"
#include "sim/schema.h"

/* "As much as fits": RFC 1812 4.3.2.3 and RFC 4443 3.3, less the headers that go before it. */
#define DEFAULT_QUOTE_BYTES 1232
/* A day is more than any delay needs. */
#define SPAN_MAX_MS 86400e3
#define HOURS_MAX   (24 * 365.0)
#define RATE_MAX    1e9
#define TTL_HOST    64 /* RFC 1700, and what Linux does */
#define TTL_ROUTER  255
#define NO_LIMIT                                                                                             \
	{                                                                                                    \
		0, -1                                                                                        \
	}

/* What an ordinary carrier's router allows, and Linux (icmp_ratelimit, icmp_msgs_per_sec, icmp_msgs_burst).
 */
static const struct file_limit default_errors[][2] = {
	[LIMITS_ROUTER] = {{100, 100}, {100, 100}}, [LIMITS_LINUX] = {{6, 1}, {6, 10}}};
static const struct limit default_all[] = {[LIMITS_ROUTER] = NO_LIMIT, [LIMITS_LINUX] = {50, 1000}};

static const cyaml_strval_t source_words[] = {{"inbound", STAMP_INBOUND}, {"outbound", STAMP_OUTBOUND},
	{"loopback", STAMP_LOOPBACK}, {"private", STAMP_PRIVATE}, {"linux", STAMP_LINUX}};
static const cyaml_strval_t stamp_words[] = {{"inbound", STAMP_INBOUND}, {"outbound", STAMP_OUTBOUND},
	{"loopback", STAMP_LOOPBACK}, {"private", STAMP_PRIVATE}, {"none", STAMP_NONE}, {"drop", STAMP_DROP},
	{"strip", STAMP_STRIP}};
static const cyaml_strval_t time_words[] = {
	{"standard", TIME_STANDARD}, {"none", TIME_NONE}, {"careless", TIME_CARELESS}, {"linux", TIME_LINUX}};
static const cyaml_strval_t own_words[] = {
	{"twice", OWN_TWICE}, {"once", OWN_ONCE}, {"alias", OWN_ALIAS}, {"none", OWN_NONE}};
static const cyaml_strval_t ping_words[] = {{"all", PING_ALL}, {"plain", PING_PLAIN}, {"none", PING_NONE}};
static const cyaml_strval_t balance_words[] = {{"none", BALANCE_NONE}, {"flow", BALANCE_FLOW},
	{"packet", BALANCE_PACKET}, {"options", BALANCE_OPTIONS}};
static const cyaml_strval_t srv6_words[] = {
	{"false", SRV6_OFF}, {"true", SRV6_ON}, {"strict", SRV6_STRICT}, {"refuse", SRV6_REFUSE}};
static const cyaml_strval_t limits_words[] = {{"router", LIMITS_ROUTER}, {"linux", LIMITS_LINUX}};
static const cyaml_strval_t bleach_words[] = {
	{"none", BLEACH_NONE}, {"ecn", BLEACH_ECN}, {"dscp", BLEACH_DSCP}, {"all", BLEACH_ALL}};
static const cyaml_strval_t too_big_words[] = {
	{"said", TOO_BIG_SAID}, {"zero", TOO_BIG_ZERO}, {"silent", TOO_BIG_SILENT}};
static const cyaml_strval_t filter_words[] = {{"none", SOURCE_ANY}, {"hosts", SOURCE_HOSTS},
	{"strict", SOURCE_STRICT}, {"own", SOURCE_OWN}, {"loose", SOURCE_LOOSE}};
static const cyaml_strval_t action_words[] = {
	{"allow", RULE_ALLOW}, {"drop", RULE_DROP}, {"refuse", RULE_REFUSE}};
static const cyaml_strval_t protocol_words[] = {
	{"any", 0}, {"icmp", PROTOCOL_ICMP}, {"tcp", PROTOCOL_TCP}, {"udp", PROTOCOL_UDP}};
const cyaml_strval_t refusal_words[REFUSAL_WORD_COUNT] = {{"net", REFUSE_NET}, {"host", REFUSE_HOST},
	{"admin", REFUSE_ADMIN}, {"protocol", REFUSE_PROTOCOL}, {"port", REFUSE_PORT},
	{"source-route", REFUSE_SOURCE_ROUTE}, {"net-unknown", REFUSE_NET_UNKNOWN},
	{"host-unknown", REFUSE_HOST_UNKNOWN}, {"isolated", REFUSE_ISOLATED}, {"net-admin", REFUSE_NET_ADMIN},
	{"host-admin", REFUSE_HOST_ADMIN}, {"net-tos", REFUSE_NET_TOS}, {"host-tos", REFUSE_HOST_TOS},
	{"precedence", REFUSE_PRECEDENCE}, {"cutoff", REFUSE_CUTOFF}, {"scope", REFUSE_SCOPE},
	{"policy", REFUSE_POLICY}, {"reject", REFUSE_REJECT}, {"reset", REFUSE_RESET}};

#define CHOICE(member, words)                                                                                \
	CYAML_FIELD_ENUM_PTR(                                                                                \
		#member, WORD | PTR, struct file_behaviour, member, words, CYAML_ARRAY_LEN(words))
#define NUMBER(member)	     CYAML_FIELD_FLOAT_PTR(#member, POPT, struct file_behaviour, member)
#define COUNT(member)	     CYAML_FIELD_UINT_PTR(#member, POPT, struct file_behaviour, member)
#define PART(member, fields) CYAML_FIELD_MAPPING_PTR(#member, POPT, struct file_behaviour, member, fields)

static const cyaml_schema_field_t limit_fields[] = {
	CYAML_FIELD_UINT("burst", CYAML_FLAG_DEFAULT, struct file_limit, burst),
	CYAML_FIELD_FLOAT("per_second", CYAML_FLAG_DEFAULT, struct file_limit, per_second),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t ttl_fields[] = {
	CYAML_FIELD_UINT_PTR("error", POPT, struct file_ttls, error),
	CYAML_FIELD_UINT_PTR("echo", POPT, struct file_ttls, echo),
	CYAML_FIELD_UINT_PTR("reset", POPT, struct file_ttls, reset),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t nat_fields[] = {
	TEXT("inside", PTR, struct file_nat, inside),
	CYAML_FIELD_ENUM_PTR("quotes", WORD | PTR, struct file_nat, quotes, flag_words, 2),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t rule_fields[] = {
	CYAML_FIELD_ENUM("do", CYAML_FLAG_STRICT, struct file_rule, action, action_words,
		CYAML_ARRAY_LEN(action_words)),
	CYAML_FIELD_ENUM("protocol", WORD, struct file_rule, protocol, protocol_words,
		CYAML_ARRAY_LEN(protocol_words)),
	TEXT("from", POPT, struct file_rule, from),
	TEXT("to", POPT, struct file_rule, to),
	CYAML_FIELD_UINT_PTR("port", POPT, struct file_rule, port),
	CYAML_FIELD_UINT_PTR("port_end", POPT, struct file_rule, port_end),
	FLAG("established", struct file_rule, established),
	CYAML_FIELD_ENUM_PTR(
		"refuse", WORD | PTR, struct file_rule, refuse, refusal_words, REFUSAL_WORD_COUNT),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t rule_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_rule, rule_fields)};

const cyaml_schema_field_t queue_fields[] = {
	CYAML_FIELD_FLOAT("peak_ms", CYAML_FLAG_DEFAULT, struct file_queue, peak_ms),
	CYAML_FIELD_FLOAT("hour", CYAML_FLAG_DEFAULT, struct file_queue, hour),
	CYAML_FIELD_FLOAT("width_h", CYAML_FLAG_DEFAULT, struct file_queue, width_h),
	CYAML_FIELD_FLOAT("noise_ms", OPT, struct file_queue, noise_ms),
	CYAML_FIELD_FLOAT("loss", OPT, struct file_queue, loss),
	CYAML_FIELD_FLOAT_PTR("period_h", POPT, struct file_queue, period_h),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t behaviour_fields[] = {
	CHOICE(error_source, source_words),
	CHOICE(record_route, stamp_words),
	PART(options_limit, limit_fields),
	CHOICE(timestamp, time_words),
	CHOICE(own_stamps, own_words),
	CHOICE(ping, ping_words),
	CHOICE(balance, balance_words),
	CHOICE(silent, flag_words),
	CHOICE(srv6, srv6_words),
	CHOICE(zero_ttl, flag_words),
	PART(initial_ttl, ttl_fields),
	CHOICE(limits, limits_words),
	PART(error_limit, limit_fields),
	PART(error_limit6, limit_fields),
	PART(error_limit_all, limit_fields),
	COUNT(quote_bytes),
	NUMBER(reply_delay_ms),
	NUMBER(reply_jitter_ms),
	CHOICE(bleach, bleach_words),
	CHOICE(too_big, too_big_words),
	CHOICE(source_filter, filter_words),
	PART(nat, nat_fields),
	LIST("firewall", POPT, struct file_behaviour, firewall, &rule_entry),
	CYAML_FIELD_END,
};

static bool within(double value, double max)
{
	return value >= 0 && value <= max; /* false for NaN, too */
}

static const char *nat_load(struct file_nat *nat)
{
	if (!prefix_parse(nat->inside, &nat->inside_prefix) || nat->inside_prefix.addr.family != 4)
		return "nat: expected an IPv4 prefix for 'inside', like 192.168.1.0/24";
	return NULL;
}

static const char *rule_load(struct file_rule *rule)
{
	if ((rule->from && !prefix_parse(rule->from, &rule->from_prefix)) ||
		(rule->to && !prefix_parse(rule->to, &rule->to_prefix)))
		return "firewall: expected prefixes for 'from' and 'to', like 198.51.100.0/24";
	if (rule->port_end && !rule->port)
		return "firewall: expected 'port' where there is 'port_end'";
	if (rule->port && rule->protocol != PROTOCOL_TCP && rule->protocol != PROTOCOL_UDP)
		return "firewall: expected protocol tcp or udp where there is 'port'";
	if (rule->port && (*rule->port > 65535 || (rule->port_end && *rule->port_end < *rule->port)))
		return "firewall: expected a port up to 65535, and a 'port_end' that is not less";
	return NULL;
}

static const char *limit_load(const struct file_limit *from, const char *wrong, struct limit *to)
{
	if (from)
		*to = (struct limit){from->burst, from->per_second};
	return from && !within(from->per_second, RATE_MAX) ? wrong : NULL;
}

static const char *ttls_load(const struct file_ttls *from, bool is_host, struct behaviour *to)
{
	static const struct file_ttls none;
	uint8_t usual = is_host ? TTL_HOST : TTL_ROUTER;
	if (!from)
		from = &none;
	const unsigned *given[] = {from->error, from->echo, from->reset};
	uint8_t *ttls[] = {&to->ttl_error, &to->ttl_echo, &to->ttl_reset};
	for (size_t i = 0; i < ARRAY_LEN(given); i++) {
		if (given[i] && (*given[i] < 1 || *given[i] > 255))
			return "initial_ttl: expected 1 to 255";
		*ttls[i] = given[i] ? (uint8_t)*given[i] : usual;
	}
	return NULL;
}

#define GIVEN(member)		(own->member ? own->member : common->member)
#define VALUE(member, fallback) (GIVEN(member) ? *GIVEN(member) : (fallback))

static const char *limits_load(
	const struct file_behaviour *common, const struct file_behaviour *own, struct behaviour *to)
{
	const struct file_limit *v4 = GIVEN(error_limit), *v6 = GIVEN(error_limit6);
	const char *wrong = limit_load(v4 ? v4 : &default_errors[to->limits][0],
		"error_limit: expected a rate of 0 or more", &to->errors[0]);
	to->limit_given = GIVEN(error_limit) || GIVEN(limits) || GIVEN(error_limit_all);
	to->all_errors = default_all[to->limits];
	to->options = (struct limit)NO_LIMIT;
	if (!wrong)
		wrong = limit_load(v6 ? v6
				: v4  ? v4
				      : &default_errors[to->limits][1],
			"error_limit6: expected a rate of 0 or more", &to->errors[1]);
	if (!wrong)
		wrong = limit_load(GIVEN(error_limit_all), "error_limit_all: expected a rate of 0 or more",
			&to->all_errors);
	if (!wrong)
		wrong = limit_load(
			GIVEN(options_limit), "options_limit: expected a rate of 0 or more", &to->options);
	return wrong;
}

static const char *boxes_load(struct file_behaviour *common, struct file_behaviour *own, struct behaviour *to)
{
	struct file_nat *nat = GIVEN(nat);
	const struct file_behaviour *walled = own->firewall ? own : common;
	const char *wrong = nat ? nat_load(nat) : NULL;
	for (unsigned i = 0; i < walled->firewall_count && !wrong; i++) {
		wrong = rule_load(&walled->firewall[i]);
		to->stateful |= walled->firewall[i].established;
	}
	to->nat = nat;
	to->rules = walled->firewall;
	to->rule_count = walled->firewall_count;
	return wrong;
}

static void habits_load(const struct file_behaviour *common, const struct file_behaviour *own, bool is_host,
	struct behaviour *to)
{
	*to = (struct behaviour){
		.error_source = (enum stamp)VALUE(error_source, STAMP_INBOUND),
		.record_route = (enum stamp)VALUE(record_route, STAMP_OUTBOUND),
		.timestamp = (enum time_habit)VALUE(timestamp, TIME_STANDARD),
		.own_stamps = (enum own_stamps)VALUE(own_stamps, OWN_TWICE),
		.ping = (enum ping)VALUE(ping, PING_ALL),
		.balance = (enum balance)VALUE(balance, BALANCE_NONE),
		.srv6 = (enum srv6)VALUE(srv6, SRV6_OFF),
		.limits = (enum limits)VALUE(limits, is_host ? LIMITS_LINUX : LIMITS_ROUTER),
		.bleach = (enum bleach)VALUE(bleach, BLEACH_NONE),
		.too_big = (enum too_big)VALUE(too_big, TOO_BIG_SAID),
		.source_filter = (enum source_filter)VALUE(source_filter, SOURCE_ANY),
		.silent = VALUE(silent, false),
		.zero_ttl = VALUE(zero_ttl, false),
		.quote_bytes = VALUE(quote_bytes, DEFAULT_QUOTE_BYTES),
	};
}

const char *behaviour_load(
	struct file_behaviour *common, struct file_behaviour *own, bool is_host, struct behaviour *behaviour)
{
	struct file_behaviour nothing = {0};
	common = common ? common : &nothing;
	own = own ? own : &nothing;
	double delay_ms = VALUE(reply_delay_ms, 0), jitter_ms = VALUE(reply_jitter_ms, 0);
	if (!within(delay_ms, SPAN_MAX_MS) || !within(jitter_ms, SPAN_MAX_MS))
		return "reply_delay_ms: expected milliseconds, 0 or more";
	habits_load(common, own, is_host, behaviour);
	behaviour->reply_delay_ns = (int64_t)(delay_ms * NS_PER_MS);
	behaviour->reply_jitter_ns = (int64_t)(jitter_ms * NS_PER_MS);
	const char *wrong = ttls_load(GIVEN(initial_ttl), is_host, behaviour);
	if (!wrong)
		wrong = limits_load(common, own, behaviour);
	if (!wrong)
		wrong = boxes_load(common, own, behaviour);
	behaviour->plain = !behaviour->nat && behaviour->rule_count == 0 && !behaviour->zero_ttl &&
		behaviour->bleach == BLEACH_NONE && behaviour->source_filter == SOURCE_ANY;
	return wrong;
}

const char *queue_load(const struct file_queue *file, struct queue *queue)
{
	double period_h = file->period_h ? *file->period_h : 24;
	if (!within(file->peak_ms, SPAN_MAX_MS) || !within(file->noise_ms, SPAN_MAX_MS) ||
		!within(file->loss, 1) || !within(period_h, HOURS_MAX) || period_h * 3600 < 1e-3 ||
		!within(file->hour, period_h) || !within(file->width_h, period_h))
		return "queue: expected delays of 0 or more, a loss from 0 to 1, and hours within the period";
	const double ns_per_h = 3600.0 * NS_PER_S;
	*queue = (struct queue){
		.peak_ns = (int64_t)(file->peak_ms * NS_PER_MS),
		.noise_ns = (int64_t)(file->noise_ms * NS_PER_MS),
		.hour_ns = (int64_t)(file->hour * ns_per_h),
		.width_ns = (int64_t)(file->width_h * ns_per_h),
		.period_ns = (int64_t)(period_h * ns_per_h),
		.loss = file->loss,
	};
	return NULL;
}
