/* Rules that stand in the way of a measurement. nftables' rules can say anything; looked for is what people
 * do write: chains whose policy is to drop, and rules that drop or reject ICMP by name. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor_check.h"
#include "net/firewall.h"

#define FINDINGS_MAX 4

/* One element of the listing. */
struct rules {
	const json_t *list;
	struct checkup *checkup;
	unsigned found;
	bool opaque; /* made by iptables, which nftables cannot show */
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static bool is_ours_to_judge(const json_t *chain)
{
	const char *hook = text_of(chain, "hook");
	return strcmp(hook, "input") == 0 || strcmp(hook, "output") == 0;
}

static bool same_chain(const json_t *rule, const json_t *chain)
{
	return strcmp(text_of(rule, "family"), text_of(chain, "family")) == 0 &&
		strcmp(text_of(rule, "table"), text_of(chain, "table")) == 0 &&
		strcmp(text_of(rule, "chain"), text_of(chain, "name")) == 0;
}

static bool has_verdict(const json_t *rule, const char *verdict)
{
	const json_t *parts = json_object_get(rule, "expr");
	for (size_t i = 0; i < json_array_size(parts); i++)
		if (json_object_get(json_array_get(parts, i), verdict))
			return true;
	return false;
}

/* Anywhere in what a rule matches, as it is written. */
static bool mentions(const json_t *rule, const char *word)
{
	char *text = json_dumps(json_object_get(rule, "expr"), JSON_COMPACT);
	bool found = text && strstr(text, word);
	free(text);
	return found;
}

static const json_t *next_of(const struct rules *rules, size_t *position, const char *kind)
{
	while (*position < json_array_size(rules->list)) {
		const json_t *object = json_object_get(json_array_get(rules->list, (*position)++), kind);
		if (object)
			return object;
	}
	return NULL;
}

/* Some rule of the chain lets ICMP, or what belongs to known connections, pass. */
static bool lets_errors_pass(const struct rules *rules, const json_t *chain)
{
	const json_t *rule;
	for (size_t i = 0; (rule = next_of(rules, &i, "rule"));)
		if (same_chain(rule, chain) && has_verdict(rule, "accept") &&
			(mentions(rule, "\"icmp") || mentions(rule, "\"related\"")))
			return true;
	return false;
}

static struct check *add_finding(struct rules *rules, const char *what, const json_t *chain)
{
	rules->found++;
	return check_add(rules->checkup, "firewall", CHECK_LIMITED, "%s (chain %s of table %s %s)", what,
		text_of(chain, "name"), text_of(chain, "table"), text_of(chain, "family"));
}

static void judge_policy(struct rules *rules, const json_t *chain)
{
	bool input = strcmp(text_of(chain, "hook"), "input") == 0;
	if (strcmp(text_of(chain, "policy"), "drop") != 0 || lets_errors_pass(rules, chain))
		return;
	struct check *check = add_finding(rules,
		input ? "whatever no rule accepts is dropped, and none accepts ICMP errors: routers stay "
			"silent"
		      : "whatever no rule accepts may not leave, and none lets ICMP pass: probes may not "
			"leave",
		chain);
	check_remedy(check,
		input ? "sudo nft add rule %s %s %s ct state related accept"
		      : "sudo nft add rule %s %s %s accept",
		text_of(chain, "family"), text_of(chain, "table"), text_of(chain, "name"));
}

static void judge_rules(struct rules *rules, const json_t *chain)
{
	const json_t *rule;
	bool input = strcmp(text_of(chain, "hook"), "input") == 0;
	for (size_t i = 0; (rule = next_of(rules, &i, "rule")) && rules->found < FINDINGS_MAX;) {
		if (!same_chain(rule, chain) || !(has_verdict(rule, "drop") || has_verdict(rule, "reject")))
			continue;
		rules->opaque |= has_verdict(rule, "xt");
		if (!mentions(rule, "\"icmp"))
			continue;
		struct check *check = add_finding(rules,
			input ? "a rule drops ICMP that comes in: answers of routers may be lost"
			      : "a rule drops ICMP that goes out: probes or answers of this host may be lost",
			chain);
		check_remedy(check, "sudo nft delete rule %s %s %s handle %lld", text_of(rule, "family"),
			text_of(rule, "table"), text_of(rule, "chain"),
			(long long)json_integer_value(json_object_get(rule, "handle")));
	}
}

static bool has_iptables(void)
{
	char name[64];
	FILE *file = fopen("/proc/net/ip_tables_names", "re");
	bool any = file && fgets(name, sizeof(name), file);
	if (file)
		fclose(file);
	return any;
}

static void judge(struct rules *rules)
{
	const json_t *chain;
	for (size_t i = 0; (chain = next_of(rules, &i, "chain")) && rules->found < FINDINGS_MAX;)
		if (is_ours_to_judge(chain)) {
			judge_policy(rules, chain);
			judge_rules(rules, chain);
		}
	if (rules->opaque || has_iptables()) {
		struct check *check = check_add(rules->checkup, "firewall", CHECK_UNKNOWN,
			"there are rules of iptables, which are not read here");
		check_remedy(check, "sudo iptables -S");
	} else if (rules->found == 0)
		check_add(rules->checkup, "firewall", CHECK_OK, "no rule seen that drops ICMP");
}

void doctor_firewall(struct checkup *checkup)
{
	char *text;
	struct error error = {0};
	json_error_t where;
	if (firewall_read(&text, &error) < 0) {
		struct check *check = check_add(checkup, "firewall", CHECK_UNKNOWN, "%s", error.text);
		if (error.code == -EPERM)
			check_remedy(check, "sudo retour doctor");
		return;
	}
	json_t *root = json_loads(text, 0, &where);
	struct rules rules = {.list = json_object_get(root, "nftables"), .checkup = checkup};
	if (root)
		judge(&rules);
	else if (*text)
		check_add(checkup, "firewall", CHECK_UNKNOWN, "nftables answered something else than JSON");
	else
		check_add(checkup, "firewall", CHECK_OK, "there are no rules");
	json_decref(root);
	free(text);
}
