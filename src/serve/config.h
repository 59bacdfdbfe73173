/* What the operator wants of the daemon: from its options, or from a file that has a key for each of them
 * (retour-serve(1)). Options that are given as well come after the file and add to it. */
#ifndef RETOUR_SERVE_CONFIG_H
#define RETOUR_SERVE_CONFIG_H

#include "base/compiler.h"
#include "base/error.h"
#include "serve/kernel.h"

/* Owns what `options` borrows. */
struct serve_config {
	struct serve_options options;
	struct prefix *allow, *targets, *proxies;
	struct listening *listen;
	char *certificate, *key;
	struct vantage_config vantage;
};

/* A responder of both families, and nothing else. */
void serve_config_init(struct serve_config *config);
void serve_config_deinit(struct serve_config *config);

/* One setting, by its key in the file (an option is called the same with '-' for '_'): listen,
 * tls_certificate, tls_key, allow, allow_target, trust_proxy, rate, prefix_rate, trace_rate, stamp, role.
 * -EINVAL with what was expected. */
int serve_config_set(
	struct serve_config *config, const char *key, const char *value, struct error *error) MUST_USE;
/* Errors name file and line. */
int serve_config_load(struct serve_config *config, const char *file, struct error *error) MUST_USE;
int serve_config_parse(
	struct serve_config *config, const char *name, const char *text, struct error *error) MUST_USE;
/* What does not go together. */
int serve_config_check(struct serve_config *config, struct error *error) MUST_USE;

#endif
